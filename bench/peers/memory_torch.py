#!/usr/bin/python3
"""PyTorch's peak memory for one training step of the reference recipes.

Each model runs in a process of its own: the peak resident size (ru_maxrss) after the steps, minus the
peak after torch is imported and a first small convolution, product and optimiser step have loaded its
libraries' code. Weights, optimiser state, gradients, activations and one batch of data are in the figure.
Prints one JSON line for each model.

    /usr/bin/python3 memory_torch.py [MODEL ...] [--batch 64] [--threads 2] [--steps 3]
"""

import argparse
import json
import os
import resource
import subprocess
import sys

MODELS = ("dcgan-64", "dcgan-32", "gan", "autoencoder")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL",
                        help=", ".join(MODELS))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


ARGS = parse()
os.environ["OMP_NUM_THREADS"] = str(ARGS.threads)


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def warm(torch, nn):
    """Loads code and creates thread pools without holding memory."""
    net = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Flatten(),
                        nn.Linear(64, 1), nn.Sigmoid())
    optim = torch.optim.Adam(net.parameters())
    nn.BCELoss()(net(torch.rand(2, 1, 8, 8)), torch.ones(2, 1)).backward()
    optim.step()


def dcgan(torch, nn, size, channels, width):
    top = width * size // 8
    gen, disc, w = [nn.ConvTranspose2d(100, top, 4, 1, 0, bias=False), nn.BatchNorm2d(top), nn.ReLU(True)], [], top
    while w > width:
        gen += [nn.ConvTranspose2d(w, w // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(w // 2), nn.ReLU(True)]
        w //= 2
    gen += [nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh()]
    disc += [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    while w < top:
        disc += [nn.Conv2d(w, w * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(w * 2), nn.LeakyReLU(0.2, inplace=True)]
        w *= 2
    disc += [nn.Conv2d(top, 1, 4, 1, 0, bias=False), nn.Flatten(), nn.Sigmoid()]
    return nn.Sequential(*gen), nn.Sequential(*disc), (channels, size, size), (100, 1, 1)


def mlp(torch, nn):
    gen, w = [nn.Linear(100, 128), nn.LeakyReLU(0.2, inplace=True)], 128
    while w < 1024:
        gen += [nn.Linear(w, 2 * w), nn.BatchNorm1d(2 * w, 0.8), nn.LeakyReLU(0.2, inplace=True)]
        w *= 2
    gen += [nn.Linear(1024, 784), nn.Tanh()]
    disc = nn.Sequential(nn.Linear(784, 512), nn.LeakyReLU(0.2, inplace=True), nn.Linear(512, 256),
                         nn.LeakyReLU(0.2, inplace=True), nn.Linear(256, 1), nn.Sigmoid())
    return nn.Sequential(*gen), disc, (784,), (100,)


def gan_steps(torch, nn, gen, disc, image, noise):
    opt_g = torch.optim.Adam(gen.parameters(), lr=2e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(disc.parameters(), lr=2e-4, betas=(0.5, 0.999))
    loss = nn.BCELoss()
    real = torch.rand(ARGS.batch, *image) * 2 - 1
    one, zero = torch.ones(ARGS.batch, 1), torch.zeros(ARGS.batch, 1)
    for _ in range(ARGS.steps):
        disc.zero_grad()
        loss(disc(real), one).backward()
        fake = gen(torch.randn(ARGS.batch, *noise))
        loss(disc(fake.detach()), zero).backward()
        opt_d.step()
        gen.zero_grad()
        loss(disc(fake), one).backward()
        opt_g.step()


def autoencoder_steps(torch, nn):
    """Adversarial autoencoder: encoder to mean and log variance, decoder, discriminator of codes."""
    def hidden(n_in):
        return [nn.Linear(n_in, 512), nn.LeakyReLU(0.2, inplace=True), nn.Linear(512, 512),
                nn.BatchNorm1d(512), nn.LeakyReLU(0.2, inplace=True)]
    enc, mu, logvar = nn.Sequential(*hidden(784)), nn.Linear(512, 10), nn.Linear(512, 10)
    dec = nn.Sequential(*hidden(10), nn.Linear(512, 784), nn.Tanh())
    disc = nn.Sequential(nn.Linear(10, 512), nn.LeakyReLU(0.2, inplace=True), nn.Linear(512, 256),
                         nn.LeakyReLU(0.2, inplace=True), nn.Linear(256, 1), nn.Sigmoid())
    opt_g = torch.optim.Adam([p for m in (enc, mu, logvar, dec) for p in m.parameters()], lr=2e-4)
    opt_d = torch.optim.Adam(disc.parameters(), lr=2e-4)
    loss, x = nn.BCELoss(), torch.rand(ARGS.batch, 784) * 2 - 1
    one, zero = torch.ones(ARGS.batch, 1), torch.zeros(ARGS.batch, 1)
    for _ in range(ARGS.steps):
        opt_g.zero_grad()
        h = enc(x)
        code = mu(h) + torch.randn(ARGS.batch, 10) * torch.exp(logvar(h) / 2)
        (0.001 * loss(disc(code), one) + 0.999 * nn.functional.l1_loss(dec(code), x)).backward()
        opt_g.step()
        opt_d.zero_grad()
        loss(disc(torch.randn(ARGS.batch, 10)), one).backward()
        loss(disc(code.detach()), zero).backward()
        opt_d.step()


def measure(name):
    import torch
    from torch import nn
    torch.set_num_threads(ARGS.threads)
    torch.manual_seed(0)
    warm(torch, nn)
    idle = peak_mib()
    if name == "dcgan-64":
        gan_steps(torch, nn, *dcgan(torch, nn, 64, 3, 64))
    elif name == "dcgan-32":
        gan_steps(torch, nn, *dcgan(torch, nn, 32, 1, 32))
    elif name == "gan":
        gan_steps(torch, nn, *mlp(torch, nn))
    elif name == "autoencoder":
        autoencoder_steps(torch, nn)
    else:
        sys.exit(f"memory_torch.py: there is no model {name}, there are {', '.join(MODELS)}")
    print(json.dumps({"peer": "torch", "version": torch.__version__, "model": name, "batch": ARGS.batch,
                      "threads": ARGS.threads, "idle_mib": round(idle, 1),
                      "step_mib": round(peak_mib() - idle, 1)}), flush=True)


def main():
    if ARGS.one:
        measure(ARGS.models[0])
        return
    for name in ARGS.models:
        subprocess.run([sys.executable, __file__, name, "--one", "--batch", str(ARGS.batch), "--threads",
                        str(ARGS.threads), "--steps", str(ARGS.steps)], check=True)


if __name__ == "__main__":
    main()
