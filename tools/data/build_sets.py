#!/usr/bin/env python3
"""Builds the small real sets that docs/results trains on, as gzip'ed IDX, from packages.

    python3 -m venv v && v/bin/pip install pillow numpy
    apt-get download opencv-doc && dpkg -x opencv-doc_*.deb pkg
    v/bin/python tools/data/build_sets.py digits20 pkg sets/digits20

set         package, unpacked into the folder given             size
digits20    Debian opencv-doc                                    96 MB
normals64   Debian ufoai-textures                               336 MB
seasons128  Debian flightgear-data-base                         1.3 GB
glyphs32    Debian fonts-* packages: every .ttf and .otf below

Then: gan data 'pairs-idx:sets/normals64/diffuse-rgb-idx4-ubyte.gz,sets/normals64/normal-rgb-idx4-ubyte.gz' --out a.png
"""
import glob
import gzip
import io
import os
import struct
import sys
import zipfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def save(folder, name, array):
    """An IDX file of unsigned bytes, the same bytes every time."""
    os.makedirs(folder, exist_ok=True)
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(">%dI" % array.ndim, *array.shape)
    with open(os.path.join(folder, name), "wb") as file:
        with gzip.GzipFile("", "wb", 9, file, 0) as out:
            out.write(head + np.ascontiguousarray(array, np.uint8).tobytes())
    print("%s/%s: %s" % (folder, name, "x".join(map(str, array.shape))))


def find(source, *ends):
    """The one file or folder below source with this end; a message when it is not there."""
    hits = sorted(glob.glob(os.path.join(glob.escape(source), "**", *ends), recursive=True))
    if not hits:
        sys.exit("%s: no %s below it (is it the unpacked package?)" % (source, "/".join(ends)))
    return hits[0]


def digits20(source, folder):
    """5000 handwritten digits: 50 rows of 100, five rows a class; the last 100 of a class are test."""
    path = os.path.join("examples", "data", "digits.png")
    hits = glob.glob(os.path.join(glob.escape(source), "**", path + "*"), recursive=True)
    data = open(sorted(hits)[0] if hits else find(source, path), "rb").read()
    sheet = np.array(Image.open(io.BytesIO(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data))
                     .convert("L"))
    cells = sheet.reshape(50, 20, 100, 20).transpose(0, 2, 1, 3).reshape(10, 500, 20, 20)
    for name, part in (("train", cells[:, :400]), ("t10k", cells[:, 400:])):
        save(folder, name + "-images-idx3-ubyte.gz", part.reshape(-1, 20, 20))
        save(folder, name + "-labels-idx1-ubyte.gz", np.repeat(np.arange(10), part.shape[1]))


def small(data, side):
    """RGB, box-filtered to side x side."""
    return np.array(Image.open(data).convert("RGB").resize((side, side), Image.BOX))


def names(folder, rows):
    with open(os.path.join(folder, "names.tsv"), "w", encoding="utf-8") as file:
        file.write("index\tfile\n")
        file.writelines("%d\t%s\n" % row for row in enumerate(rows))


def normals64(source, folder):
    """Square *_nm.png with the texture of the same name; flat normal maps left out."""
    archive = zipfile.ZipFile(find(source, "0textures.pk3"))
    all_names = set(archive.namelist())
    pairs = []
    for normal in sorted(n for n in all_names if n.endswith("_nm.png")):
        texture = [normal[:-7] + end for end in (".png", ".jpg") if normal[:-7] + end in all_names]
        if not texture:
            continue
        a, b = (io.BytesIO(archive.read(n)) for n in (texture[0], normal))
        size_a, size_b = Image.open(a).size, Image.open(b).size
        if size_a[0] == size_a[1] and size_b[0] == size_b[1]:
            image = small(b, 64)
            if image[:, :, :2].std() >= 4:  # of 255: less is a plane
                pairs.append((texture[0], small(a, 64), image))
    save(folder, "diffuse-rgb-idx4-ubyte.gz", np.stack([p[1] for p in pairs]))
    save(folder, "normal-rgb-idx4-ubyte.gz", np.stack([p[2] for p in pairs]))
    names(folder, [p[0] for p in pairs])


def seasons128(source, folder):
    """Textures/Terrain and Textures/Terrain.winter, matched by name."""
    winter = find(source, "Textures", "Terrain.winter")
    summer = os.path.join(os.path.dirname(winter), "Terrain")
    both = sorted(n for n in os.listdir(winter)
                  if n.endswith(".png") and os.path.exists(os.path.join(summer, n)))
    for name, path in (("summer", summer), ("winter", winter)):
        save(folder, name + "-rgb-idx4-ubyte.gz",
             np.stack([small(os.path.join(path, n), 128) for n in both]))
    names(folder, both)


CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def glyphs(path):
    """The 62 characters, one scale and baseline, ink 255; None where the face lacks some."""
    try:
        font = ImageFont.truetype(path, 96)
        boxes = [font.getbbox(c, anchor="ls") for c in CHARACTERS]
    except OSError:
        return None
    blank = font.getmask("\u0378").getbbox()  # a code point no font has: its box of .notdef
    if any(b[2] <= b[0] or b[3] <= b[1] for b in boxes) or \
            sum(font.getmask(c).getbbox() == blank for c in CHARACTERS) > 3:
        return None
    top, bottom = min(b[1] for b in boxes), max(b[3] for b in boxes)
    scale = 28 / max(bottom - top, max(b[2] - b[0] for b in boxes))
    out = np.zeros((len(CHARACTERS), 32, 32), np.uint8)
    for k, (c, b) in enumerate(zip(CHARACTERS, boxes)):
        canvas = Image.new("L", (round(32 / scale), round(32 / scale)))
        left = (canvas.width - (b[2] - b[0])) // 2 - b[0]
        base = (canvas.height - (bottom - top)) // 2 - top
        ImageDraw.Draw(canvas).text((left, base), c, fill=255, font=font, anchor="ls")
        out[k] = np.array(canvas.resize((32, 32), Image.BOX))
    return out


def glyphs32(source, folder):
    """Every typeface below the folder, at most four of a family, [faces,62,32,32]."""
    families, faces, rows = {}, [], []
    paths = [p for end in ("ttf", "otf") for p in
             glob.glob(os.path.join(glob.escape(source), "**", "*." + end), recursive=True)]
    for path in sorted(paths):
        face = glyphs(path)
        family, style = ImageFont.truetype(path, 16).getname() if face is not None else ("", "")
        if face is None or families.get(family, 0) == 4:
            continue
        families[family] = families.get(family, 0) + 1
        faces.append(face)
        rows.append("%s\t%s\t%s" % (family, style, os.path.basename(path)))
    if not faces:
        sys.exit("%s: no typeface with the 62 characters below it" % source)
    save(folder, "images-idx4-ubyte.gz", np.stack(faces))
    names(folder, rows)


SETS = {f.__name__: f for f in (digits20, normals64, seasons128, glyphs32)}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in SETS:
        sys.exit("usage: build_sets.py %s UNPACKED-PACKAGE FOLDER" % "|".join(SETS))
    SETS[sys.argv[1]](sys.argv[2], sys.argv[3])
