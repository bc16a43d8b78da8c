#!/usr/bin/env python3
"""What the gan command does not measure of translated images. Needs numpy.

    score.py idx OUT X.npy LABELS ...      images of `gan translate --data SPEC --out X.npy` as a labelled set idx:OUT,
                                           for `gan classify`; LABELS: an IDX file, or one number for all of X;
                                           FILE+K: each label raised by K, modulo the number of classes
    score.py bytes X.npy OUT               the same without labels: an IDX file, to translate back
    score.py sharpness X.npy TARGETS       mean squared difference of neighbouring pixels over that of the targets
    score.py distance X.npy IDX            mean absolute difference of image i to image i, of 255 levels; also that of
                                           the mean image (what a constant answer would reach)
    score.py angle X.npy TARGETS           mean angle between normals, degrees; also that of the flat answer (0, 0, 1);
                                           on_normals: where the target is a vector of length 0.8..1.2 (black is not)
    score.py partner X.npy TARGETS [--source IDX] [--groups LABELS]
                                           is image i nearer to its partner, target i, than to the other targets (of
                                           the same label)? Permutation test; --source: the same for the untranslated
    score.py labels J0 J1 ...              permutation test of true against found classes, from `gan classify --json`
                                           of the set with labels +0, +1, ... up to the number of classes less one
    score.py sheet OUT.png COLUMNS ROW...  rows of images (IDX or npy), every k-th so that COLUMNS cover the set;
                                           of large images the 64 x 64 pixels in the middle

Arrays of gan hold -1..1; IDX holds bytes. The permutation test shuffles which target is whose 9,999 times; p is the
share of shuffles, the true order included, that score as well as the true order.
"""

import json
import struct
import sys
import zlib

import numpy as np

from sets import read_idx, write_idx

SHUFFLES = 9999


def images(path):
    """N x H x W x C in 0..255, from IDX or from an array of gan."""
    x = np.load(path) if path.endswith(".npy") else read_idx(path)
    x = (x.astype(np.float64) + 1) * 127.5 if path.endswith(".npy") else x.astype(np.float64)
    return x[..., None] if x.ndim == 3 else x


def as_bytes(x):
    x = np.clip(np.rint(x), 0, 255).astype(np.uint8)
    return x[..., 0] if x.shape[-1] == 1 else x


def classes(word, n):
    if word.isdigit():
        return np.full(n, int(word))
    path, _, shift = word.partition("+")
    y = read_idx(path).astype(int)
    return (y + int(shift or 0)) % (y.max() + 1)


def to_set(out, *words):
    x = [as_bytes(images(path)) for path in words[::2]]
    y = [classes(w, len(i)) for i, w in zip(x, words[1::2])]
    x, y = np.concatenate(x), np.concatenate(y)
    write_idx(f"{out}/t10k-images-idx{x.ndim}-ubyte", x)
    write_idx(f"{out}/t10k-labels-idx1-ubyte", y)


def to_bytes(path, out):
    write_idx(out, as_bytes(images(path)))


def roughness(x):
    return ((x[:, 1:] - x[:, :-1]) ** 2).mean() + ((x[:, :, 1:] - x[:, :, :-1]) ** 2).mean()


def sharpness(path, targets):
    return {"sharpness": roughness(images(path)) / roughness(images(targets))}


def distance(path, targets):
    x, t = images(path), images(targets)
    return {
        "mean_absolute": np.abs(x - t).mean(),
        "of_mean_image": np.abs(t.mean(0) - t).mean(),
    }


def angle(path, targets):
    def unit(x):
        n = x / 127.5 - 1
        return n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-6)

    def degrees(a, b):
        return np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))

    def whole(a):
        return np.array([i[w].mean() if w.any() else np.nan for i, w in zip(a, valid)])

    length = np.linalg.norm(images(targets) / 127.5 - 1, axis=-1)
    valid = np.abs(length - 1) < 0.2
    n, t = unit(images(path)), unit(images(targets))
    flat, mine = degrees(np.array([0, 0, 1.0]), t), degrees(n, t)
    on_normals = {
        "share_of_pixels": valid.mean(),
        "mean_angle": mine[valid].mean(),
        "flat": flat[valid].mean(),
        "better_than_flat": int((whole(mine) < whole(flat)).sum()),
    }
    flat, mine = flat.mean((1, 2)), mine.mean((1, 2))
    return {
        "on_normals": on_normals,
        "mean_angle": mine.mean(),
        "flat": flat.mean(),
        "better_than_flat": int((mine < flat).sum()),
        "images": len(t),
    }


def ranks(x, t, groups):
    """rank[i, j]: how many targets of j's group are nearer to x_i than t_j, over the other targets of that group."""
    d = ((x**2).sum(1)[:, None] + (t**2).sum(1) - 2 * x @ t.T).round(3)
    result = np.full(d.shape, np.nan)
    for g in np.unique(groups):
        w = np.flatnonzero(groups == g)
        s = d[np.ix_(w, w)]
        less = (s[:, None, :] < s[:, :, None]).sum(2)
        ties = (s[:, None, :] == s[:, :, None]).sum(2) - 1
        result[np.ix_(w, w)] = less + ties / 2
    return result


def retrieval(x, t, groups, rng):
    r = ranks(x.reshape(len(x), -1), t.reshape(len(t), -1), groups)
    i = np.arange(len(x))
    others = np.array([(groups == g).sum() - 1 for g in groups])
    keep = others > 0
    score = lambda order: (r[i, order] / np.maximum(others, 1))[keep].mean()
    true = score(i)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    worse = 1
    for _ in range(SHUFFLES):
        order = i.copy()
        for w in members:
            order[w] = rng.permutation(w)
        worse += score(order) <= true
    return {
        "mean_rank": true,
        "chance_rank": 0.5,
        "first": (r[i, i][keep] < 0.5).mean(),
        "chance_first": (1 / (others[keep] + 1)).mean(),
        "p": worse / (SHUFFLES + 1),
        "images": int(keep.sum()),
    }


def partner(path, targets, *options):
    o = dict(zip(options[::2], options[1::2]))
    x, t = images(path), images(targets)
    groups = read_idx(o["--groups"]) if "--groups" in o else np.zeros(len(x), int)
    result = retrieval(x, t, groups, np.random.default_rng(1))
    result["distance_to_partner"] = np.abs(x - t).mean()
    if "--source" in o:
        s = images(o["--source"])
        result["untranslated"] = retrieval(s, t, groups, np.random.default_rng(1))
        result["untranslated"]["distance_to_partner"] = np.abs(s - t).mean()
    return result


def labels(*paths):
    """Shifted by k, the right answers of class c + k are the images of class c that were found to be c + k."""
    told = [json.load(open(path)) for path in paths]
    k = len(told)
    table = np.array([[told[s]["classes"][(c + s) % k]["right"] for s in range(k)] for c in range(k)])
    table = np.array([[table[c, (f - c) % k] for f in range(k)] for c in range(k)])
    true, found = (np.repeat(a.ravel(), table.ravel()) for a in np.indices(table.shape))
    rng = np.random.default_rng(1)
    hits = (true == found).sum()
    as_well = 1 + sum((rng.permutation(true) == found).sum() >= hits for _ in range(SHUFFLES))
    chance = (table.sum(1) * table.sum(0)).sum() / table.sum() ** 2
    return {
        "accuracy": hits / len(true),
        "chance": chance,
        "p": as_well / (SHUFFLES + 1),
        "images": len(true),
        "found": table.tolist(),
    }


def sheet(out, columns, *rows):
    columns = int(columns)
    strips = []
    for path in rows:
        x = as_bytes(images(path))
        x = np.repeat(x[..., None], 3, -1) if x.ndim == 3 else x
        x = x[np.linspace(0, len(x) - 1, columns).astype(int)]
        top, left = (max(0, (n - 64) // 2) for n in x.shape[1:3])
        x = x[:, top : top + 64, left : left + 64]
        x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
        strips.append(np.concatenate(list(x), 1))
    picture = np.concatenate(strips, 0)
    if (picture == picture[..., :1]).all():
        picture = picture[..., :1]
    h, w, c = picture.shape
    chunk = lambda kind, d: struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d))
    raw = b"".join(b"\0" + line.tobytes() for line in picture)
    head = struct.pack(">IIBBBBB", w, h, 8, 0 if c == 1 else 2, 0, 0, 0)
    with open(out, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def main():
    words = {f.__name__: f for f in (sharpness, distance, angle, partner, labels, sheet)}
    words |= {"idx": to_set, "bytes": to_bytes}
    if len(sys.argv) < 3 or sys.argv[1] not in words:
        sys.exit(__doc__)
    result = words[sys.argv[1]](*sys.argv[2:])
    if result is not None:
        print(json.dumps(result, default=float))


if __name__ == "__main__":
    main()
