#!/usr/bin/env python3
"""Builds the data sets of the image translation experiments as IDX files.

    sets.py SOURCE OUT [NAME ...]     NAME: shoes glyphs digits seasons emoji normals; all when not given

SOURCE holds one folder per collection, with gzip'ed IDX files made from free packages (tools/data/build_sets.py
makes glyphs32, digits20, seasons128 and normals64 from them):
    glyphs32    [typefaces, 62 characters, 32, 32] A-Z a-z 0-9 rendered from Debian's fonts-* packages; fonts.tsv
    digits20    handwritten digits 20x20, cut from digits.png of Debian's opencv-doc
    seasons128  summer and winter ground textures of Debian's flightgear-data-base (Terrain, Terrain.winter)
    openmoji64  line drawings and colour of npm's openmoji, drawn at 64 pixels
    normals64   textures and normal maps of Debian's ufoai-textures, box-filtered to 64 pixels
and shoes come from Debian's dataset-fashion-mnist (/usr/share/datasets/fashion-mnist, or $FASHION_MNIST).

Each set is a folder OUT/NAME of A-train, B-train (unpaired, or paired by number), A-test, B-test (paired by number
where partners exist), with labels-{A,B}-{train,test} where there are classes, and the labelled set domains/
(train, t10k) that a domain classifier is trained on: class 0 is A, class 1 is B. Needs numpy.
"""

import collections
import csv
import gzip
import os
import re
import sys

import numpy as np


def read_idx(path):
    data = gzip.open(path).read() if path.endswith(".gz") else open(path, "rb").read()
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def write_idx(path, array):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    array = np.ascontiguousarray(array, np.uint8)
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    with open(path, "wb") as f:
        f.write(head + array.tobytes())


def table(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def save(out, parts, labels=None):
    """parts: {"A-train": images, ...}; labels: the same names, where classes are known."""
    for name, images in parts.items():
        write_idx(f"{out}/{name}-idx{images.ndim}-ubyte", images)
    for name, values in (labels or {}).items():
        write_idx(f"{out}/labels-{name}-idx1-ubyte", values)
        split = "train" if name.endswith("train") else "t10k"
        write_idx(f"{out}/classes-{name[0]}/{split}-images-idx{parts[name].ndim}-ubyte", parts[name])
        write_idx(f"{out}/classes-{name[0]}/{split}-labels-idx1-ubyte", values)
    for split, to in (("train", "train"), ("test", "t10k")):
        a, b = parts[f"A-{split}"], parts[f"B-{split}"]
        domain = np.repeat([0, 1], [len(a), len(b)])
        write_idx(f"{out}/domains/{to}-images-idx{a.ndim}-ubyte", np.concatenate([a, b]))
        write_idx(f"{out}/domains/{to}-labels-idx1-ubyte", domain)
    print(f"{out}: " + ", ".join(f"{k} {v.shape[0]}" for k, v in parts.items()))


def shoes(source, out):
    """Sneakers (class 7) and ankle boots (class 9) of Fashion-MNIST: no partners."""
    folder = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")
    parts = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        images = read_idx(f"{folder}/{stem}-images-idx3-ubyte.gz")
        labels = read_idx(f"{folder}/{stem}-labels-idx1-ubyte.gz")
        parts[f"A-{split}"], parts[f"B-{split}"] = images[labels == 7], images[labels == 9]
    save(out, parts)


def glyphs(source, out):
    """Upright and italic characters. Every fourth group of families (by first word) that has both at one weight is
    held out; test images i are the same character of the same family and weight."""
    images = read_idx(f"{source}/glyphs32/images-idx4-ubyte.gz")
    fonts = table(f"{source}/glyphs32/fonts.tsv")
    group = [f["family"].split()[0] for f in fonts]
    partner = {}
    for i, f in enumerate(fonts):
        for j, g in enumerate(fonts):
            same = f["family"] == g["family"] and f["weight"] == g["weight"]
            if same and f["italic"] == "0" and g["italic"] == "1" and i not in partner:
                partner[i] = j
    held = set(sorted({group[i] for i in partner})[::4])
    train = [i for i in range(len(fonts)) if group[i] not in held]
    pairs = [(i, j) for i, j in partner.items() if group[i] in held]
    take = lambda rows: images[rows].reshape(-1, 32, 32)
    parts = {
        "A-train": take([i for i in train if fonts[i]["italic"] == "0"]),
        "B-train": take([i for i in train if fonts[i]["italic"] == "1"]),
        "A-test": take([i for i, _ in pairs]),
        "B-test": take([j for _, j in pairs]),
    }
    labels = {k: np.tile(np.arange(62), len(v) // 62) for k, v in parts.items()}
    print("held out:", ", ".join(sorted({fonts[i]["family"] for i, _ in pairs})))
    save(out, parts, labels)


def digits(source, out):
    """Handwritten digits, padded to 32, and printed ones; a quarter of the families is held out."""
    images = read_idx(f"{source}/glyphs32/images-idx4-ubyte.gz")[:, 52:62]
    fonts = table(f"{source}/glyphs32/fonts.tsv")
    group = [f["family"].split()[0] for f in fonts]
    held = set(sorted(set(group))[::4])
    parts, labels = {}, {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        hand = read_idx(f"{source}/digits20/{stem}-images-idx3-ubyte.gz")
        rows = [i for i in range(len(fonts)) if (group[i] in held) == (split == "test")]
        parts[f"A-{split}"] = np.pad(hand, ((0, 0), (6, 6), (6, 6)))
        labels[f"A-{split}"] = read_idx(f"{source}/digits20/{stem}-labels-idx1-ubyte.gz")
        parts[f"B-{split}"] = images[rows].reshape(-1, 32, 32)
        labels[f"B-{split}"] = np.tile(np.arange(10), len(rows))
    save(out, parts, labels)


def wrapped(images, copies, rng):
    """Each texture shifted around its borders, mirrored and turned: ground has no up."""
    result = []
    for image in images:
        for c in range(copies):
            shift = rng.integers(0, image.shape[0], 2) if c else (0, 0)
            turned = np.rot90(np.roll(image, shift, (0, 1)), rng.integers(4) if c else 0)
            result.append(turned[::-1] if c and rng.integers(2) else turned)
    return np.stack(result)


def seasons(source, out):
    """Ground textures; those of every third group of names are held out, the others come in 16 wrapped copies each,
    drawn separately for the two seasons."""
    summer = read_idx(f"{source}/seasons128/summer-rgb-idx4-ubyte.gz")
    winter = read_idx(f"{source}/seasons128/winter-rgb-idx4-ubyte.gz")
    stem = [re.sub(r"[\d_]*\.png$", "", r["file"]).lower() for r in table(f"{source}/seasons128/names.tsv")]
    held = set(sorted(set(stem))[::3])
    test = np.array([s in held for s in stem])
    rng = np.random.default_rng(1)
    parts = {
        "A-train": wrapped(summer[~test], 16, rng),
        "B-train": wrapped(winter[~test], 16, rng),
        "A-test": summer[test],
        "B-test": winter[test],
    }
    save(out, parts)


def emoji(source, out):
    """Line drawing -> colour over white. A tenth of the emoji is held out, with all persons and colours of a name."""
    line = read_idx(f"{source}/openmoji64/line-gray-idx3-ubyte.gz")
    rgba = read_idx(f"{source}/openmoji64/color-rgba-idx4-ubyte.gz").astype(float)
    alpha = rgba[..., 3:] / 255
    colour = np.rint(rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    drop = r"\b(man|men|woman|women|person|people|boy|girl|facing right)\b|:.*|\W"
    name = [re.sub(drop, "", r["name"].lower()) or r["name"] for r in table(f"{source}/openmoji64/names.tsv")]
    names = sorted(set(name))
    held = set(names[i] for i in np.random.default_rng(1).permutation(len(names))[: len(names) // 10])
    test = np.array([n in held for n in name])
    line = np.repeat(line[..., None], 3, -1)
    parts = {"A-train": line[~test], "B-train": colour[~test], "A-test": line[test], "B-test": colour[test]}
    save(out, parts)


def normals(source, out):
    """Texture -> normal map; a fifth of the textures is held out, with those whose names differ in a last letter or
    number only."""
    texture = read_idx(f"{source}/normals64/diffuse-rgb-idx4-ubyte.gz")
    normal = read_idx(f"{source}/normals64/normal-rgb-idx4-ubyte.gz")
    files = [os.path.splitext(r["file"])[0] for r in table(f"{source}/normals64/names.tsv")]
    stem = [re.sub(r"[_\d]*[a-z]?[_\d]*$", "", f) or f for f in files]
    stems = sorted(set(stem))
    held = set(stems[i] for i in np.random.default_rng(1).permutation(len(stems))[: len(stems) // 5])
    test = np.array([s in held for s in stem])
    parts = {"A-train": texture[~test], "B-train": normal[~test], "A-test": texture[test], "B-test": normal[test]}
    save(out, parts)


SETS = collections.OrderedDict(
    shoes=shoes, glyphs=glyphs, digits=digits, seasons=seasons, emoji=emoji, normals=normals
)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for name in sys.argv[3:] or SETS:
        if name not in SETS:
            sys.exit(f"sets.py: no set {name}; one of {' '.join(SETS)}")
        SETS[name](sys.argv[1], f"{sys.argv[2]}/{name}")


if __name__ == "__main__":
    main()
