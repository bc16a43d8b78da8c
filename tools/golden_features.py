#!/usr/bin/env python3
"""Writes tests/golden/data/features.safetensors: outputs of feature networks of independent
implementations, on weights and images that a formula gives.

    python3 -m venv v && v/bin/pip install torch torchvision pytorch-fid efficientnet-lite-pytorch lpips numpy
    v/bin/python tools/golden_features.py

Number i of tensor NAME is u(i) = (mix(i + fnv1a(NAME)) / 2^32) * 2 - 1 (mix: below, 32-bit
wrap-around), then: weights of rank 2 and 4 u * sqrt(6 / fan_in), fan_in = all but dimension 0; scales
1 + u/10; biases u/10; running means u/10; running variances 1 + u/2. Image bytes are mix(...) >> 24 of
NAME "image", [2,H,W,3]. pytorch-fid's Inception is given (x - 128) / 128 and its class scores are
without bias; torchvision's networks and EfficientNet-Lite0 have ImageNet's normalisation. VGG and
AlexNet have classifiers of 64 hidden units here. All in f64. Of inner layers the mean over H and W of
each channel is stored. LPIPS: PyPI's lpips with such bodies and with heads |u| * sqrt(6 / channels), on two
pairs of 48 x 64: bytes of NAME "image" against those of NAME "fake".
"""
import os

import numpy as np
import torch
import torchvision.models as models
from torch import nn

from golden.common import write_safetensors


def mix(h):
    h = h.astype(np.uint32)
    h ^= h >> np.uint32(16)
    h = h * np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h = h * np.uint32(0x846CA68B)
    return h ^ (h >> np.uint32(16))


def fnv(name):
    h = 2166136261
    for c in name.encode():
        h = (h ^ c) * 16777619 % 2 ** 32
    return h


def numbers(name, count):
    return mix((np.arange(count, dtype=np.uint64) + fnv(name)) % 2 ** 32)


def unit(name, count):
    return numbers(name, count).astype(np.float64) / 2 ** 32 * 2 - 1


def fill(model):
    state = model.state_dict()
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        u = unit(name, value.numel()).reshape(tuple(value.shape))
        if value.dim() > 1:
            u = u * np.sqrt(6 / value[0].numel())
        elif name.endswith("running_var"):
            u = 1 + u / 2
        elif name.endswith("weight"):
            u = 1 + u / 10
        else:
            u = u / 10
        state[name] = torch.from_numpy(u.astype(np.float32).astype(np.float64))
    model = model.double().eval()
    model.load_state_dict(state)
    return model


def image(side):
    bytes_ = (numbers("image", 2 * side * side * 3) >> np.uint32(24)).astype(np.float64)
    return torch.from_numpy(bytes_.reshape(2, side, side, 3)).permute(0, 3, 1, 2)


def photo(x):
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)[None, :, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)[None, :, None, None]
    return (x / 255 - mean) / deviation


def inception(out):
    from pytorch_fid.inception import (FIDInceptionA, FIDInceptionC, FIDInceptionE_1,
                                       FIDInceptionE_2, _inception_v3)
    net = _inception_v3(num_classes=1008, aux_logits=False, weights=None)
    net.Mixed_5b = FIDInceptionA(192, pool_features=32)
    net.Mixed_5c = FIDInceptionA(256, pool_features=64)
    net.Mixed_5d = FIDInceptionA(288, pool_features=64)
    net.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
    net.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
    net.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
    net.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
    net.Mixed_7b = FIDInceptionE_1(1280)
    net.Mixed_7c = FIDInceptionE_2(2048)
    net = fill(net)
    net.transform_input = False
    store = {}
    net.avgpool.register_forward_hook(lambda m, a, y: store.update(pool=y.flatten(1)))
    net((image(299) - 128) / 128)
    out["inception.features"] = store["pool"].numpy()
    out["inception.logits"] = (store["pool"] @ net.fc.weight.T).detach().numpy()


def narrow(net, inputs):
    """A classifier of 64 hidden units."""
    at = [i for i, m in enumerate(net.classifier) if isinstance(m, nn.Linear)]
    for i, (a, b) in zip(at, [(inputs, 64), (64, 64), (64, 1000)]):
        net.classifier[i] = nn.Linear(a, b)
    return at


def layered(out, name, net, inputs, layers, side):
    at = narrow(net, inputs)
    net = fill(net)
    x = photo(image(side))
    h = x
    for i, layer in enumerate(net.features):
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
        h = layer(h)
        if i in layers:
            out[f"{name}.layer{layers.index(i)}"] = h.mean((2, 3)).numpy()
    h = net.avgpool(h).flatten(1)
    for i, layer in enumerate(net.classifier):
        h = layer(h)
        if i == at[1]:
            out[f"{name}.features"] = torch.relu(h).numpy()
    out[f"{name}.logits"] = h.numpy()


def mobilenet(out):
    net = fill(models.mobilenet_v2(weights=None))
    x = net.features(photo(image(224)))
    pooled = x.mean((2, 3))
    out["mobilenet-v2.features"] = pooled.numpy()
    out["mobilenet-v2.logits"] = net.classifier(pooled).numpy()


def lite(out):
    from efficientnet_lite_pytorch import EfficientNet
    net = EfficientNet.from_name("efficientnet-lite0")
    net = fill(net)
    x = net.extract_features(photo(image(224)))
    pooled = x.mean((2, 3))
    out["efficientnet-lite0.features"] = pooled.numpy()
    out["efficientnet-lite0.logits"] = net._fc(pooled).numpy()


def perceptual(out, name, net):
    import lpips
    whole = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False).double().eval()
    for path, value in whole.named_parameters():
        head = path.startswith("lin")
        if path.startswith("lins") or path.startswith("scaling"):
            continue
        tensor = path if head else "features." + ".".join(path.split(".")[2:])
        u = unit(tensor, value.numel()).reshape(tuple(value.shape))
        u = u * np.sqrt(6 / value[0].numel()) if value.dim() > 1 else u / 10
        value.copy_(torch.from_numpy((np.abs(u) if head else u).astype(np.float32).astype(np.float64)))
    pair = [(numbers(part, 2 * 48 * 64 * 3) >> np.uint32(24)).astype(np.float64).reshape(2, 48, 64, 3)
            for part in ("image", "fake")]
    x, y = (torch.from_numpy(p).permute(0, 3, 1, 2) / 127.5 - 1 for p in pair)
    out[name + ".pairs"] = whole(x, y).flatten().numpy()


def main():
    out = {}
    with torch.no_grad():
        inception(out)
        layered(out, "vgg16", models.vgg16(weights=None), 25088, [3, 8, 15, 22, 29], 64)
        layered(out, "vgg19", models.vgg19(weights=None), 25088, [3, 8, 17, 26, 35], 64)
        layered(out, "alexnet", models.alexnet(weights=None), 9216, [1, 4, 7, 9, 11], 224)
        mobilenet(out)
        lite(out)
        perceptual(out, "lpips-alex", "alex")
        perceptual(out, "lpips-vgg", "vgg")
    out = {name: value.astype(np.float32) for name, value in out.items()}
    path = os.path.join(os.path.dirname(__file__), "../tests/golden/data/features.safetensors")
    write_safetensors(path, out, {"made_by": "tools/golden_features.py, torch " + torch.__version__})
    for name, value in sorted(out.items()):
        print(name, value.shape, float(np.abs(value).mean()))
    print(os.path.getsize(path), "bytes")


main()
