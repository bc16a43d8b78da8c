#!/usr/bin/env python3
"""Writes tests/fuzz/corpus/image: small image files, the start of fuzzing and the input of unit tests.

    python3 -m venv v && v/bin/pip install pillow numpy && v/bin/python tools/golden_images.py

Each is 24 wide and 16 high, the left half (200, 40, 80), the right half (20, 160, 230); the gray ones
have 60 and 190. PNGs are made of 1 to 16 bits, gray, RGB, palette, alpha, transparent
colours, interlaced; JPEGs baseline, progressive, gray, CMYK, in the eight ways of EXIF; PNMs P1 to P6, one with 16 bits.
"""
import io
import os
import struct
import zlib

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


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(name, rows, depth, kind, extra=b"", interlace=False):
    """A PNG of what Pillow does not write: rows of samples [16, 24 * channels], any depth."""
    passes = [(0, 0, 1, 1)]
    if interlace:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
                  (1, 0, 2, 1)]
    samples = rows.reshape(16, 24, -1)
    raw = b""
    for top, left, down, right in passes:
        for row in samples[top::down, left::right]:
            bits = ((row.reshape(-1, 1) >> np.arange(depth)[::-1]) & 1).astype(np.uint8)
            raw += b"\0" + np.packbits(bits.ravel()).tobytes()
    head = struct.pack(">IIBBBBB", 24, 16, depth, kind, 0, 0, int(interlace))
    write(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra +
          chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def pngs():
    two = halves((1,), (2,), np.int64)
    png("gray2.png", two, 2, 0)                               # 85 and 170
    png("gray4.png", halves((4,), (11,), np.int64), 4, 0)     # 68 and 187
    png("gray16near.png", halves((15615,), (48650,), np.int64), 16, 0)  # 60.76 and 189.3 of 255
    png("graytrns.png", two * 80, 8, 0, chunk(b"tRNS", b"\0\xa0"))      # 160 is transparent
    wide = halves((200 * 257, 40 * 257, 80 * 257), (20 * 257, 160 * 257, 230 * 257), np.int64)
    png("rgb16.png", wide, 16, 2)
    clear = halves((65535,), (0,), np.int64)
    png("rgba16.png", np.concatenate([wide, clear], 2), 16, 6)
    png("ga16.png", np.concatenate([halves((60 * 257,), (190 * 257,), np.int64), clear], 2), 16, 4)
    palette = chunk(b"PLTE", bytes([0, 0, 0, 200, 40, 80, 20, 160, 230]))
    png("palette2.png", two, 2, 3, palette)
    png("palette4.png", two, 4, 3, palette)
    png("palette1.png", two - 1, 1, 3, chunk(b"PLTE", bytes([200, 40, 80, 20, 160, 230])))
    png("palettetrns.png", two, 8, 3, palette + chunk(b"tRNS", bytes([255, 255, 0])))
    png("interlaced.png", wide // 257, 8, 2, interlace=True)
    png("interlaced1.png", two - 1, 1, 0, interlace=True)


def jpegs(color):
    """CMYK progressive, and one image stored in the eight ways that EXIF knows."""
    save("cmykprogressive.jpg", color.convert("CMYK"), "JPEG", quality=95, progressive=True)
    quarters = np.zeros((16, 24), np.uint8)
    quarters[:8, :12], quarters[:8, 12:], quarters[8:, :12], quarters[8:, 12:] = 30, 100, 170, 240
    stored = [quarters, quarters[:, ::-1], quarters[::-1, ::-1], quarters[::-1], quarters.T,
              np.rot90(quarters), quarters[::-1, ::-1].T, np.rot90(quarters, -1)]
    for way, image in enumerate(stored):
        for order, mark in ((">", b"MM"), ("<", b"II")):
            tiff = mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 274, 3, 1, way + 1, 0, 0)
            name = "exif%d%s.jpg" % (way + 1, "" if order == ">" else "le")
            if order == ">" or way == 5:
                save(name, Image.fromarray(np.ascontiguousarray(image)), "JPEG", quality=95,
                     exif=b"Exif\0\0" + tiff)


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
    pngs()
    jpegs(color)
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
