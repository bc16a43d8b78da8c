#!/usr/bin/env python3
"""Writes tests/golden/data/resize.safetensors: images resized by Pillow, and by TensorFlow 1's rule.

    python3 -m venv v && v/bin/pip install torch pillow numpy && v/bin/python tools/golden_resize.py

The input is 23 x 31 x 3, u8: noise over a ramp, so that filters overshoot at both ends. For each filter
and size "FILTER.HxW" holds Pillow's bytes and "FILTER.HxW.f32" the floats of its mode F. "tf1.HxW" is
the rule of tf.image.resize_bilinear with align_corners=False as its documentation and the metrics that
copy it state it, evaluated by NumPy in f64: y = i * height / out, corners floor(y) and its neighbour.
"""
import os

import numpy as np
import PIL
from PIL import Image
from golden.common import TYPES, write_safetensors

FILTERS = {"box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC,
           "lanczos": Image.LANCZOS}
FLOATS = [(8, 8), (23, 12), (40, 17)]
SIZES = [(8, 8), (23, 12), (9, 31), (46, 62), (40, 17), (1, 1)]


def tf1(image, height, width):
    def corners(out, size):
        at = np.arange(out) * (np.float64(size) / out)
        low = np.floor(at).astype(int)
        return low, np.minimum(low + 1, size - 1), at - low
    y0, y1, v = corners(height, image.shape[0])
    x0, x1, u = corners(width, image.shape[1])
    x = image.astype(np.float64)
    u, v = u[None, :, None], v[:, None, None]
    top = x[y0][:, x0] * (1 - u) + x[y0][:, x1] * u
    bottom = x[y1][:, x0] * (1 - u) + x[y1][:, x1] * u
    return top * (1 - v) + bottom * v


def main():
    random = np.random.default_rng(5)
    ramp = np.linspace(0, 255, 31)[None, :, None] + np.zeros((23, 31, 3))
    noise = random.integers(-200, 200, (23, 31, 3))
    image = np.clip(ramp + noise, 0, 255).astype(np.uint8)
    out = {"image": image}
    for name, code in FILTERS.items():
        for height, width in SIZES:
            key = f"{name}.{height}x{width}"
            out[key] = np.array(Image.fromarray(image).resize((width, height), code))
            if (height, width) not in FLOATS:
                continue
            planes = [np.array(Image.fromarray(image[:, :, k].astype(np.float32), mode="F")
                               .resize((width, height), code)) for k in range(3)]
            out[key + ".f32"] = np.ascontiguousarray(np.stack(planes, 2))
    for height, width in SIZES:
        out[f"tf1.{height}x{width}"] = tf1(image, height, width).astype(np.float32)
    path = os.path.join(os.path.dirname(__file__), "../tests/golden/data/resize.safetensors")
    TYPES.setdefault("uint8", "U8")
    TYPES.setdefault("float32", "F32")
    write_safetensors(path, out, {"made_by": f"tools/golden_resize.py, Pillow {PIL.__version__}"})
    print(path, os.path.getsize(path), "bytes")


main()
