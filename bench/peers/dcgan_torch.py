#!/usr/bin/python3
"""PyTorch's side of the speed comparison: one DCGAN training iteration as in pytorch/examples.

The loop is that example's, line for line where it costs time: both phases, separate real and fake batches
through the discriminator, BCELoss on sigmoids, .item() for the log, Adam, zero_grad. The data is a random
tensor already in memory, so that only the iteration is timed. Prints one JSON line.

    dcgan_torch.py --size 32 --channels 1 --width 32 --batch 64 --threads 2 --iters 40

--channels-last uses PyTorch's NHWC layout instead of its default; the faster of both is the peer to beat.
"""

import argparse
import json
import os
import statistics
import time

WARM_UP = 5
POOL = 8  # batches of data, used in turn


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--iters", type=int, default=20)
    parser.add_argument("--channels-last", action="store_true")
    args = parser.parse_args()
    if args.size < 16 or args.size & (args.size - 1):
        parser.error(f"--size {args.size}: must be a power of two from 16")
    if min(args.channels, args.width, args.batch, args.threads, args.iters) < 1:
        parser.error("channels, width, batch, threads and iters must be at least 1")
    return args


ARGS = parse()
os.environ["OMP_NUM_THREADS"] = str(ARGS.threads)  # read by OpenMP and OpenBLAS when torch loads

import torch  # noqa: E402
from torch import nn  # noqa: E402

NZ = 100


def generator(size, ngf, nc):
    width = ngf * size // 8
    layers = [nn.ConvTranspose2d(NZ, width, 4, 1, 0, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)]
    while width > ngf:
        layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False),
                   nn.BatchNorm2d(width // 2), nn.ReLU(True)]
        width //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(size, ndf, nc):
    layers, width = [nn.Conv2d(nc, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)], ndf
    while width < ndf * size // 8:
        layers += [nn.Conv2d(width, width * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width * 2),
                   nn.LeakyReLU(0.2, inplace=True)]
        width *= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 0, bias=False), nn.Sigmoid())


def weights_init(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def iteration(net_g, net_d, opt_g, opt_d, criterion, real):
    n = real.size(0)
    net_d.zero_grad()
    label = torch.full((n,), 1.0)
    output = net_d(real).view(-1)
    err_real = criterion(output, label)
    err_real.backward()
    d_x = output.mean().item()
    fake = net_g(torch.randn(n, NZ, 1, 1))
    label.fill_(0.0)
    output = net_d(fake.detach()).view(-1)
    err_fake = criterion(output, label)
    err_fake.backward()
    d_g_z1 = output.mean().item()
    err_d = err_real + err_fake
    opt_d.step()

    net_g.zero_grad()
    label.fill_(1.0)
    output = net_d(fake).view(-1)
    err_g = criterion(output, label)
    err_g.backward()
    d_g_z2 = output.mean().item()
    opt_g.step()
    return err_d.item(), err_g.item(), d_x, d_g_z1, d_g_z2


def main():
    torch.manual_seed(0)
    torch.set_num_threads(ARGS.threads)
    layout = torch.channels_last if ARGS.channels_last else torch.contiguous_format
    net_g = generator(ARGS.size, ARGS.width, ARGS.channels).apply(weights_init).to(memory_format=layout)
    net_d = discriminator(ARGS.size, ARGS.width, ARGS.channels).apply(weights_init).to(memory_format=layout)
    opt_d = torch.optim.Adam(net_d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    opt_g = torch.optim.Adam(net_g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion = nn.BCELoss()
    data = [(torch.rand(ARGS.batch, ARGS.channels, ARGS.size, ARGS.size) * 2 - 1).to(memory_format=layout)
            for _ in range(POOL)]
    times = []
    for k in range(WARM_UP + ARGS.iters):
        begin = time.perf_counter()
        iteration(net_g, net_d, opt_g, opt_d, criterion, data[k % POOL])
        if k >= WARM_UP:
            times.append(time.perf_counter() - begin)
    rates = sorted(ARGS.batch / t for t in times)
    print(json.dumps({
        "peer": "torch", "version": torch.__version__, "size": ARGS.size, "channels": ARGS.channels,
        "width": ARGS.width, "batch": ARGS.batch, "threads": ARGS.threads, "iters": ARGS.iters,
        "layout": "nhwc" if ARGS.channels_last else "nchw",
        "images_per_s": round(statistics.median(rates), 2),
        "spread": [round(rates[0], 2), round(rates[-1], 2)],
        "ms_per_step": round(1e3 * statistics.median(times), 2)}))


if __name__ == "__main__":
    main()
