#!/usr/bin/env python3
"""Writes tests/fuzz/corpus/image: small image files, the start of fuzzing and the input of unit tests.

    python3 -m venv v && v/bin/pip install pillow numpy && v/bin/python tools/golden_images.py

Each is 24 wide and 16 high, the left half (200, 40, 80), the right half (20, 160, 230); the gray ones
have 60 and 190. PNGs are made of 1 to 16 bits, gray, RGB, palette, alpha; JPEGs baseline,
progressive, gray, CMYK; PNMs P1 to P6, one with 16 bits.
"""
import io
import os

import numpy as np
from PIL import Image

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/fuzz/corpus/image")


def halves(left, right, dtype=np.uint8):
    image = np.zeros((16, 24, len(left)), dtype)
    image[:, :12], image[:, 12:] = left, right
    return image


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def save(name, image, kind, **how):
    out = io.BytesIO()
    image.save(out, kind, **how)
    write(name, out.getvalue())
    return out.getvalue()


def main():
    os.makedirs(HERE, exist_ok=True)
    rgb = halves((200, 40, 80), (20, 160, 230))
    gray = halves((60,), (190,))[:, :, 0]
    color, mono = Image.fromarray(rgb), Image.fromarray(gray)
    save("rgb.png", color, "PNG")
    save("gray.png", mono, "PNG")
    save("palette.png", color.convert("P", palette=Image.ADAPTIVE, colors=4), "PNG")
    save("gray1.png", mono.point(lambda v: 255 * (v > 100)).convert("1"), "PNG")
    save("gray16.png", Image.fromarray((gray.astype(np.uint16) * 257)), "PNG")
    alpha = np.concatenate([rgb, halves((255,), (0,))], 2)
    save("rgba.png", Image.fromarray(alpha), "PNG")
    save("ga.png", Image.fromarray(np.stack([gray, alpha[:, :, 3]], 2), "LA"), "PNG")
    jpeg = save("rgb.jpg", color, "JPEG", quality=95, subsampling=0)
    save("progressive.jpg", color, "JPEG", quality=95, progressive=True)
    save("gray.jpg", mono, "JPEG", quality=95)
    save("cmyk.jpg", color.convert("CMYK"), "JPEG", quality=95)
    write("cut.jpg", jpeg[:-60])
    write("header.jpg", jpeg[:40])
    write("rgb.ppm", b"P6\n# a comment\n24 16\n255\n" + rgb.tobytes())
    write("gray.pgm", b"P5 24 16 255\n" + gray.tobytes())
    write("gray16.pgm", b"P5 24 16 65535\n" + (gray.astype(">u2") * 257).tobytes())
    write("text.ppm", b"P3 24 16 255\n" + b" ".join(b"%d" % v for v in rgb.ravel()))
    write("text.pgm", b"P2 24 16 190\n" + b"\n".join(b"%d" % v for v in gray.ravel()))
    bits = (gray < 100).astype(np.uint8)
    write("bits.pbm", b"P4 24 16\n" + np.packbits(bits, 1).tobytes())
    write("text.pbm", b"P1 24 16\n" + b"".join(b"%d" % v for v in bits.ravel()))
    write("huge.ppm", b"P6 30000 8000 255\n")
    write("level.pgm", b"P5 2 1 100\n\x64\x65")


main()
