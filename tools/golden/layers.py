"""One forward and backward of each layer."""

import numpy as np
import torch
import torch.nn.functional as F

from .common import Golden, nhwc, normal


class Layers:
    def __init__(self, seed):
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.golden = Golden(dict(torch=torch.__version__, loss="sum(y*r)"))

    def case(self, name, text, fn, x, params=None, image_in=False, image_out=None, second=False):
        """x is NCHW where image_in; fn(x, params) -> y. second: the derivative of sum(dx^2) too."""
        image_out = image_in if image_out is None else image_out
        params, put = params or {}, self.golden.put
        for p in params.values():
            p.requires_grad_()
        if x.is_floating_point():
            x = x.clone().requires_grad_()
        y = fn(x, params)
        r = normal(self.rng, *y.shape)
        if second:
            slope, = torch.autograd.grad((y * r).sum(), x, create_graph=True)
            ddx, = torch.autograd.grad((slope ** 2).sum(), x, retain_graph=True)
            put(f"{name}/ddx", nhwc(ddx) if image_in else ddx)
        (y * r).sum().backward()
        put(f"{name}/x", nhwc(x) if image_in else x)
        for key, value in dict(y=y, r=r).items():
            put(f"{name}/{key}", nhwc(value) if image_out else value)
        if x.is_floating_point():
            put(f"{name}/dx", nhwc(x.grad) if image_in else x.grad)
        for key, p in params.items():
            put(f"{name}/{key}", p)
            put(f"{name}/d{key}", p.grad)
        self.golden.metadata[name] = text

    def weights(self, *shape):
        return dict(weight=normal(self.rng, *shape, std=0.5))

    def weights_bias(self, units, *shape):
        return dict(self.weights(*shape), bias=normal(self.rng, units))

    def affine(self, c):
        return dict(weight=1 + normal(self.rng, c, std=0.3), bias=normal(self.rng, c))


def add_convolutions(s):
    rng = s.rng
    s.case("linear", "in=4 out=5", lambda x, p: F.linear(x, p["weight"], p["bias"]), normal(rng, 3, 4),
           s.weights_bias(5, 5, 4))
    s.case("conv2d_groups", "kernel=3,3 stride=2,2 padding=1,1 dilation=1,1 groups=2",
           lambda x, p: F.conv2d(x, p["weight"], p["bias"], (2, 2), (1, 1), (1, 1), 2),
           normal(rng, 2, 4, 5, 6), s.weights_bias(6, 6, 2, 3, 3), True)
    s.case("conv2d_dilation", "kernel=3,3 stride=2,1 padding=2,1 dilation=2,2 groups=1",
           lambda x, p: F.conv2d(x, p["weight"], p["bias"], (2, 1), (2, 1), (2, 2), 1),
           normal(rng, 2, 3, 6, 7), s.weights_bias(4, 4, 3, 3, 3), True)
    s.case("conv_transpose2d", "kernel=4,4 stride=2,2 padding=1,1 output_padding=0,0 groups=1",
           lambda x, p: F.conv_transpose2d(x, p["weight"], p["bias"], 2, 1),
           normal(rng, 2, 3, 3, 2), s.weights_bias(4, 3, 4, 4, 4), True)
    s.case("conv_transpose2d_output_padding",
           "kernel=3,3 stride=2,2 padding=1,1 output_padding=1,1 groups=1",
           lambda x, p: F.conv_transpose2d(x, p["weight"], p["bias"], 2, 1, 1),
           normal(rng, 2, 4, 3, 4), s.weights_bias(3, 4, 3, 3, 3), True)
    s.case("maxout", "units=3 pieces=4: unit u is the largest of linear outputs u, u+3, u+6, u+9",
           lambda x, p: F.linear(x, p["weight"], p["bias"]).view(-1, 4, 3).amax(1), normal(rng, 5, 6),
           s.weights_bias(12, 12, 6))


def add_norms(s):
    rng, shape, c = s.rng, (3, 4, 2, 5), 4
    shift = torch.arange(1.0, c + 1).view(1, c, 1, 1)

    def x():
        return normal(rng, *shape) * shift + shift - 2

    for mode in ("train", "eval"):
        mean = normal(rng, c)
        var = torch.from_numpy(rng.uniform(0.5, 2, c))
        name = f"batch_norm_{mode}"
        s.golden.put(f"{name}/running_mean", mean.clone())
        s.golden.put(f"{name}/running_var", var.clone())
        s.case(name, f"mode={mode} eps=1e-5 momentum=0.1: running_* before, running_*_after after the call",
               lambda x, p: F.batch_norm(x, mean, var, p["weight"], p["bias"], mode == "train", 0.1, 1e-5),
               x(), s.affine(c), True)
        s.golden.put(f"{name}/running_mean_after", mean)
        s.golden.put(f"{name}/running_var_after", var)
    s.case("instance_norm", "eps=1e-5 affine",
           lambda x, p: F.instance_norm(x, None, None, p["weight"], p["bias"], True, 0.1, 1e-5), x(),
           s.affine(c), True)
    s.case("layer_norm", "eps=1e-5 over C,H,W, affine per channel",
           lambda x, p: F.group_norm(x, 1, p["weight"], p["bias"], 1e-5), x(), s.affine(c), True)
    s.case("group_norm", "eps=1e-5 groups=2, affine per channel",
           lambda x, p: F.group_norm(x, 2, p["weight"], p["bias"], 1e-5), x(), s.affine(c), True)


def add_rows(s):
    rng = s.rng
    s.case("embedding", "rows=5 width=3, index 3 twice", lambda x, p: F.embedding(x, p["weight"]),
           torch.tensor([3, 0, 4, 3]), s.weights(5, 3))
    rows = (2, 3, 4)
    s.case("softmax", "last axis", lambda x, p: F.softmax(x, -1), normal(rng, *rows, std=2))
    s.case("log_softmax", "last axis", lambda x, p: F.log_softmax(x, -1), normal(rng, *rows, std=2))
    s.case("logsumexp", "last axis, axis dropped", lambda x, p: torch.logsumexp(x, -1),
           normal(rng, *rows, std=2))
    target = torch.tensor([2, 0, 3, 1, 2])
    s.golden.put("cross_entropy/target", target)
    s.case("cross_entropy", "logits x, classes target, mean over the batch",
           lambda x, p: F.cross_entropy(x, target), normal(rng, 5, 4, std=2))
    for name, fn in (("elu", F.elu), ("softplus", F.softplus), ("erf", torch.erf)):
        s.case(name, "elementwise", lambda x, p: fn(x), normal(rng, 3, 7, std=2))


def add_resampling(s):
    rng, odd = s.rng, "kernel=2 stride=2, last row and column unused"

    def bilinear(x, **size):
        return F.interpolate(x, mode="bilinear", align_corners=False, **size)

    for name, text, fn, h, w in (
            ("avg_pool", "kernel=2 stride=2", lambda x, p: F.avg_pool2d(x, 2), 4, 6),
            ("max_pool", "kernel=2 stride=2", lambda x, p: F.max_pool2d(x, 2), 4, 6),
            ("avg_pool_odd", odd, lambda x, p: F.avg_pool2d(x, 2), 5, 7),
            ("max_pool_odd", odd, lambda x, p: F.max_pool2d(x, 2), 5, 7),
            ("nearest", "scale=2", lambda x, p: F.interpolate(x, scale_factor=2, mode="nearest"), 3, 2),
            ("bilinear", "scale=2 align_corners=0", lambda x, p: bilinear(x, scale_factor=2), 3, 4),
            ("bilinear_odd", "size=5,7 align_corners=0", lambda x, p: bilinear(x, size=(5, 7)), 3, 4),
            ("bilinear_down", "size=3,4 align_corners=0", lambda x, p: bilinear(x, size=(3, 4)), 5, 7)):
        s.case(name, text, fn, normal(rng, 2, 3, h, w), image_in=True)


def class_norm(label, mean, var):
    """Batch norm with a row of scales and offsets for each class."""
    def fn(x, p):
        space = (-1, x.shape[1]) + (1,) * (x.dim() - 2)
        hat = F.batch_norm(x, mean, var, None, None, True, 0.1, 1e-5)
        return hat * p["weight"][label].view(space) + p["bias"][label].view(space)
    return fn


def virtual_norm(rows):
    """As openai/improved-gan: means and mean squares of the reference, mixed with each sample's own."""
    def hat(x, mean, square):
        return (x - mean) / torch.sqrt(square - mean ** 2 + 1e-5)

    def fn(x, p):
        first, rest, own = x[:rows], x[rows:], 1 / (rows + 1)
        mean, square = first.mean((0, 2, 3), True), (first ** 2).mean((0, 2, 3), True)
        mean_i, square_i = rest.mean((2, 3), True), (rest ** 2).mean((2, 3), True)
        mixed = hat(rest, (1 - own) * mean + own * mean_i, (1 - own) * square + own * square_i)
        y = torch.cat([hat(first, mean, square), mixed])
        return y * p["weight"].view(1, -1, 1, 1) + p["bias"].view(1, -1, 1, 1)
    return fn


def deviation(x, p):
    group = min(4, len(x))
    y = x.view(group, -1, *x.shape[1:])
    sigma = torch.sqrt(y.var(0, unbiased=False) + 1e-8).flatten(1).mean(1)
    return torch.cat([x, sigma.repeat(group).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], 1)


def discrimination(kernels, dim):
    def fn(x, p):
        w = p["weight"] / p["weight"].norm(dim=1, keepdim=True) * torch.exp(p["log_scale"]).view(-1, 1)
        m = (x @ w.T).view(len(x), kernels, dim)
        distance = (m[:, None] - m[None]).abs().sum(3) + 1e6 * torch.eye(len(x)).unsqueeze(2)
        return torch.cat([x, torch.exp(-distance).sum(1) + p["bias"]], 1)
    return fn


def add_batch_layers(s):
    rng, c = s.rng, 4
    label = torch.tensor([2, 0, 2])
    mean, var = normal(rng, c), torch.from_numpy(rng.uniform(0.5, 2, c))
    name = "conditional_batch_norm"
    s.golden.put(f"{name}/label", label)
    s.golden.put(f"{name}/running_mean", mean.clone())
    s.golden.put(f"{name}/running_var", var.clone())
    tables = dict(weight=1 + normal(rng, 3, c, std=0.3), bias=normal(rng, 3, c))
    s.case(name, "3 classes, mode=train eps=1e-5 momentum=0.1", class_norm(label, mean, var),
           normal(rng, 3, c, 2, 5), tables, True, second=True)
    s.golden.put(f"{name}/running_mean_after", mean)
    s.golden.put(f"{name}/running_var_after", var)
    s.case("virtual_batch_norm", "reference = first 2 of 5 rows, eps=1e-5", virtual_norm(2),
           normal(rng, 5, 3, 2, 3) + 1, s.affine(3), True, second=True)
    s.case("minibatch_stddev", "groups of 4: samples m and m+2", deviation, normal(rng, 8, 3, 2, 1),
           image_in=True, second=True)
    s.case("minibatch_discrimination", "kernels=3 dim=2", discrimination(3, 2), normal(rng, 5, 4),
           dict(weight=normal(rng, 6, 4), log_scale=normal(rng, 6, std=0.3), bias=normal(rng, 3)),
           second=True)


def make_layers(seed):
    s = Layers(seed)
    for add in (add_convolutions, add_norms, add_rows, add_resampling, add_batch_layers):
        add(s)
    return s.golden
