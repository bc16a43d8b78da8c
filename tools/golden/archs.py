"""What PyTorch computes for libgan's architectures in float64.

The networks are written out below from the papers and their code. Weights and inputs are not stored:
both sides fill them with the same hash of (name, index), common.uniform. All scores are kept; of images and features
every 11th number when there are more than 200.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .common import Golden, uniform

N, STRIDE = 4, 11


class Net:
    """One application; parameters appear when asked for."""

    def __init__(self, prefix, label=None):
        self.prefix, self.label = prefix, label

    def param(self, name, *shape, scale=False):
        u = uniform(f"{self.prefix}.{name}", int(np.prod(shape)))
        if scale:
            u = 1 + 0.5 * u
        elif len(shape) > 1:
            u = u * 2 / np.sqrt(np.prod(shape[1:]))
        else:
            u = 0.2 * u
        return torch.from_numpy(u.reshape(shape))

    def bias(self, name, n, bias):
        return self.param(f"{name}.bias", n) if bias else None

    def linear(self, name, x, out, bias=True):
        return F.linear(x, self.param(f"{name}.weight", out, x.shape[1]), self.bias(name, out, bias))

    def conv(self, name, x, out, k, stride=1, pad=None, bias=True, groups=1, same=False):
        if same:  # TensorFlow's SAME of an even extent and stride 2: less before than after
            total = k - stride
            x, pad = F.pad(x, (total // 2, total - total // 2) * 2), 0
        pad = k // 2 if pad is None else pad
        w = self.param(f"{name}.weight", out, x.shape[1] // groups, k, k)
        return F.conv2d(x, w, self.bias(name, out, bias), stride, pad, 1, groups)

    def deconv(self, name, x, out, k, pad=None):
        """Doubles the size; pad None is SAME."""
        w = self.param(f"{name}.weight", x.shape[1], out, k, k)
        if pad is not None:
            return F.conv_transpose2d(x, w, self.bias(name, out, True), 2, pad)
        full, first, size = F.conv_transpose2d(x, w, None, 2), (k - 2) // 2, 2 * x.shape[2]
        cut = full[:, :, first:first + size, first:first + size]
        return cut + self.param(f"{name}.bias", out).view(1, -1, 1, 1)

    def batch_norm(self, name, x):
        c, space = x.shape[1], (-1, x.shape[1]) + (1,) * (x.dim() - 2)
        y = F.batch_norm(x, None, None, None, None, True, 0.1, 1e-5)
        if self.label is None:
            return y * self.param(f"{name}.weight", c, scale=True).view(space) + self.param(f"{name}.bias", c).view(space)
        scale = self.param(f"{name}.weight", 3, c, scale=True)[self.label]
        return y * scale.view(space) + self.param(f"{name}.bias", 3, c)[self.label].view(space)

    def maxout(self, name, x, units):
        return self.linear(name, x, 5 * units).view(len(x), 5, units).amax(1)


def some(x):
    x = x.reshape(-1)
    return x[::STRIDE] if len(x) > 200 else x


def lrelu(x):
    return F.leaky_relu(x, 0.2)


def pack(x, m):
    """[N,H,W,C] -> [N/m,mC,H,W]"""
    n, h, w, c = x.shape
    return x.view(n // m, m, h, w, c).permute(0, 1, 4, 2, 3).reshape(n // m, m * c, h, w)


# -- networks: gen(net, z, w, size, channels), disc(net, x, w) -> features, head ------------------------

def dcgan32_gen(n, z, w, s, c):
    x = n.batch_norm("conv_blocks.0", n.linear("l1.0", z, 128 * w).view(N, 2 * w, 8, 8))
    x = lrelu(n.batch_norm("conv_blocks.3", n.conv("conv_blocks.2", F.interpolate(x, scale_factor=2), 2 * w, 3)))
    x = lrelu(n.batch_norm("conv_blocks.7", n.conv("conv_blocks.6", F.interpolate(x, scale_factor=2), w, 3)))
    return torch.tanh(n.conv("conv_blocks.9", x, c, 3))


def dcgan32_disc(n, x, w):
    x = lrelu(n.conv("model.0", x, w // 4, 3, 2))
    for at, wide in ((3, w // 2), (7, w), (11, 2 * w)):
        x = n.batch_norm(f"model.{at + 3}", lrelu(n.conv(f"model.{at}", x, wide, 3, 2)))
    return x, "adv_layer.0"


def sngan_gen(n, z, w, s, c):
    x = n.linear("dense", z, 8 * w * (s // 8) ** 2).view(N, 8 * w, s // 8, s // 8)
    for i in (1, 2, 3):
        x = F.relu(n.batch_norm(f"norm{i}", n.deconv(f"deconv{i}", x, 8 * w >> i, 4, 1)))
    return torch.tanh(n.conv("output", x, c, 3))


def sngan_disc(n, x, w):
    for i, wide in enumerate((w, w, 2 * w, 2 * w, 4 * w, 4 * w, 8 * w)):
        x = lrelu(n.conv(f"conv{i + 1}", x, wide, 3 + i % 2, 1 + i % 2, 1))
    return x, "output"


def fgan_gen(n, z, w, s, c):
    x = F.relu(n.batch_norm("norm1", n.linear("fc1", z, 5 * w)))
    x = F.relu(n.batch_norm("norm2", n.linear("fc2", x, 5 * w)))
    return torch.sigmoid(n.linear("output", x, s * s * c)).view(N, c, s, s)


def fgan_disc(n, x, w):
    return F.elu(n.linear("fc2", F.elu(n.linear("fc1", x.flatten(1), w)), w)), "output"


def pacgan_gen(n, z, w, s, c):
    for i in (1, 2, 3, 4):
        z = F.relu(n.batch_norm(f"norm{i}", n.linear(f"fc{i}", z, w)))
    return n.linear("output", z, c * s * s).view(N, c, s, s)


def pacgan_disc(n, x, w):
    x = x.flatten(1)
    for i in (1, 2, 3):
        x = n.maxout(f"maxout{i}", x, w // 2)
    return x, "output"


def wgan_mlp_gen(n, z, w, s, c):
    for i in (0, 2, 4):
        z = F.relu(n.linear(f"main.{i}", z, w))
    return n.linear("main.6", z, c * s * s).view(N, c, s, s)


def wgan_mlp_disc(n, x, w):
    x = x.flatten(1)
    for i in (0, 2, 4):
        x = F.relu(n.linear(f"main.{i}", x, w))
    return x, "main.6"


def gan2014_gen(n, z, w, s, c):
    x = F.relu(n.linear("h1", F.relu(n.linear("h0", z, 5 * w)), 5 * w))
    return torch.sigmoid(n.linear("y", x, s * s * c)).view(N, c, s, s)


def gan2014_disc(n, x, w):
    return n.maxout("h1", n.maxout("h0", x.flatten(1), w), w), "y"


def gate(x):
    return torch.sigmoid(x[:, ::2]) * torch.tanh(x[:, 1::2])


def robust_gen(act, parts=1, norm=True, constant=False):
    def gen(n, z, w, s, c):
        wide = w if constant else w * s // 8

        def layer(i, x):
            return act(n.batch_norm(f"norm{i}", x) if norm else x)

        x = layer(1, n.linear("input", z, 16 * wide * parts).view(N, wide * parts, 4, 4))
        i = 2
        while 2 * x.shape[2] < s:
            wide = wide if constant else wide // 2
            x, i = layer(i, n.deconv(f"deconv{i}", x, wide * parts, 5)), i + 1
        return torch.tanh(n.deconv("output", x, c, 5))
    return gen


def robust_disc(act, parts=1, norm=True):
    def disc(n, x, w):
        i, wide = 1, w * parts
        while x.shape[2] > 4:
            x = n.conv(f"conv{i}", x, wide, 5, 2, same=True)
            x = act(n.batch_norm(f"norm{i}", x) if norm and i > 1 else x)
            i, wide = i + 1, 2 * wide
        return x, "output"
    return disc


def robust_mlp_gen(n, z, w, s, c):
    for i in (1, 2, 3, 4):
        z = F.relu(n.linear(f"fc{i}", z, 8 * w))
    return torch.tanh(n.linear("output", z, s * s * c)).view(N, c, s, s)


def bottleneck(n, name, x, out, way):
    y = n.conv(f"{name}.conv1", F.relu(x), x.shape[1] // 2, 1)
    if way == "up":
        y = n.deconv(f"{name}.conv2", F.relu(y), out // 2, 3)
        wide = n.conv(f"{name}.shortcut", x, 4 * out, 1)  # channel (2i+j)C + c is row i, column j
        b, _, h, w = wide.shape
        short = wide.view(b, 2, 2, out, h, w).permute(0, 3, 4, 1, 5, 2).reshape(b, out, 2 * h, 2 * w)
    elif way == "down":
        y = n.conv(f"{name}.conv2", F.relu(y), out // 2, 3, 2, same=True)
        short = n.conv(f"{name}.shortcut", x, out, 1, 2)
    else:
        y, short = n.conv(f"{name}.conv2", F.relu(y), out // 2, 3), x
    y = n.batch_norm(f"{name}.norm", n.conv(f"{name}.conv3", F.relu(y), out, 1, bias=False))
    return short + 0.3 * y


BLOCKS = (8, 8, 7, 7)  # at 4, 8, 16, 32 pixels


def resnet101_gen(n, z, w, s, c):
    widths = (4 * w, 2 * w, w, w // 2)
    x = n.linear("input", z, 16 * widths[0]).view(N, widths[0], 4, 4)
    for i, (blocks, wide) in enumerate(zip(BLOCKS, widths)):
        if i > 0:
            x = bottleneck(n, f"up{i}", x, wide, "up")
        for k in range(blocks):
            x = bottleneck(n, f"level{i + 1}.block{k + 1}", x, wide, "same")
    return torch.tanh(n.conv("output", x, c, 1) / 5)


def resnet101_disc(n, x, w):
    widths = (4 * w, 2 * w, w, w // 2)
    x = n.conv("input", x, widths[3], 1)
    for i in (3, 2, 1, 0):
        if i < 3:
            x = bottleneck(n, f"down{3 - i}", x, widths[i], "down")
        for k in range(BLOCKS[i]):
            x = bottleneck(n, f"level{i + 1}.block{k + 1}", x, widths[i], "same")
    return x, "output"


def r3gan_block(n, name, x, groups):
    c = x.shape[1]
    y = lrelu(n.conv(f"{name}.conv1", x, 2 * c, 1))
    y = lrelu(n.conv(f"{name}.conv2", y, 2 * c, 3, groups=groups))
    return x + n.conv(f"{name}.conv3", y, c, 1, bias=False)


def r3gan_filter(c, gain):
    row = torch.tensor(np.convolve([1, 2, 1], [1, 1]), dtype=torch.float64)
    return (gain * torch.outer(row, row) / row.sum() ** 2).expand(c, 1, 4, 4)


def r3gan_gen(n, z, w, s, c):
    x = n.param("basis.maps", w, 4, 4) * n.linear("basis", z, w, False).view(N, w, 1, 1)
    stage = 1
    while True:
        for k in (1, 2):
            x = r3gan_block(n, f"stage{stage}.block{k}", x, w // 8)
        if x.shape[2] == s:
            return n.conv("output", x, c, 1, bias=False)
        x = F.conv_transpose2d(x, r3gan_filter(w, 4), None, 2, 1, 0, w)
        stage += 1


def r3gan_disc(n, x, w):
    x = n.conv("input", x, w, 1, bias=False)
    stage = 1
    while True:
        for k in (1, 2):
            x = r3gan_block(n, f"stage{stage}.block{k}", x, w // 8)
        if x.shape[2] == 4:
            return n.conv("basis", x, w, 4, pad=0, bias=False, groups=w).flatten(1), "output"
        x = F.conv2d(x, r3gan_filter(w, 1), None, 2, 1, 1, w)
        stage += 1


# -- cases ------------------------------------------------------------------------------------------------

CASES = {  # name: (arch, gen, disc, width, size, channels, options)
    "dcgan32": (dcgan32_gen, dcgan32_disc, 8, 32, 1, {}),
    "sngan-cnn": (sngan_gen, sngan_disc, 2, 32, 3, {}),
    "fgan-mnist": (fgan_gen, fgan_disc, 6, 5, 2, {}),
    "gan2014": (gan2014_gen, gan2014_disc, 6, 5, 2, {}),
    "wgan-mlp": (wgan_mlp_gen, wgan_mlp_disc, 9, 5, 2, {}),
    "pacgan": (pacgan_gen, pacgan_disc, 8, 1, 2, dict(pack=2)),
    "robust-baseline": (robust_gen(F.relu), robust_disc(lrelu), 2, 32, 3, {}),
    "robust-constant": (robust_gen(F.relu, norm=False, constant=True), robust_disc(lrelu), 3, 32, 1, {}),
    "robust-mlp": (robust_mlp_gen, robust_disc(lrelu), 2, 32, 1, {}),
    "robust-nonorm": (robust_gen(F.relu, norm=False), robust_disc(lrelu, norm=False), 2, 64, 1, {}),
    "robust-gated": (robust_gen(gate, 2), robust_disc(gate, 2), 2, 32, 1, {}),
    "robust-tanh": (robust_gen(torch.tanh), robust_disc(torch.tanh), 2, 32, 1, {}),
    "robust-resnet101": (resnet101_gen, resnet101_disc, 4, 32, 1, dict(divisor=5)),
    "r3gan": (r3gan_gen, r3gan_disc, 16, 16, 3, dict(bias=False)),
    "robust-baseline/cond": (robust_gen(F.relu), robust_disc(lrelu), 2, 32, 1, dict(cond=True, outputs=2)),
    "robust-baseline/pack": (robust_gen(F.relu), robust_disc(lrelu), 2, 32, 2, dict(pack=2, stddev=True)),
}


def run(gen, disc, w, s, c, o):
    label = torch.tensor([2, 0, 1, 2]) if o.get("cond") else None
    z = torch.from_numpy(uniform("z", N * 6).reshape(N, 6))
    x = torch.from_numpy(uniform("x", N * s * s * c).reshape(N, s, s, c))
    y = some(gen(Net("gen", label), z, w, s, c).permute(0, 2, 3, 1))
    net = Net("disc")
    features, name = disc(net, pack(x, o.get("pack", 1)), w)
    phi = features.flatten(1)
    if o.get("stddev"):
        group = min(4, len(features))
        sigma = features.view(group, -1, *features.shape[1:]).var(0, unbiased=False).add(1e-8).sqrt()
        sigma = sigma.flatten(1).mean(1).repeat(group).view(-1, 1, 1, 1).expand(-1, 1, *features.shape[2:])
        features = torch.cat([features, sigma], 1)
    score = net.linear(name, features.flatten(1), o.get("outputs", 1), o.get("bias", True))
    if label is not None:
        e = net.param("embed.weight", 3, score.shape[1] * phi.shape[1])[label]
        score = score + (e.view(len(phi), -1, phi.shape[1]) * phi.unsqueeze(1)).sum(2)
    return y, score / o.get("divisor", 1), some(phi)


def make_archs():
    golden = Golden(dict(torch=torch.__version__, batch=N, z=6, stride=STRIDE, classes=3,
                         fill="u = hash in [-1,1): scales 1 + u/2, matrices 2u/sqrt(fan_in), vectors u/5"))
    for name, case in CASES.items():
        for key, value in zip(("images", "scores", "features"), run(*case)):
            golden.put(f"{name}/{key}", value)
    return golden
