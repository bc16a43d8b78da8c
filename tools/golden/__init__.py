"""The golden files by topic. tools/golden.py makes them, tools/golden_metrics.py makes one of its own
from what stands here."""

from .common import DIRECTORY, Golden, check, write_safetensors
