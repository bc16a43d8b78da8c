#!/usr/bin/python3
"""Makes the golden files of tests/golden/data with PyTorch in float64.

An oracle that shares no code with libgan: small networks, every input and every initial weight drawn
here and written to the file, and what PyTorch makes of them. tests/golden/README.md describes the files.

    tools/golden.py                 write all files
    tools/golden.py --only dcgan    write one
    tools/golden.py --check         remake everything and compare with the committed files
    tools/golden.py --sensitivity   how far rounding noise in the initial weights moves the result

Needs Debian's python3-torch and python3-numpy.
"""

import argparse
import json
import os
import struct
import sys
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

ITERATIONS = 10
DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden", "data")
TYPES = {"float64": "F64", "float32": "F32", "int64": "I64"}

# Relative noise put on the initial weights by --sensitivity; zero when files are made.
noise = 0.0


# -- safetensors ---------------------------------------------------------------------------------

def write_safetensors(path, tensors, metadata):
    """8 bytes header length (little-endian), JSON header, data; tensors in name order."""
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name in sorted(tensors):
        array = np.asarray(tensors[name], order="C")
        blob = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": TYPES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    metadata, names = header.pop("__metadata__"), {code: name for name, code in TYPES.items()}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(data[begin:end], dtype=np.dtype(names[entry["dtype"]]).newbyteorder("<"))
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


# -- helpers -------------------------------------------------------------------------------------

class Golden:
    """What one file will hold."""

    def __init__(self, metadata):
        self.tensors, self.trace = {}, {}
        self.metadata = {key: str(value) for key, value in metadata.items()}

    def put(self, name, value):
        assert name not in self.tensors, name
        if torch.is_tensor(value):
            value = value.detach().numpy()
        self.tensors[name] = np.array(value)

    def put_state(self, when, networks):
        for scope, network in networks.items():
            for name, value in network.state_dict().items():
                if not name.endswith("num_batches_tracked"):
                    self.put(f"{when}/{scope}.{name}", value)

    def note(self, **values):
        for name, value in values.items():
            self.trace.setdefault(name.replace("__", "."), []).append(float(value))

    def finish(self, networks):
        self.put_state("final", networks)
        for name, values in self.trace.items():
            assert len(values) == ITERATIONS, name
            self.put(f"trace/{name}", np.array(values))
        return self


def normal(rng, *shape, std=1.0):
    return torch.from_numpy(np.asarray(rng.standard_normal(shape) * std))


def images(rng, n, h, w, c):
    """NHWC in [-1,1] on the 256 levels of real files; a random mean per channel and sample."""
    mean = rng.uniform(60, 190, size=(n, 1, 1, c))
    u = np.clip(np.rint(mean + 50 * rng.standard_normal((n, h, w, c))), 0, 255)
    return torch.from_numpy(u / 127.5 - 1)


def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


def nhwc(x):
    return x.detach().permute(0, 2, 3, 1).contiguous()


def initialise(rng, network, gain):
    """Every parameter and statistic random, so that no reader can leave one at its default."""
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_var"):
            value = rng.uniform(0.5, 1.5, tensor.shape)
        elif name.endswith("running_mean"):
            value = 0.1 * rng.standard_normal(tensor.shape)
        elif tensor.dim() > 1:
            fan_in = tensor[0].numel()
            value = gain / np.sqrt(fan_in) * rng.standard_normal(tensor.shape)
        elif name.endswith("weight"):
            value = 1 + 0.2 * rng.standard_normal(tensor.shape)
        else:
            value = 0.1 * rng.standard_normal(tensor.shape)
        if noise:
            value = value * (1 + noise * np.random.standard_normal(tensor.shape))
        tensor.copy_(torch.from_numpy(np.asarray(value)))


def grad_norm(network):
    return torch.sqrt(sum((p.grad ** 2).sum() for p in network.parameters()))


def bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def minimise(network, loss, optimiser):
    """One update; the norm of the gradient it used."""
    optimiser.zero_grad()
    loss.backward()
    norm = grad_norm(network)
    optimiser.step()
    return norm


# -- gan: Goodfellow et al. 2014, algorithm 1, with the common MLP ------------------------------------

def mlp_gen(z, w, out):
    layers = [nn.Linear(z, w), nn.LeakyReLU(0.2)]
    for width in (w, 2 * w, 4 * w):
        layers += [nn.Linear(width, 2 * width), nn.BatchNorm1d(2 * width, eps=1e-5, momentum=0.1),
                   nn.LeakyReLU(0.2)]
    return nn.Sequential(OrderedDict(model=nn.Sequential(*layers, nn.Linear(8 * w, out), nn.Tanh())))


def mlp_disc(flat, w):
    return nn.Sequential(OrderedDict(model=nn.Sequential(
        nn.Linear(flat, 4 * w), nn.LeakyReLU(0.2), nn.Linear(4 * w, 2 * w), nn.LeakyReLU(0.2),
        nn.Linear(2 * w, 1))))


def make_gan(loss, disc_steps, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c, z, width, lr = 7, 5, 3, 2, 6, 4, 2e-3
    gen, disc = mlp_gen(z, width, c * h * w), mlp_disc(c * h * w, width)
    nets = {"gen": gen, "disc": disc}
    initialise(rng, gen, 1.5)
    initialise(rng, disc, 1.5)
    opt_d, opt_g = (torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999), eps=1e-8)
                    for net in (disc, gen))
    golden = Golden(dict(model="gan", loss=loss, disc_steps=disc_steps, iterations=ITERATIONS, batch=n,
                         height=h, width=w, channels=c, z=z, gen_width=width, disc_hidden="16,8",
                         gen_hidden="4,8,16,32", bn_eps=1e-5, bn_momentum=0.1, leaky_slope=0.2,
                         optim="adam", lr=lr, beta1=0.5, beta2=0.999, eps=1e-8, order="disc,gen",
                         torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        for step in range(disc_steps):
            suffix = f".{step}" if disc_steps > 1 else ""
            real, z_d = images(rng, n, h, w, c), normal(rng, n, z)
            golden.put(f"feed/{k}/real{suffix}", real)
            golden.put(f"feed/{k}/z_d{suffix}", z_d)
            fake = gen(z_d).detach().view(n, c, h, w)
            on_real, on_fake = disc(nchw(real).flatten(1)), disc(fake.flatten(1))
            loss_d = bce(on_real, 1.0) + bce(on_fake, 0.0)
            norm_d = minimise(disc, loss_d, opt_d)
        z_g = normal(rng, n, z)
        golden.put(f"feed/{k}/z_g", z_g)
        logits = disc(gen(z_g))
        loss_g = bce(logits, 1.0) if loss == "nonsaturating" else -F.softplus(logits).mean()
        norm_g = minimise(gen, loss_g, opt_g)
        golden.note(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real.sigmoid().mean(),
                    disc__fake=on_fake.sigmoid().mean(), grad_norm__disc=norm_d, grad_norm__gen=norm_g)
    return golden.finish(nets)


# -- dcgan: Radford et al. 2015, the loop of pytorch/examples -----------------------------------------

def dcgan_gen(size, nz, ngf, c):
    width = ngf * size // 8
    layers = [nn.ConvTranspose2d(nz, width, 4, 1, 0, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    while width > ngf:
        layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False),
                   nn.BatchNorm2d(width // 2), nn.ReLU()]
        width //= 2
    layers += [nn.ConvTranspose2d(ngf, c, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.Sequential(OrderedDict(main=nn.Sequential(*layers)))


def dcgan_disc(size, ndf, c):
    layers, width = [nn.Conv2d(c, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)], ndf
    while width < ndf * size // 8:
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width),
                   nn.LeakyReLU(0.2)]
        width *= 2
    return nn.Sequential(OrderedDict(main=nn.Sequential(
        *layers, nn.Conv2d(width, 1, 4, 1, 0, bias=False))))


def make_dcgan(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, size, c, nz, width, lr = 6, 16, 3, 5, 3, 2e-3
    gen, disc = dcgan_gen(size, nz, width, c), dcgan_disc(size, width, c)
    nets = {"gen": gen, "disc": disc}
    initialise(rng, gen, 1.0)
    initialise(rng, disc, 1.0)
    opt_d, opt_g = (torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999), eps=1e-8)
                    for net in (disc, gen))
    golden = Golden(dict(model="dcgan", iterations=ITERATIONS, batch=n, height=size, width=size,
                         channels=c, z=nz, gen_width=width, disc_width=width, bn_eps=1e-5,
                         bn_momentum=0.1, leaky_slope=0.2, optim="adam", lr=lr, beta1=0.5, beta2=0.999,
                         eps=1e-8, order="disc real, disc fake, gen", torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        real, z = images(rng, n, size, size, c), normal(rng, n, nz)
        golden.put(f"feed/{k}/real", real)
        golden.put(f"feed/{k}/z", z)
        on_real = disc(nchw(real)).flatten()
        fake = gen(z.view(n, nz, 1, 1))
        on_fake = disc(fake.detach()).flatten()
        loss_d = bce(on_real, 1.0) + bce(on_fake, 0.0)
        norm_d = minimise(disc, loss_d, opt_d)
        loss_g = bce(disc(fake).flatten(), 1.0)
        norm_g = minimise(gen, loss_g, opt_g)
        golden.note(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real.sigmoid().mean(),
                    disc__fake=on_fake.sigmoid().mean(), grad_norm__disc=norm_d, grad_norm__gen=norm_g)
    return golden.finish(nets)


# -- critic_gp: Gulrajani et al. 2017, a critic with a gradient penalty ---------------------------------

def make_critic_gp(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c, lr, weight = 5, 6, 4, 3, 1e-3, 10.0
    critic = nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(c, 4, 3, 1, 1), norm1=nn.GroupNorm(1, 4, eps=1e-5), act1=nn.LeakyReLU(0.2),
        conv2=nn.Conv2d(4, 5, 4, 2, 1), norm2=nn.GroupNorm(1, 5, eps=1e-5), act2=nn.LeakyReLU(0.2),
        flat=nn.Flatten(), fc=nn.Linear(5 * (h // 2) * (w // 2), 1)))
    initialise(rng, critic, 1.0)
    opt = torch.optim.Adam(critic.parameters(), lr, betas=(0.0, 0.9), eps=1e-8)
    golden = Golden(dict(model="critic_gp", iterations=ITERATIONS, batch=n, height=h, width=w, channels=c,
                         conv1="3->4 k3 s1 p1 bias", conv2="4->5 k4 s2 p1 bias", fc="30->1 bias",
                         norm="layer over C,H,W", norm_eps=1e-5, leaky_slope=0.2, penalty_weight=weight,
                         penalty_eps=1e-12, optim="adam", lr=lr, beta1=0.0, beta2=0.9, eps=1e-8,
                         torch=torch.__version__))
    golden.put_state("init", {"critic": critic})
    for k in range(ITERATIONS):
        real, fake = images(rng, n, h, w, c), torch.tanh(normal(rng, n, h, w, c))
        eps = torch.from_numpy(rng.uniform(size=n))
        for name, value in dict(real=real, fake=fake, eps=eps).items():
            golden.put(f"feed/{k}/{name}", value)
        mix = eps.view(n, 1, 1, 1)
        x_hat = nchw(mix * real + (1 - mix) * fake).requires_grad_()
        slope, = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
        norm = torch.sqrt((slope ** 2).sum((1, 2, 3)) + 1e-12)
        penalty = ((norm - 1) ** 2).mean()
        wasserstein = critic(nchw(fake)).mean() - critic(nchw(real)).mean()
        loss = wasserstein + weight * penalty
        golden.note(loss__critic=loss, penalty=penalty, wasserstein=wasserstein,
                    grad_norm__critic=minimise(critic, loss, opt))
    return golden.finish({"critic": critic})


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


# -- augment: DiffAugment as its authors wrote it, ADA by matrices and grid_sample ------------------------

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


def ada(x, p, d):
    n, c, h, w = x.shape
    d = {name: value.view(n) for name, value in d.items()}

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
    columns, rows = torch.arange(w) - (w - 1) / 2, torch.arange(h) - (h - 1) / 2
    grid = torch.stack([columns.expand(h, w), rows.view(h, 1).expand(h, w), torch.ones(h, w)], -1)
    at = (m[:, None, None] @ grid[None, ..., None].to(m))[..., 0]
    at = torch.stack([at[..., 0] / ((w - 1) / 2), at[..., 1] / ((h - 1) / 2)], -1)
    x = F.grid_sample(x, at, mode="bilinear", padding_mode="reflection", align_corners=True)
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
    return (color @ x.flatten(2)).view(n, c, h, w)


def make_augment(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c, p = 8, 9, 9, 3, 0.7
    golden = Golden(dict(batch=n, height=h, width=w, channels=c, p=p, torch=torch.__version__))
    uniforms = ("brightness saturation contrast translation.y translation.x cutout.y cutout.x".split(),
                "flip flip.gate quarter quarter.gate shift.x shift.y shift.gate scale.gate turn.gate aspect.gate "
                "turn2.gate part.gate brightness.gate contrast.gate luma luma.gate hue.gate saturation.gate".split())
    normals = ([], "scale turn.x turn.y aspect turn2.x turn2.y part.x part.y brightness contrast hue.x hue.y "
                   "saturation".split())
    for case, fn, uniform, gaussian in zip(("diff", "ada"), (diff_augment, lambda x, d: ada(x, p, d)),
                                           uniforms, normals):
        draws = {name: torch.from_numpy(rng.uniform(size=(n, 1, 1, 1))) for name in uniform}
        draws.update({name: normal(rng, n, 1, 1, 1) for name in gaussian})
        x = nchw(images(rng, n, h, w, c)).requires_grad_()
        r = normal(rng, n, c, h, w)
        y = fn(x, draws)
        (y * r).sum().backward()
        for name, value in dict(x=x, y=y, r=r, dx=x.grad).items():
            golden.put(f"{case}/{name}", nhwc(value))
        for name, value in draws.items():
            golden.put(f"{case}/draw/{name}", value)
    return golden


# -- unrolled: Metz et al. 2017, the generator against the discriminator of some updates later ------------

def tanh_net(z, w, out, last=None):
    layers = [nn.Linear(z, w), nn.Tanh(), nn.Linear(w, w), nn.Tanh(), nn.Linear(w, out)]
    return nn.Sequential(OrderedDict(main=nn.Sequential(*layers, *([last] if last else []))))


def tanh_disc(weights, x):
    w0, b0, w1, b1, w2, b2 = weights
    return F.linear(torch.tanh(F.linear(torch.tanh(F.linear(x, w0, b0)), w1, b1)), w2, b2)


def look_ahead(weights, opt, steps, loss_of):
    """Adam's rule written out, on values that keep their history; starts from the optimiser's state."""
    group = opt.param_groups[0]
    lr, (b1, b2), eps = group["lr"], group["betas"], group["eps"]
    state = [opt.state.get(p, {}) for p in weights]
    m = [s.get("exp_avg", torch.zeros_like(p)) for s, p in zip(state, weights)]
    v = [s.get("exp_avg_sq", torch.zeros_like(p)) for s, p in zip(state, weights)]
    done, weights = int(state[0].get("step", 0)), list(weights)
    for t in range(done + 1, done + steps + 1):
        grads = torch.autograd.grad(loss_of(weights), weights, create_graph=True)
        m = [b1 * a + (1 - b1) * g for a, g in zip(m, grads)]
        v = [b2 * a + (1 - b2) * g * g for a, g in zip(v, grads)]
        weights = [p - lr / (1 - b1 ** t) * a / ((q / (1 - b2 ** t)).sqrt() + eps)
                   for p, a, q in zip(weights, m, v)]
    return weights


def make_unrolled(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c, z, width, steps, lr = 6, 2, 3, 2, 4, 5, 3, 2e-2
    gen, disc = tanh_net(z, width, c * h * w, nn.Tanh()), tanh_net(c * h * w, width, 1)
    nets = {"gen": gen, "disc": disc}
    initialise(rng, gen, 1.0)
    initialise(rng, disc, 1.0)
    opt_d, opt_g = (torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999), eps=1e-8)
                    for net in (disc, gen))
    golden = Golden(dict(model="unrolled", iterations=ITERATIONS, batch=n, height=h, width=w, channels=c, z=z,
                         net_width=width, unroll=steps, optim="adam", lr=lr, beta1=0.5, beta2=0.999, eps=1e-8,
                         order="gen, disc", torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        real, latent = images(rng, n, h, w, c), normal(rng, n, z)
        golden.put(f"feed/{k}/real", real)
        golden.put(f"feed/{k}/z", latent)
        x, fake = nchw(real).flatten(1), gen(latent)

        def loss_at(weights, fake):
            return bce(tanh_disc(weights, x), 1.0) + bce(tanh_disc(weights, fake), 0.0)

        weights = list(disc.parameters())
        later = look_ahead(weights, opt_d, steps, lambda values: loss_at(values, fake))
        loss_g = -loss_at(later, fake)
        norm_g = minimise(gen, loss_g, opt_g)
        on_real, on_fake = tanh_disc(weights, x), tanh_disc(weights, fake.detach())
        loss_d = bce(on_real, 1.0) + bce(on_fake, 0.0)
        norm_d = minimise(disc, loss_d, opt_d)
        golden.note(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real.sigmoid().mean(),
                    disc__fake=on_fake.sigmoid().mean(), grad_norm__disc=norm_d, grad_norm__gen=norm_g)
    return golden.finish(nets)


# -- l2l: Andrychowicz et al. 2016, an optimiser that is a network ----------------------------------------

class Learned(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.lstm1, self.lstm2, self.linear = nn.LSTMCell(2, units), nn.LSTMCell(units, units), nn.Linear(units, 1)

    def forward(self, grad, state):
        log = torch.log(grad.abs() + float(np.finfo(np.float32).eps)) / 5
        x = torch.stack([log.clamp(min=-1), (grad * np.exp(5.0)).clamp(-1, 1)], 1)
        h1, c1 = self.lstm1(x, (state[0], state[1]))
        h2, c2 = self.lstm2(h1, (state[2], state[3]))
        return 0.01 * self.linear(h2).flatten(), (h1, c1, h2, c2)


def make_l2l(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, dims, units, unroll, episode, lr = 2, 3, 20, 4, 8, 1e-2
    net = Learned(units)
    initialise(rng, net, 1.5)
    opt = torch.optim.Adam(net.parameters(), lr, betas=(0.9, 0.999), eps=1e-8)
    golden = Golden(dict(model="l2l", iterations=ITERATIONS, batch=n, dimensions=dims, units=units, unroll=unroll,
                         episode=episode, optim="adam", lr=lr, beta1=0.9, beta2=0.999, eps=1e-8,
                         torch=torch.__version__))
    golden.put_state("init", {"opt": net})
    for k in range(ITERATIONS):
        fed = normal(rng, n, 1, 1, dims * dims + 2 * dims)
        golden.put(f"feed/{k}/real", fed)
        if k * unroll % episode == 0:
            problems = fed.view(n, -1)
            w, y = problems[:, :dims * dims].view(n, dims, dims), problems[:, dims * dims:dims * dims + dims]
            t, state = problems[:, dims * dims + dims:], tuple(torch.zeros(n * dims, units) for _ in range(4))

        def value(at):
            return ((torch.einsum("nij,nj->ni", w, at) - y) ** 2).sum(1)

        f, loss = value(t), 0
        before = f.mean()
        for _ in range(unroll):
            leaf = t.detach().requires_grad_()
            grad, = torch.autograd.grad(value(leaf).sum(), leaf)
            step, state = net(grad.flatten(), state)
            t = t + step.view(n, dims)
            f = value(t)
            loss = loss + f.mean()
        norm = minimise(net, loss, opt)
        t, state = t.detach(), tuple(s.detach() for s in state)
        golden.note(loss__opt=loss, grad_norm__opt=norm, f__before=before, f__after=f.mean())
    golden.put("final/kept.l2l.problems", problems)
    golden.put("final/kept.l2l.t", t)
    golden.put("final/kept.l2l.state", torch.cat(state, 1))
    golden.put("final/kept.l2l.time", np.array(ITERATIONS * unroll % episode, dtype=np.float64))
    return golden.finish({"opt": net})


# -- translation: Isola et al. 2017 and Zhu et al. 2017, layers as in their reference code --------------

def factor(k):
    """Constant for half of the iterations, then linear to zero."""
    part = k / ITERATIONS
    return 1.0 if part <= 0.5 else (1 - part) / 0.5


def hold(optimisers, lr, k):
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = lr * factor(k)


class UnetBlock(nn.Module):
    """One size of the U-Net around the next smaller one; outermost at d = 0."""

    def __init__(self, d, depth, c_in, c_out, width):
        super().__init__()
        inner, outermost, innermost = width << min(d, 3), d == 0, d == depth - 1
        down = [nn.Conv2d(c_in, inner, 4, 2, 1, bias=False)]
        if not outermost:
            down = [nn.LeakyReLU(0.2)] + down
        if not outermost and not innermost:
            down += [nn.BatchNorm2d(inner)]
        below = [] if innermost else [UnetBlock(d + 1, depth, inner, inner, width)]
        up = [nn.ReLU(), nn.ConvTranspose2d(inner if innermost else 2 * inner, c_out, 4, 2, 1, bias=outermost)]
        up += [nn.Tanh()] if outermost else [nn.BatchNorm2d(c_out)]
        self.model, self.outermost = nn.Sequential(*down, *below, *up), outermost

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def unet(depth, c_in, c_out, width):
    return nn.Sequential(OrderedDict(model=UnetBlock(0, depth, c_in, c_out, width)))


def patch_disc(c_in, width, layers, norm, bias):
    net, c = [nn.Conv2d(c_in, width, 4, 2, 1), nn.LeakyReLU(0.2)], width
    for i in range(1, layers + 1):
        wide = width * min(2 ** i, 8)
        net += [nn.Conv2d(c, wide, 4, 2 if i < layers else 1, 1, bias=bias), norm(wide), nn.LeakyReLU(0.2)]
        c = wide
    return nn.Sequential(OrderedDict(model=nn.Sequential(*net, nn.Conv2d(c, 1, 4, 1, 1))))


class ResnetBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.InstanceNorm2d(c), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.InstanceNorm2d(c))

    def forward(self, x):
        return x + self.conv_block(x)


def resnet(blocks, c_in, c_out, w):
    norm = nn.InstanceNorm2d
    net = [nn.ReflectionPad2d(3), nn.Conv2d(c_in, w, 7), norm(w), nn.ReLU()]
    for c in (w, 2 * w):
        net += [nn.Conv2d(c, 2 * c, 3, 2, 1), norm(2 * c), nn.ReLU()]
    net += [ResnetBlock(4 * w) for _ in range(blocks)]
    for c in (4 * w, 2 * w):
        net += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1), norm(c // 2), nn.ReLU()]
    net += [nn.ReflectionPad2d(3), nn.Conv2d(w, c_out, 7), nn.Tanh()]
    return nn.Sequential(OrderedDict(model=nn.Sequential(*net)))


def make_pix2pix(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c_a, c_b, depth, width, layers, lr, weight = 2, 16, 8, 1, 3, 3, 2, 1, 2e-3, 100.0
    gen = unet(depth, c_a, c_b, width)
    disc = patch_disc(c_a + c_b, width, layers, nn.BatchNorm2d, False)
    nets = {"gen": gen, "disc": disc}
    initialise(rng, gen, 1.5)
    initialise(rng, disc, 1.0)
    opt_d, opt_g = (torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999), eps=1e-8)
                    for net in (disc, gen))
    golden = Golden(dict(model="pix2pix", iterations=ITERATIONS, batch=n, height=h, width=w, channels_a=c_a,
                         channels_b=c_b, depth=depth, net_width=width, layers=layers, l1=weight, dropout=0,
                         optim="adam", lr=lr, beta1=0.5, beta2=0.999, eps=1e-8, schedule="hold .5",
                         order="disc fake, disc real, gen", torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        hold((opt_d, opt_g), lr, k)
        a, b = images(rng, n, h, w, c_a), images(rng, n, h, w, c_b)
        golden.put(f"feed/{k}/real", a)
        golden.put(f"feed/{k}/real_b", b)
        x, y = nchw(a), nchw(b)
        fake = gen(x)
        on_fake = bce(disc(torch.cat([x, fake.detach()], 1)), 0.0)
        on_real = bce(disc(torch.cat([x, y], 1)), 1.0)
        loss_d = (on_fake + on_real) * 0.5
        norm_d = minimise(disc, loss_d, opt_d)
        adversarial = bce(disc(torch.cat([x, fake], 1)), 1.0)
        l1 = F.l1_loss(fake, y)
        loss_g = adversarial + weight * l1
        norm_g = minimise(gen, loss_g, opt_g)
        golden.note(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real, disc__fake=on_fake, l1=l1,
                    adversarial=adversarial, grad_norm__disc=norm_d, grad_norm__gen=norm_g)
    return golden.finish(nets)


class Pool:
    """The first `size` images are kept; then, when u[0] > .5, a new one is exchanged for number
    floor(u[1] size). The decisions are fed, so that another program can follow them."""

    def __init__(self, size):
        self.size, self.kept = size, []

    def query(self, images, u):
        out = []
        for image, (decision, place) in zip(images.detach(), u.numpy()):
            if self.size > 0 and len(self.kept) < self.size:
                self.kept.append(image)
            elif self.size > 0 and decision > 0.5:
                at = int(place * self.size)
                image, self.kept[at] = self.kept[at], image
            out.append(image)
        return torch.stack(out)


def lsgan(score, label):
    return ((score - label) ** 2).mean()


def make_cyclegan(size, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, h, w, c, blocks, width, layers, lr, cycle, idt = 2, 12, 8, 3, 1, 2, 1, 2e-4, 10.0, 0.5
    gen_a, gen_b = resnet(blocks, c, c, width), resnet(blocks, c, c, width)
    disc_a, disc_b = (patch_disc(c, width, layers, nn.InstanceNorm2d, True) for _ in range(2))
    nets = {"gen_a": gen_a, "gen_b": gen_b, "disc_a": disc_a, "disc_b": disc_b}
    for net in nets.values():
        initialise(rng, net, 1.0)
    gens, discs = nn.ModuleList([gen_a, gen_b]), nn.ModuleList([disc_a, disc_b])
    opt_d, opt_g = (torch.optim.Adam(both.parameters(), lr, betas=(0.5, 0.999), eps=1e-8)
                    for both in (discs, gens))
    pools = {"fake_b": Pool(size), "fake_a": Pool(size)}
    golden = Golden(dict(model="cyclegan", iterations=ITERATIONS, batch=n, height=h, width=w, channels=c,
                         blocks=blocks, net_width=width, layers=layers, cycle=cycle, identity=idt, pool=size,
                         optim="adam", lr=lr, beta1=0.5, beta2=0.999, eps=1e-8, schedule="hold .5",
                         order="gen_a+gen_b, disc_a+disc_b", torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        hold((opt_d, opt_g), lr, k)
        feeds = dict(real=images(rng, n, h, w, c), real_b=images(rng, n, h, w, c))
        if size:
            feeds.update({f"pool.{name}": torch.from_numpy(rng.uniform(size=(n, 2))) for name in pools})
        for name, value in feeds.items():
            golden.put(f"feed/{k}/{name}", value)
        a, b = nchw(feeds["real"]), nchw(feeds["real_b"])
        fake_b, fake_a = gen_a(a), gen_b(b)
        cycle_a, cycle_b = F.l1_loss(gen_b(fake_b), a), F.l1_loss(gen_a(fake_a), b)
        idt_a, idt_b = F.l1_loss(gen_a(b), b), F.l1_loss(gen_b(a), a)
        adv_a, adv_b = lsgan(disc_a(fake_b), 1.0), lsgan(disc_b(fake_a), 1.0)
        loss_g = adv_a + adv_b + cycle * (cycle_a + cycle_b) + cycle * idt * (idt_a + idt_b)
        norm_g = minimise(gens, loss_g, opt_g)
        seen = {name: pools[name].query(fake, feeds.get(f"pool.{name}", torch.zeros(n, 2)))
                for name, fake in dict(fake_b=fake_b, fake_a=fake_a).items()}
        on_b = 0.5 * (lsgan(disc_a(b), 1.0) + lsgan(disc_a(seen["fake_b"]), 0.0))
        on_a = 0.5 * (lsgan(disc_b(a), 1.0) + lsgan(disc_b(seen["fake_a"]), 0.0))
        norm_d = minimise(discs, on_a + on_b, opt_d)
        golden.note(**{"loss.gen_a+gen_b": loss_g, "grad_norm.gen_a+gen_b": norm_g, "cycle_a": cycle_a,
                       "cycle_b": cycle_b, "identity_a": idt_a, "identity_b": idt_b, "adversarial_a": adv_a,
                       "adversarial_b": adv_b, "disc_a": on_b, "disc_b": on_a,
                       "loss.disc_a+disc_b": on_a + on_b, "grad_norm.disc_a+disc_b": norm_d})
    for name, pool in pools.items():
        if size:
            golden.put(f"final/pool.{name}", nhwc(torch.stack(pool.kept)))
            golden.put(f"final/pool.{name}.count", np.array([float(len(pool.kept))]))
    return golden.finish(nets)


# -- wgan_gp: Gulrajani et al. 2017, algorithm 1, on DCGAN's networks ---------------------------------

def with_layer_norm(disc):
    """Layer norm over C,H,W of each sample in place of batch norm; scale and offset per channel."""
    for name, layer in list(disc.main.named_children()):
        if isinstance(layer, nn.BatchNorm2d):
            setattr(disc.main, name, nn.GroupNorm(1, layer.num_features, eps=1e-5))
    return disc


def make_wgan_gp(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, size, c, nz, width, lr, weight, critic_steps = 4, 16, 3, 5, 3, 1e-3, 10.0, 2
    gen, disc = dcgan_gen(size, nz, width, c), with_layer_norm(dcgan_disc(size, width, c))
    nets = {"gen": gen, "disc": disc}
    initialise(rng, gen, 1.0)
    initialise(rng, disc, 1.0)
    opt_d, opt_g = (torch.optim.Adam(net.parameters(), lr, betas=(0.0, 0.9), eps=1e-8)
                    for net in (disc, gen))
    golden = Golden(dict(model="wgan_gp", iterations=ITERATIONS, batch=n, height=size, width=size,
                         channels=c, z=nz, gen_width=width, disc_width=width, gen_norm="batch",
                         disc_norm="layer over C,H,W", norm_eps=1e-5, bn_momentum=0.1, leaky_slope=0.2,
                         penalty_weight=weight, penalty_eps=1e-12, critic_steps=critic_steps,
                         optim="adam", lr=lr, beta1=0.0, beta2=0.9, eps=1e-8,
                         order="critic twice, gen", torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        for step in range(critic_steps):
            real, z_d = images(rng, n, size, size, c), normal(rng, n, nz)
            eps = torch.from_numpy(rng.uniform(size=(n, 1, 1, 1)))
            for name, value in dict(real=real, z_d=z_d, eps=eps).items():
                golden.put(f"feed/{k}/{name}.{step}", value)
            fake = gen(z_d.view(n, nz, 1, 1)).detach()
            on_real, on_fake = disc(nchw(real)).mean(), disc(fake).mean()
            x_hat = (eps * nchw(real) + (1 - eps) * fake).requires_grad_()
            slope, = torch.autograd.grad(disc(x_hat).sum(), x_hat, create_graph=True)
            penalty = weight * ((torch.sqrt((slope ** 2).sum((1, 2, 3)) + 1e-12) - 1) ** 2).mean()
            loss_d = on_fake - on_real + penalty
            norm_d = minimise(disc, loss_d, opt_d)
        z_g = normal(rng, n, nz)
        golden.put(f"feed/{k}/z_g", z_g)
        loss_g = -disc(gen(z_g.view(n, nz, 1, 1))).mean()
        norm_g = minimise(gen, loss_g, opt_g)
        golden.note(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real, disc__fake=on_fake,
                    disc__gap=on_real - on_fake, penalty__gp=penalty, grad_norm__disc=norm_d,
                    grad_norm__gen=norm_g)
    return golden.finish(nets)


# -- optim: update rules alone -----------------------------------------------------------------------

STEPS = 12


def run_torch(golden, name, make, start, grads, clip=None):
    p = nn.Parameter(start.clone())
    optimiser, out, norms = make([p]), [], []
    for g in grads:
        p.grad = g.clone()
        if clip is not None:
            norms.append(float(nn.utils.clip_grad_norm_([p], clip)))
        optimiser.step()
        out.append(p.detach().clone())
    golden.put(f"{name}/param", torch.stack(out))
    if clip is not None:
        golden.put(f"{name}/norm", np.array(norms))


def run_sgd_paper(golden, name, start, grads, decay, floor, saturate):
    """pylearn2: v = m v - lr g; p += v; then lr and m move."""
    p, v, out, lrs, momenta = start.clone(), torch.zeros_like(start), [], [], []
    for t, g in enumerate(grads):
        lr = max(0.1 / decay ** t, floor)
        momentum = 0.5 + (0.7 - 0.5) * min(t / saturate, 1.0)
        v = momentum * v - lr * g
        p = p + v
        out.append(p)
        lrs.append(lr)
        momenta.append(momentum)
    golden.put(f"{name}/param", torch.stack(out))
    golden.put(f"{name}/lr", np.array(lrs))
    golden.put(f"{name}/momentum", np.array(momenta))
    golden.metadata[name] = (
        f"lr=0.1 decay={decay} floor={floor} momentum=0.5..0.7 saturate={saturate}: update t (from 0) uses "
        "lr_t = max(lr / decay^t, floor) and m_t = 0.5 + 0.2 min(t / saturate, 1), both changing after the "
        "update; v = m_t v - lr_t g, v starts at 0; p += v")


def run_rmsprop_tf(golden, name, start, grads, initial):
    """TensorFlow: mean square with epsilon inside the root."""
    p, ms, out = start.clone(), torch.full_like(start, initial), []
    for g in grads:
        ms = 0.9 * ms + 0.1 * g * g
        p = p - 0.01 * g / torch.sqrt(ms + 1e-10)
        out.append(p)
    golden.put(f"{name}/param", torch.stack(out))
    golden.metadata[name] = (f"lr=0.01 decay=0.9 eps=1e-10 ms_0={initial}: ms = 0.9 ms + 0.1 g^2; "
                             "p -= lr g / sqrt(ms + eps)")


def run_optimistic(golden, start, grads):
    """p -= 2 lr d_t - lr d_{t-1}: d the gradient; d the step torch's own Adam makes with rate 1."""
    adam = torch.optim.Adam([other := start.clone()], 1.0, betas=(0.5, 0.999), eps=1e-8)
    directions = []
    for g in grads:
        before = other.clone()
        other.grad = g.clone()
        adam.step()
        directions.append(before - other)
    for name, lr, steps in (("ogd", 0.1, list(grads)), ("oadam", 0.02, directions)):
        p, rows, last = start.clone(), [], torch.zeros_like(start)
        for d in steps:
            p, last = p - 2 * lr * d + lr * last, d
            rows.append(p.clone())
        golden.put(f"{name}/param", torch.stack(rows))
    golden.metadata["ogd"] = "lr=0.1: p -= 2 lr g_t - lr g_{t-1}"
    golden.metadata["oadam"] = "lr=0.02 beta1=0.5 beta2=0.999 eps=1e-8: p -= 2 lr d_t - lr d_{t-1}, d Adam's step"


def make_optim(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    start = normal(rng, 9)
    scale = torch.from_numpy(10.0 ** rng.uniform(-1.2, 0.5, size=(STEPS, 1)))
    grads = normal(rng, STEPS, 9) * scale
    grads[3] = 0.0
    golden = Golden(dict(steps=STEPS, n=9, torch=torch.__version__))
    golden.put("start", start)
    golden.put("grad", grads)
    optim = torch.optim
    for name, text, make in (
            ("sgd", "lr=0.1 momentum=0.5: v = m v + g; p -= lr v",
             lambda p: optim.SGD(p, 0.1, momentum=0.5)),
            ("rmsprop_torch",
             "lr=0.01 alpha=0.99 eps=1e-8: ms = a ms + (1-a) g^2; p -= lr g / (sqrt(ms) + eps)",
             lambda p: optim.RMSprop(p, 0.01, alpha=0.99, eps=1e-8)),
            ("adam", "lr=0.02 beta1=0.5 beta2=0.999 eps=1e-8",
             lambda p: optim.Adam(p, 0.02, betas=(0.5, 0.999), eps=1e-8)),
            ("adamw", "lr=0.02 beta1=0.9 beta2=0.999 eps=1e-8 weight_decay=0.01: p *= 1 - lr wd, then adam",
             lambda p: optim.AdamW(p, 0.02, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01))):
        run_torch(golden, name, make, start, grads)
        golden.metadata[name] = text
    run_torch(golden, "adam_clip", lambda p: optim.Adam(p, 0.02, betas=(0.5, 0.999), eps=1e-8), start, grads,
              clip=1.0)
    golden.metadata["adam_clip"] = ("adam after clipping: norm = |g|; g *= min(1, 1.0 / (norm + 1e-6)); "
                                    "adam_clip/norm holds the norms before clipping")
    run_sgd_paper(golden, "sgd_paper", start, grads, 1.000004, 1e-6, 8)
    run_sgd_paper(golden, "sgd_paper_floor", start, grads, 1.5, 0.02, 8)
    run_rmsprop_tf(golden, "rmsprop_tf", start, grads, 0.0)
    run_rmsprop_tf(golden, "rmsprop_tf_ones", start, grads, 1.0)
    run_optimistic(golden, start, grads)
    return golden


# -- layers: one forward and backward each --------------------------------------------------------------

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
    s.case("maxout", "units=3 pieces=4: unit u is the largest of linear outputs 4u..4u+3",
           lambda x, p: F.linear(x, p["weight"], p["bias"]).view(-1, 3, 4).amax(2), normal(rng, 5, 6),
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


# -- losses -------------------------------------------------------------------------------------------

def pairs(a, b):
    """|a_i - b_j|^2 from differences, without the expansion libgan uses."""
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(-1)


def others(k):
    """Mean over i != j."""
    n = k.shape[0]
    return k[~torch.eye(n, dtype=torch.bool)].mean()


def mmd(kernel, unbiased=True):
    mean = others if unbiased else torch.mean

    def of(c):
        return mean(kernel(c.x, c.x)) + mean(kernel(c.y, c.y)) - 2 * kernel(c.x, c.y).mean()
    return of


def kernel_rq(a, b):
    return a @ b.T + sum((1 + pairs(a, b) / (2 * q)) ** -q for q in (0.1, 1.0, 10.0))


def kernel_rbf(*sigmas):
    return lambda a, b: sum(torch.exp(-pairs(a, b) / (2 * s ** 2)) for s in sigmas)


def root(x, eps):
    return torch.sqrt((x ** 2).sum(-1) + eps)


def kernel_distance(a, b):
    return root(a, 1e-5)[:, None] + root(b, 1e-5)[None, :] - torch.sqrt(pairs(a, b) + 1e-5)


def energy(c):
    def distance(a, b):
        return torch.sqrt(pairs(a, b) + 1e-5)
    return 2 * distance(c.x, c.y).mean() - others(distance(c.x, c.x)) - others(distance(c.y, c.y))


def fgan(domain, conjugate):
    """The table's g_f and f*, composed as it stands."""
    def disc(c):
        return -(domain(c.x).mean() - conjugate(domain(c.y)).mean())
    return (disc, lambda c: -domain(c.y).mean()), (disc, lambda c: -conjugate(domain(c.y)).mean())


def cramer_disc(c):
    def f(h):
        return root(h - c.y2, 1e-12) - root(h, 1e-12)
    return -(f(c.x) - f(c.y)).mean()


def cramer_gen(c):
    return (root(c.x - c.y, 1e-12) + root(c.x - c.y2, 1e-12) - root(c.y - c.y2, 1e-12)).mean()


def fisher(c):
    omega = (c.x ** 2).mean() / 2 + (c.y ** 2).mean() / 2
    gap = c.x.mean() - c.y.mean()
    return -(gap + c.multiplier * (1 - omega) - 1e-6 / 2 * (1 - omega) ** 2)


def coulomb(c):
    def potential(at):
        return (1 / torch.sqrt(pairs(at, c.fake) + 1)).mean(1) - (1 / torch.sqrt(pairs(at, c.real) + 1)).mean(1)
    return F.mse_loss(c.x[:, 0], potential(c.real)) + F.mse_loss(c.y[:, 0], potential(c.fake))


def li(c):
    mmd2 = mmd(kernel_rbf(1, 2, 4, 8, 16), unbiased=False)(c)
    return torch.sqrt(F.relu(mmd2) + 1e-12) - 16 * F.relu(c.y.mean(0) - c.x.mean(0)).mean()


def li_disc(c):
    return 8 * (F.mse_loss(c.x @ c.decoder, c.real) + F.mse_loss(c.y @ c.decoder, c.fake)) - li(c)


def averaged(real, fake):
    """L_D from functions of the margins of reals and of fakes; L_G exchanges the batches."""
    def of(x, y):
        return real(x - y.mean()).mean() + fake(y - x.mean()).mean()
    return lambda c: of(c.x, c.y), lambda c: of(c.y, c.x)


def anchors():
    """Uniform and normal over 51 outcomes, moved by half the range, what leaves it kept at its end."""
    a0, a1 = np.zeros(51), np.zeros(51)
    u = np.linspace(-1, 1, 51)
    bell = np.exp(-(u / 0.31) ** 2 / 2)
    for i in range(51):
        a0[max(i - 25, 0)] += bell[i] / bell.sum()
        a1[min(i + 25, 50)] += 1 / 51
    return torch.from_numpy(a0), torch.from_numpy(a1)


def kl(p, logits):
    return torch.where(p > 0, p * (torch.log(p.clamp_min(1e-300)) - F.log_softmax(logits, 1)), 0 * logits).sum(1).mean()


def realness_disc(c):
    a0, a1 = anchors()
    return kl(a1.expand_as(c.x), c.x) + kl(a0.expand_as(c.y), c.y)


def realness_gen(c):
    a0, _ = anchors()
    return kl(F.softmax(c.x, 1), c.y) - kl(a0.expand_as(c.y), c.y)


def bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def losses():
    """name: (outputs, critic's loss, generator's loss)."""
    log2 = float(np.log(2))

    def game(c):
        return bce(c.x, 1.0) + bce(c.y, 0.0)

    def minus(c):
        return -c.y.mean()

    def squares(b, a):
        return lambda c: ((c.x - b) ** 2).mean() / 2 + ((c.y - a) ** 2).mean() / 2

    table = {
        "minimax": (1, game, lambda c: -bce(c.y, 0.0)),
        "nonsaturating": (1, game, lambda c: bce(c.y, 1.0)),
        "wasserstein": (1, lambda c: c.y.mean() - c.x.mean(), minus),
        "hinge": (1, lambda c: F.relu(1 - c.x).mean() + F.relu(1 + c.y).mean(), minus),
        "lsgan": (1, squares(1, 0), lambda c: ((c.y - 1) ** 2).mean() / 2),
        "lsgan-chi2": (1, squares(1, -1), lambda c: (c.y ** 2).mean() / 2),
        "fisher": (1, fisher, minus),
        "cramer": (256, cramer_disc, cramer_gen),
        "energy": (16, lambda c: -energy(c), energy),
        "coulomb": (1, coulomb, lambda c: c.y.mean()),
        "mmd-li": (64, li_disc, li),
        "rpgan": (1, lambda c: F.softplus(-(c.x - c.y)).mean(), lambda c: F.softplus(-(c.y - c.x)).mean()),
        "ragan": (1, *averaged(lambda m: F.softplus(-m), F.softplus)),
        "ragan-ls": (1, *averaged(lambda m: (m - 1) ** 2, lambda m: (m + 1) ** 2)),
        "rahinge": (1, *averaged(lambda m: F.relu(1 - m), lambda m: F.relu(1 + m))),
        "realness": (51, realness_disc, realness_gen),
    }
    for name, kernel in (("rq", kernel_rq), ("rbf", kernel_rbf(2, 5, 10, 20, 40, 80)),
                         ("distance", kernel_distance)):
        gen = mmd(kernel)
        table[f"mmd-{name}"] = (
            16, lambda c, gen=gen: (c.x ** 2).mean() + (c.y ** 2).mean() - gen(c), gen)
    for name, domain, conjugate in (
            ("tv", lambda v: torch.tanh(v) / 2, lambda t: t),
            ("kl", lambda v: v, lambda t: torch.exp(t - 1)),
            ("rkl", lambda v: -torch.exp(-v), lambda t: -1 - torch.log(-t)),
            ("pearson", lambda v: v, lambda t: t ** 2 / 4 + t),
            ("neyman", lambda v: 1 - torch.exp(-v), lambda t: 2 - 2 * torch.sqrt(1 - t)),
            ("hellinger", lambda v: 1 - torch.exp(-v), lambda t: t / (1 - t)),
            ("js", lambda v: log2 - torch.log(1 + torch.exp(-v)), lambda t: -torch.log(2 - torch.exp(t))),
            ("gan", lambda v: -torch.log(1 + torch.exp(-v)), lambda t: -torch.log(1 - torch.exp(t)))):
        trick, plain = fgan(domain, conjugate)
        table[f"fgan-{name}"], table[f"fgan-{name}-sat"] = (1, *trick), (1, *plain)
    return table


class Scores:
    pass


def make_losses(seed):
    rng, n, size = np.random.default_rng(seed), 5, 6
    golden = Golden({"torch": torch.__version__})
    real, fake = normal(rng, n, size), normal(rng, n, size) + 0.5
    golden.put("points/real", real)
    golden.put("points/fake", fake)
    inputs = {}
    for outputs in (1, 16, 51, 64, 256):
        c = Scores()
        c.real, c.fake, c.multiplier = real, fake, 0.25
        c.x, c.y, c.y2 = (normal(rng, n, outputs) + shift for shift in (0.3, -0.2, -0.2))
        c.decoder = normal(rng, outputs, size, std=outputs ** -0.5)
        inputs[outputs] = c
        for key, value in (("x", c.x), ("y", c.y), ("y2", c.y2)):
            golden.put(f"outputs.{outputs}/{key}", value)
        if outputs == 64:
            golden.put("decoder", c.decoder)
    for name, (outputs, disc, gen) in losses().items():
        c = inputs[outputs]
        for kind, loss in (("disc", disc), ("gen", gen)):
            batches = [t.detach().clone().requires_grad_() for t in (c.x, c.y, c.y2)]
            c.x, c.y, c.y2 = batches
            value = loss(c)
            golden.put(f"{name}/{kind}", value)
            slopes = torch.autograd.grad(value, batches, allow_unused=True)
            for key, slope in zip(("x", "y", "y2"), slopes):
                if slope is not None:
                    golden.put(f"{name}/{kind}/d{key}", slope)
    return golden


# -- program ------------------------------------------------------------------------------------------

FILES = {
    "gan": lambda: make_gan("nonsaturating", 1, 101),
    "gan_sat": lambda: make_gan("saturating", 2, 102),
    "dcgan": lambda: make_dcgan(103),
    "critic_gp": lambda: make_critic_gp(104),
    "wgan_gp": lambda: make_wgan_gp(107),
    "optim": lambda: make_optim(105),
    "losses": lambda: make_losses(112),
    "layers": lambda: make_layers(106),
    "pix2pix": lambda: make_pix2pix(107),
    "cyclegan": lambda: make_cyclegan(0, 108),
    "cyclegan_pool": lambda: make_cyclegan(3, 109),
    "unrolled": lambda: make_unrolled(110),
    "l2l": lambda: make_l2l(111),
    "lazy": lambda: make_lazy(112),
    "augment": lambda: make_augment(113),
    "simultaneous": lambda: make_play(False, 114),
    "extra": lambda: make_play(True, 115),
}


def largest_difference(a, b):
    """max |a-b| / (1+|b|) and where, over two dictionaries of tensors with the same names."""
    if set(a) != set(b):
        raise SystemExit(f"golden: tensors differ in name: {sorted(set(a) ^ set(b))[:5]}")
    worst, where = 0.0, "-"
    for name in a:
        if a[name].shape != b[name].shape:
            raise SystemExit(f"golden: {name}: shape {a[name].shape}, file has {b[name].shape}")
        if a[name].size == 0:
            continue
        diff = float(np.max(np.abs(a[name] - b[name]) / (1 + np.abs(b[name]))))
        if not diff <= worst:
            worst, where = diff, name
    return worst, where


def check(name, golden, path):
    """Another CPU or torch may round differently: 1e-11 is far below the tests' 1e-9."""
    stored, metadata = read_safetensors(path)
    made, wrote = dict(golden.metadata), dict(metadata)
    made.pop("torch"), wrote.pop("torch")
    worst, where = largest_difference(golden.tensors, stored)
    good = worst <= 1e-11 and made == wrote
    print(f"{name}: {'ok' if good else 'DIFFERS'}, largest difference {worst:.1e} at {where}"
          f"{'' if made == wrote else ', metadata differs'}")
    return good


def sensitivity(name, golden):
    global noise
    noise = 1e-15
    np.random.seed(0)
    other = FILES[name]()
    noise = 0.0
    keep = {key for key in golden.tensors if key.startswith(("trace/", "final/"))}
    worst, where = largest_difference({key: other.tensors[key] for key in keep},
                                      {key: golden.tensors[key] for key in keep})
    print(f"{name}: noise 1e-15 on the weights moves {where} by {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=sorted(FILES))
    parser.add_argument("--out", default=DIRECTORY)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--sensitivity", action="store_true")
    args = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    good = True
    for name in [args.only] if args.only else FILES:
        golden = FILES[name]()
        path = os.path.normpath(os.path.join(args.out, f"{name}.safetensors"))
        if args.check:
            good = check(name, golden, path) and good
        elif args.sensitivity:
            sensitivity(name, golden)
        else:
            os.makedirs(args.out, exist_ok=True)
            write_safetensors(path, golden.tensors, golden.metadata)
            print(f"{path}: {len(golden.tensors)} tensors, {os.path.getsize(path)} bytes")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
