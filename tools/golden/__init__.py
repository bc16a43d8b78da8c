"""The golden files by topic; tools/golden.py is the command."""
