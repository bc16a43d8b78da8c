#!/usr/bin/python3
"""Makes the golden files of tests/golden/data with PyTorch in float64.

An oracle that shares no code with libgan: small networks, every input and every initial weight drawn
here and written to the file, and what PyTorch makes of them; golden/*.py hold them by topic.
tests/golden/README.md describes the files.

    tools/golden.py                 write all files
    tools/golden.py --only dcgan    write one
    tools/golden.py --check         remake everything and compare with the committed files
    tools/golden.py --sensitivity   how far rounding noise in the initial weights moves the result

Needs Debian's python3-torch and python3-numpy.
"""

import argparse
import os
import sys

import numpy as np
import torch

from golden import common
from golden.aids import make_augment, make_lazy, make_play
from golden.archs import make_archs
from golden.common import DIRECTORY, check, largest_difference, write_safetensors
from golden.gans import make_critic_gp, make_dcgan, make_gan, make_wgan_gp
from golden.layers import make_layers
from golden.losses import make_losses
from golden.optim import make_optim
from golden.translation import (
    make_cyclegan, make_pix2pix, make_resnet_9, make_translate_fpn, make_unet_256)
from golden.unrolled import make_l2l, make_unrolled

FILES = {
    "gan": lambda: make_gan("nonsaturating", 1, 101),
    "gan_sat": lambda: make_gan("saturating", 2, 102),
    "dcgan": lambda: make_dcgan(103),
    "critic_gp": lambda: make_critic_gp(104),
    "wgan_gp": lambda: make_wgan_gp(107),
    "optim": lambda: make_optim(105),
    "losses": lambda: make_losses(112),
    "layers": lambda: make_layers(106),
    "pix2pix": lambda: make_pix2pix(107),
    "cyclegan": lambda: make_cyclegan(0, 108),
    "cyclegan_pool": lambda: make_cyclegan(3, 109),
    "translate_fpn": lambda: make_translate_fpn(116),
    "unet_256": lambda: make_unet_256("adam"),
    "unet_256_sgd": lambda: make_unet_256("sgd"),
    "resnet_9": lambda: make_resnet_9("adam"),
    "resnet_9_sgd": lambda: make_resnet_9("sgd"),
    "unrolled": lambda: make_unrolled(110),
    "l2l": lambda: make_l2l(111),
    "lazy": lambda: make_lazy(112),
    "augment": lambda: make_augment(113),
    "simultaneous": lambda: make_play(False, 114),
    "extra": lambda: make_play(True, 115),
    "archs": make_archs,
}


def sensitivity(name, golden):
    common.noise = 1e-15
    np.random.seed(0)
    other = FILES[name]()
    common.noise = 0.0
    keep = {key for key in golden.tensors if key.startswith(("trace/", "final/", "forward/"))}
    worst, where = largest_difference({key: other.tensors[key] for key in keep},
                                      {key: golden.tensors[key] for key in keep})
    print(f"{name}: noise 1e-15 on the weights moves {where} by {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=sorted(FILES))
    parser.add_argument("--out", default=DIRECTORY)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--sensitivity", action="store_true")
    args = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    good = True
    for name in [args.only] if args.only else FILES:
        golden = FILES[name]()
        path = os.path.normpath(os.path.join(args.out, f"{name}.safetensors"))
        if args.check:
            good = check(name, golden, path) and good
        elif args.sensitivity:
            sensitivity(name, golden)
        else:
            os.makedirs(args.out, exist_ok=True)
            write_safetensors(path, golden.tensors, golden.metadata)
            print(f"{path}: {len(golden.tensors)} tensors, {os.path.getsize(path)} bytes")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
