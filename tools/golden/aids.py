"""Traces of what steadies a training: lazy penalties, packing, play; augmentations."""

import math
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .common import (
    Golden, ITERATIONS, bce, grad_norm, images, initialise, minimise, nchw, nhwc, normal)

# -- lazy: regularisers in every k-th iteration, packed samples, smoothed labels -------------------------

def off_diagonal(network):
    total = 0
    for p in network.parameters():
        if p.dim() >= 2:
            w = p.flatten(1)
            total = total + ((w @ w.t() * (1 - torch.eye(len(w)))) ** 2).sum()
    return total


class History:
    """Salimans et al. 2016, section 3.3: squared distance to the mean of all values so far."""

    def __init__(self):
        self.values = []

    def penalty(self, network):
        self.values.append([p.detach().clone() for p in network.parameters()])
        means = [torch.stack(ps).mean(0) for ps in zip(*self.values)]
        return sum(((p - m) ** 2).sum() for p, m in zip(network.parameters(), means))


def make_lazy(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c, z, width, pack, r1_every, path_every = 6, 3, 2, 2, 4, 5, 2, 3, 4
    size, rows = c * h * w, 3
    gamma, path_weight, ortho, history_weight, label, lr = 1.0, 2.0, 1e-2, 1e-2, 0.9, 5e-3
    def mlp(a, b):
        return nn.Sequential(OrderedDict(main=nn.Sequential(
            nn.Linear(a, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width),
            nn.ReLU(), nn.Linear(width, b))))
    gen, disc = mlp(z, size), mlp(pack * size, 1)
    nets = {"gen": gen, "disc": disc}
    initialise(rng, gen, 1.5)
    initialise(rng, disc, 1.5)
    share_d, share_g = r1_every / (r1_every + 1), path_every / (path_every + 1)
    opt_d, opt_g = (torch.optim.Adam(net.parameters(), lr * share, betas=(0.5 ** share, 0.999 ** share),
                                     eps=1e-8) for net, share in ((disc, share_d), (gen, share_g)))
    past = {"gen": History(), "disc": History()}
    golden = Golden(dict(model="plain", iterations=ITERATIONS, batch=n, height=h, width=w, channels=c, z=z,
                         pack=pack, hidden="5,5,5 relu", r1=f"{gamma}/{r1_every}",
                         path_length=f"{path_weight}/{path_every}", orthogonal=ortho,
                         historical=history_weight, label=label, optim="adam", lr=lr, beta1=0.5,
                         beta2=0.999, eps=1e-8, torch=torch.__version__))
    golden.put_state("init", nets)
    usual = torch.zeros(())

    def nothing(network):  # so that a weight the penalty does not reach has a derivative of 0, not none
        return sum(0 * p.sum() for p in network.parameters())

    def packed(x):  # (n, C, H, W) -> (n/2, C*H*W of both, the first's channels first)
        return x.reshape(rows, pack * c, h, w).flatten(1)

    for k in range(ITERATIONS):
        real, latents, y = images(rng, n, h, w, c), normal(rng, n, z), normal(rng, rows, h, w, pack * c)
        # the feed of y holds a row for each image of the batch, the first n/pack are used
        whole = torch.cat([y, normal(rng, n - rows, h, w, pack * c)])
        for name, value in dict(real=real, z=latents, path=whole).items():
            golden.put(f"feed/{k}/{name}", value)
        fake = gen(latents).view(n, c, h, w)
        on_real, on_fake = disc(packed(nchw(real))), disc(packed(fake.detach()))
        note = dict(disc__real=on_real.sigmoid().mean(), disc__fake=on_fake.sigmoid().mean(),
                    penalty__orthogonal__disc=ortho * off_diagonal(disc),
                    penalty__historical__disc=history_weight * past["disc"].penalty(disc))
        loss_d = (bce(on_real, label) + bce(on_fake, 0.0) + note["penalty__orthogonal__disc"]
                  + note["penalty__historical__disc"])
        note["loss__disc"] = loss_d
        note["grad_norm__disc"] = minimise(disc, loss_d, opt_d)
        note["penalty__orthogonal__gen"] = ortho * off_diagonal(gen)
        note["penalty__historical__gen"] = history_weight * past["gen"].penalty(gen)
        loss_g = (bce(disc(packed(fake)), 1.0) + note["penalty__orthogonal__gen"]
                  + note["penalty__historical__gen"])
        note["loss__gen"] = loss_g
        note["grad_norm__gen"] = minimise(gen, loss_g, opt_g)
        lazy = dict.fromkeys(("penalty__r1", "loss__disc__lazy3", "grad_norm__disc__lazy3",
                              "penalty__path-length", "loss__gen__lazy4", "grad_norm__gen__lazy4"), 0.0)
        if k % r1_every == 0:
            x = packed(nchw(real)).requires_grad_()
            slope, = torch.autograd.grad(disc(x).sum(), x, create_graph=True)
            lazy["penalty__r1"] = gamma / 2 * (slope ** 2).sum(1).mean()
            lazy["loss__disc__lazy3"] = r1_every * lazy["penalty__r1"] + nothing(disc)
            lazy["grad_norm__disc__lazy3"] = minimise(disc, lazy["loss__disc__lazy3"], opt_d)
        if k % path_every == 0:
            at = latents.clone().requires_grad_()
            product = gen(at).view(rows, pack * c, h, w) * nchw(y) / np.sqrt(h * w)
            slope, = torch.autograd.grad(product.sum(), at, create_graph=True)
            length = torch.sqrt((slope ** 2).sum(1) + 1e-12)
            now = usual + 0.01 * (length.mean() - usual)
            usual = now.detach()
            lazy["penalty__path-length"] = path_weight * ((length - now) ** 2).mean()
            lazy["loss__gen__lazy4"] = path_every * lazy["penalty__path-length"] + nothing(gen)
            lazy["grad_norm__gen__lazy4"] = minimise(gen, lazy["loss__gen__lazy4"], opt_g)
        golden.note(**note, **lazy)
    golden.put("final/kept.path_length", usual)
    for net, history in past.items():
        golden.put(f"final/kept.historical.{net}", float(len(history.values)))
        for (name, _), values in zip(nets[net].named_parameters(), zip(*history.values)):
            golden.put(f"final/kept.historical.{net}.{name}", torch.stack(values).mean(0))
    return golden.finish(nets)


# -- play: both networks at once, without and with a look ahead (Gidel et al. 2019) ------------------------

def make_play(extra, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, z, width, lr = 6, 3, 5, 1e-2
    def mlp(a, b):
        return nn.Sequential(OrderedDict(main=nn.Sequential(
            nn.Linear(a, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width),
            nn.ReLU(), nn.Linear(width, b))))
    gen, disc = mlp(z, 2), mlp(2, 1)
    nets = {"gen": gen, "disc": disc}
    initialise(rng, gen, 1.5)
    initialise(rng, disc, 1.5)
    opts = {name: torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.9), eps=1e-8)
            for name, net in nets.items()}
    golden = Golden(dict(model="plain", play="extra" if extra else "simultaneous", iterations=ITERATIONS,
                         batch=n, z=z, hidden="5,5,5 relu", optim="adam", lr=lr, beta1=0.5, beta2=0.9,
                         eps=1e-8, feature_matching=0.5, torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        real, latents = normal(rng, n, 1, 1, 2), normal(rng, n, z)
        golden.put(f"feed/{k}/real", real)
        golden.put(f"feed/{k}/z", latents)
        x = real.view(n, 2)
        note, start = {}, {name: [p.detach().clone() for p in net.parameters()] for name, net in nets.items()}
        for half in (".ahead", "") if extra else ("",):
            fake = gen(latents)
            on_real, on_fake = disc(x), disc(fake.detach())
            features = [disc.main[:-1](v).mean(0) for v in (x, fake)]
            gap = ((features[0].detach() - features[1]) ** 2).sum()
            losses = {"disc": bce(on_real, 1.0) + bce(on_fake, 0.0), "gen": bce(disc(fake), 1.0) + 0.5 * gap}
            grads = {name: torch.autograd.grad(losses[name], list(nets[name].parameters())) for name in nets}
            for name, net in nets.items():
                for p, p0, g in zip(net.parameters(), start[name], grads[name]):
                    p.data.copy_(p0)
                    p.grad = g
                note[f"loss.{name}{half}"] = losses[name]
                note[f"grad_norm.{name}{half}"] = grad_norm(net)
                opts[name].step()
        golden.note(**note, feature_matching=gap, disc__real=on_real.sigmoid().mean(),
                    disc__fake=on_fake.sigmoid().mean())
    return golden.finish(nets)


# -- augment: DiffAugment as its authors wrote it, ADA by matrices, convolutions and grid_sample ------------------------

def diff_augment(x, u):
    n, _, h, w = x.shape
    x = x + (u["brightness"] - 0.5)
    mean = x.mean(dim=1, keepdim=True)
    x = (x - mean) * (u["saturation"] * 2) + mean
    mean = x.mean(dim=[1, 2, 3], keepdim=True)
    x = (x - mean) * (u["contrast"] + 0.5) + mean
    most = int(h * 0.125 + 0.5), int(w * 0.125 + 0.5)
    moves = [torch.floor(u[f"translation.{a}"].view(n, 1, 1) * (2 * m + 1)).long() - m
             for a, m in zip("yx", most)]
    batch, rows, columns = torch.meshgrid(torch.arange(n), torch.arange(h), torch.arange(w), indexing="ij")
    rows, columns = (rows + moves[0] + 1).clamp(0, h + 1), (columns + moves[1] + 1).clamp(0, w + 1)
    x = F.pad(x, [1, 1, 1, 1]).permute(0, 2, 3, 1)[batch, rows, columns].permute(0, 3, 1, 2)
    mask = torch.ones(n, h, w)
    size = int(h * 0.5 + 0.5), int(w * 0.5 + 0.5)
    first = [torch.floor(u[f"cutout.{a}"].view(n) * (side + 1 - s % 2)).long() - s // 2
             for a, side, s in zip("yx", (h, w), size)]
    for k in range(n):
        for i in range(size[0]):
            for j in range(size[1]):
                mask[k, min(max(first[0][k] + i, 0), h - 1), min(max(first[1][k] + j, 0), w - 1)] = 0
    return x * mask.unsqueeze(1)


def symmlet6():
    """Low pass of sym6, of sum 1: among the real spectral factors of Daubechies' polynomial of order 6 the one
    of the most linear phase, in the order whose largest tap is the sixth."""
    roots = []
    for y in np.roots([math.comb(5 + k, k) for k in range(6)][::-1]):
        b = 4 * y - 2
        z = (-b + np.sqrt(b * b - 4 + 0j)) / 2
        roots.append((z, 1 / z))
    best = None
    for choice in range(2 ** len(roots)):
        taps = np.poly([r[choice >> i & 1] for i, r in enumerate(roots)] + [-1] * 6)
        if np.abs(taps.imag).max() > 1e-8 * np.abs(taps).max():
            continue
        taps = taps.real / taps.real.sum()
        response = np.fft.fft(taps, 256)[:64]
        phase = np.unwrap(np.angle(response))
        bend = np.abs(phase - np.polyval(np.polyfit(np.arange(64), phase, 1), np.arange(64))).max()
        if np.abs(taps).argmax() == 5 and (best is None or bend < best[0]):
            best = bend, taps
    return best[1]


def mirrored(x, margin):
    """Images that go on for `margin` pixels as in mirrors through the centres of their edge pixels."""
    for axis in (2, 3):
        last = x.shape[axis] - 1
        at = torch.arange(-margin, last + margin + 1) % (2 * last)
        x = x.index_select(axis, torch.where(at > last, 2 * last - at, at))
    return x


def both_axes(x, taps, stride=1):
    """Correlation along rows and columns."""
    taps, c = torch.as_tensor(taps.copy()), x.shape[1]
    x = F.conv2d(x, taps.view(1, 1, 1, -1).repeat(c, 1, 1, 1), groups=c, stride=(1, stride))
    return F.conv2d(x, taps.view(1, 1, -1, 1).repeat(c, 1, 1, 1), groups=c, stride=(stride, 1))


def smooth_warp(x, m):
    """Appendix B.2: oversampled, moved, reduced."""
    n, c, h, w = x.shape
    margin, taps = 4 * max(h, w), symmlet6()
    wide = mirrored(x, margin)
    fine = torch.zeros(n, c, 2 * wide.shape[2], 2 * wide.shape[3])
    fine[:, :, ::2, ::2] = wide
    fine = both_axes(F.pad(fine, [6, 5, 6, 5]), 2 * taps[::-1])
    columns, rows = (torch.arange(2 * s + 12) / 2 - 3 - (s - 1) / 2 for s in (w, h))
    grid = torch.stack([columns.expand(len(rows), -1), rows.view(-1, 1).expand(-1, len(columns)),
                        torch.ones(len(rows), len(columns))], -1)
    at = (m[:, None, None] @ grid[None, ..., None].to(m))[..., 0]
    at = [2 * (at[..., i] + (s - 1) / 2 + margin) for i, s in enumerate((w, h))]
    at = torch.stack([(a + 0.5) / fine.shape[3 - i] * 2 - 1 for i, a in enumerate(at)], -1)
    assert at.abs().max() < 0.95
    fine = F.grid_sample(fine, at, mode="bilinear", padding_mode="zeros", align_corners=False)
    return both_axes(fine[:, :, 1:-1, 1:-1], taps, 2)


def band_filters():
    """Four octave bands of sym2 = db2, as polynomials: B(z) <- B(z^2) H(z)H(1/z)/2, plus H(-z)H(-1/z)/2."""
    root = np.sqrt(3)
    low = np.array([1 - root, 3 - root, 3 + root, 1 + root]) / (4 * np.sqrt(2))
    high = low * np.array([1, -1, 1, -1])
    low, high = np.convolve(low, low[::-1]) / 2, np.convolve(high, high[::-1]) / 2
    bands = [np.array([1.0])]
    for _ in range(3):
        wider = []
        for band in bands:
            spread = np.zeros(2 * len(band) - 1)
            spread[::2] = band
            wider.append(np.convolve(spread, low))
        bands = wider + [high]
    length = len(bands[0])
    return np.stack([np.pad(b, (length - len(b)) // 2) for b in bands])


def corrupted(x, gate, d):
    """Bands, noise and cutout; gate(name, value, nothing)."""
    n, _, h, w = x.shape
    power, gains = torch.tensor([10.0, 1, 1, 1]) / 13, torch.ones(n, 4)
    for i in range(4):
        t = torch.ones(n, 4)
        t[:, i] = gate(f"band{i}.gate", 2 ** d[f"band{i}"], 1.0)
        gains = gains * t / (power * t ** 2).sum(1, keepdim=True).sqrt()
    taps = gains @ torch.from_numpy(band_filters())
    wide = mirrored(x, taps.shape[1] // 2)
    x = torch.cat([both_axes(wide[k:k + 1], taps[k].numpy()) for k in range(n)])
    size = gate("noise.gate", 0.1 * d["noise.size"].abs(), 0.0)
    x = x + d["noise.pixels"] * size.view(n, 1, 1, 1)
    size = gate("cutout.gate", torch.full([n], 0.5), 0.0).view(n, 1, 1, 1)
    rows, columns = (((torch.arange(s) + 0.5) / s).view(shape) for s, shape in ((h, (1, 1, h, 1)), (w, (1, 1, 1, w))))
    hidden = ((rows - d["cutout.y"].view(n, 1, 1, 1)).abs() < size / 2) & (
        (columns - d["cutout.x"].view(n, 1, 1, 1)).abs() < size / 2)
    return torch.where(hidden, torch.zeros(()), x)


def ada(x, p, d, more=False):
    n, c, h, w = x.shape
    d = {name: value if name == "noise.pixels" else value.view(n) for name, value in d.items()}

    def gate(name, value, nothing, chance=p):
        return torch.where(d[name] < chance, value, torch.full_like(value, nothing))

    def matrix(a=1.0, b=0.0, tx=0.0, e=0.0, f=1.0, ty=0.0):
        rows = [torch.stack([torch.as_tensor(v).expand(n) for v in row], 1)
                for row in ((a, b, tx), (e, f, ty), (0.0, 0.0, 1.0))]
        return torch.stack(rows, 1)

    def turn(name, chance):
        angle = gate(f"{name}.gate", torch.atan2(d[f"{name}.y"], d[f"{name}.x"]), 0.0, chance)
        return matrix(angle.cos(), -angle.sin(), 0.0, angle.sin(), angle.cos())

    m = matrix(gate("flip.gate", torch.where(d["flip"] < 0.5, -1.0, 1.0), 1.0))
    quarter = gate("quarter.gate", torch.floor(d["quarter"] * 4) * np.pi / 2, 0.0)
    m = m @ matrix(quarter.cos(), -quarter.sin(), 0.0, quarter.sin(), quarter.cos())
    m = m @ matrix(tx=gate("shift.gate", ((d["shift.x"] * 2 - 1) * 0.125 * w).round(), 0.0),
                   ty=gate("shift.gate", ((d["shift.y"] * 2 - 1) * 0.125 * h).round(), 0.0))
    scale = gate("scale.gate", 2 ** (0.2 * d["scale"]), 1.0)
    m = m @ matrix(a=1 / scale, f=1 / scale)
    chance = 1 - np.sqrt(1 - p)
    m = m @ turn("turn", chance)
    aspect = gate("aspect.gate", 2 ** (0.2 * d["aspect"]), 1.0)
    m = m @ matrix(a=1 / aspect, f=aspect) @ turn("turn2", chance)
    m = m @ matrix(tx=gate("part.gate", d["part.x"] * 0.125 * w, 0.0),
                   ty=gate("part.gate", d["part.y"] * 0.125 * h, 0.0))
    x = smooth_warp(x, m)
    v = torch.ones(3, 1) / np.sqrt(3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / np.sqrt(3)
    x = x + gate("brightness.gate", 0.2 * d["brightness"], 0.0).view(n, 1, 1, 1)
    x = x * gate("contrast.gate", 2 ** (0.5 * d["contrast"]), 1.0).view(n, 1, 1, 1)
    luma = gate("luma.gate", torch.where(d["luma"] < 0.5, 1.0, 0.0), 0.0).view(n, 1, 1)
    angle = gate("hue.gate", torch.atan2(d["hue.y"], d["hue.x"]), 0.0).view(n, 1, 1)
    vivid = gate("saturation.gate", 2 ** d["saturation"], 1.0).view(n, 1, 1)
    color = torch.eye(3) - 2 * luma * (v @ v.t())
    color = torch.linalg.matrix_exp(angle * cross) @ color
    color = (v @ v.t() + (torch.eye(3) - v @ v.t()) * vivid) @ color
    x = (color @ x.flatten(2)).view(n, c, h, w)
    return corrupted(x, gate, d) if more else x


def make_augment(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c, p = 6, 9, 9, 3, 0.7
    golden = Golden(dict(batch=n, height=h, width=w, channels=c, p=p, torch=torch.__version__))
    uniforms = ("brightness saturation contrast translation.y translation.x cutout.y cutout.x".split(),
                "flip flip.gate quarter quarter.gate shift.x shift.y shift.gate scale.gate turn.gate aspect.gate "
                "turn2.gate part.gate brightness.gate contrast.gate luma luma.gate hue.gate saturation.gate".split())
    normals = ([], "scale turn.x turn.y aspect turn2.x turn2.y part.x part.y brightness contrast hue.x hue.y "
                   "saturation".split())
    more = ([*uniforms[1], *(f"band{i}.gate" for i in range(4)), "noise.gate", "cutout.gate", "cutout.y", "cutout.x"],
            [*normals[1], *(f"band{i}" for i in range(4)), "noise.size"])
    for case, fn, uniform, gaussian in (("diff", diff_augment, uniforms[0], normals[0]),
                                        ("ada", lambda x, d: ada(x, p, d), uniforms[1], normals[1]),
                                        ("ada_bgcfnc", lambda x, d: ada(x, p, d, True), *more)):
        draws = {name: torch.from_numpy(rng.uniform(size=(n, 1, 1, 1))) for name in uniform}
        draws.update({name: normal(rng, n, 1, 1, 1) for name in gaussian})
        if case == "ada_bgcfnc":
            draws["noise.pixels"] = normal(rng, n, c, h, w)
        x = nchw(images(rng, n, h, w, c)).requires_grad_()
        r = normal(rng, n, c, h, w)
        y = fn(x, draws)
        (y * r).sum().backward()
        for name, value in dict(x=x, y=y, r=r, dx=x.grad).items():
            golden.put(f"{case}/{name}", nhwc(value))
        for name, value in draws.items():
            golden.put(f"{case}/draw/{name}", nhwc(value) if name == "noise.pixels" else value)
    return golden
