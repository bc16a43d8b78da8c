"""Traces of pix2pix and CycleGAN."""

from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .common import (
    Golden, ITERATIONS, bce, fill, hashed, images, initialise, minimise, nchw, nhwc)


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


def pix2pix_update(gen, disc, x, y, opt_d, opt_g, weight):
    """One iteration; what it reports."""
    fake = gen(x)
    on_fake = bce(disc(torch.cat([x, fake.detach()], 1)), 0.0)
    on_real = bce(disc(torch.cat([x, y], 1)), 1.0)
    loss_d = (on_fake + on_real) * 0.5
    norm_d = minimise(disc, loss_d, opt_d)
    adversarial = bce(disc(torch.cat([x, fake], 1)), 1.0)
    l1 = F.l1_loss(fake, y)
    loss_g = adversarial + weight * l1
    norm_g = minimise(gen, loss_g, opt_g)
    return dict(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real, disc__fake=on_fake, l1=l1,
                adversarial=adversarial, grad_norm__disc=norm_d, grad_norm__gen=norm_g)


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
        golden.note(**pix2pix_update(gen, disc, x, y, opt_d, opt_g, weight))
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


class Fpn(nn.Module):
    """Encoder, laterals, top-down path, heads; tanh and the input added and clamped at the end."""

    def __init__(self, c, w, f):
        super().__init__()
        widths, norm = [c, w, 2 * w, 4 * w, 8 * w, 8 * w], nn.InstanceNorm2d
        for i in range(5):
            conv = nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1)
            setattr(self, f"enc{i}", nn.Sequential(conv, norm(widths[i + 1])) if 0 < i < 4 else nn.Sequential(conv))
            setattr(self, f"lateral{i}", nn.Conv2d(widths[i + 1], f if i else f // 2, 1, bias=False))
        for i in (1, 2, 3):
            setattr(self, f"td{i}", nn.Sequential(nn.Conv2d(f, f, 3, 1, 1), norm(f), nn.ReLU()))
        for i in (1, 2, 3, 4):
            setattr(self, f"head{i}", nn.ModuleList([nn.Conv2d(f, f // 2, 3, 1, 1, bias=False),
                                                     nn.Conv2d(f // 2, f // 2, 3, 1, 1, bias=False)]))
        self.smooth = nn.Sequential(nn.Conv2d(2 * f, f // 2, 3, 1, 1), norm(f // 2), nn.ReLU())
        self.smooth2 = nn.Sequential(nn.Conv2d(f // 2, f // 4, 3, 1, 1), norm(f // 4), nn.ReLU())
        self.final = nn.Conv2d(f // 4, c, 3, 1, 1)

    def forward(self, x):
        def up(t, times):
            return F.interpolate(t, scale_factor=times, mode="nearest")
        levels, t = [], x
        for i in range(5):
            t = getattr(self, f"enc{i}")(F.leaky_relu(t, 0.2) if i else t)
            levels.append(t)
        maps = {4: self.lateral4(levels[4])}
        for i in (3, 2, 1):
            lateral = getattr(self, f"lateral{i}")(levels[i])
            maps[i] = getattr(self, f"td{i}")(lateral + up(maps[i + 1], 2))
        parts = []
        for i in (4, 3, 2, 1):
            first, second = getattr(self, f"head{i}")
            part = F.relu(second(F.relu(first(maps[i]))))
            parts.append(up(part, 2 ** (i - 1)) if i > 1 else part)
        y = up(self.smooth(torch.cat(parts, 1)), 2) + self.lateral0(levels[0])
        y = self.final(up(self.smooth2(y), 2))
        return torch.clamp(torch.tanh(y) + x, -1, 1)


def padded_disc(c_in, width, layers):
    """PatchGAN with padding 2."""
    net = patch_disc(c_in, width, layers, nn.InstanceNorm2d, True)
    for part in net.model:
        if isinstance(part, nn.Conv2d):
            part.padding = (2, 2)
    return net


def critic_terms(disc, x, y, fake, eps, weight):
    """E D(fake) - E D(real), and the penalty; the score of a sample is the mean of its patches."""
    gap = disc(torch.cat([x, fake.detach()], 1)).mean() - disc(torch.cat([x, y], 1)).mean()
    x_hat = (fake.detach() + eps * (y - fake.detach())).requires_grad_(True)
    score = disc(torch.cat([x, x_hat], 1)).mean((1, 2, 3))
    slope, = torch.autograd.grad(score.sum(), x_hat, create_graph=True)
    norm = torch.sqrt((slope ** 2).sum((1, 2, 3)) + 1e-12)
    return gap, weight * ((norm - 1) ** 2).mean()


def make_translate_fpn(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    n, size, c, width, features, layers, lr = 1, 32, 1, 1, 4, 1, 2e-3
    gan, pixel, seen_weight, penalty = 0.1, 0.5, 2.0, 10.0
    gen = Fpn(c, width, features)
    disc, whole = padded_disc(2 * c, 1, layers), padded_disc(2 * c, 1, 5)
    nets = {"gen": gen, "disc": disc, "disc_whole": whole}
    for net in nets.values():
        initialise(rng, net, 1.0)
    discs = nn.ModuleList([disc, whole])
    opt_d, opt_g = (torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999), eps=1e-8)
                    for net in (discs, gen))
    golden = Golden(dict(model="translate-fpn", iterations=ITERATIONS, batch=n, height=size, width=size, channels=c,
                         net_width=width, features=features, layers=layers, gan=gan, pixel=pixel,
                         perceptual="pixels:8", perceptual_weight=seen_weight, gp=penalty, optim="adam", lr=lr,
                         beta1=0.5, beta2=0.999, eps=1e-8, schedule="hold .5", order="critics, gen",
                         torch=torch.__version__))
    golden.put_state("init", nets)
    for k in range(ITERATIONS):
        hold((opt_d, opt_g), lr, k)
        feeds = {"real": images(rng, n, size, size, c).float(), "real_b": images(rng, n, size, size, c).float()}
        for name in ("eps.disc", "eps.disc_whole"):
            feeds[name] = torch.from_numpy(rng.uniform(size=(n, 1, 1, 1)))
        for name, value in feeds.items():
            golden.put(f"feed/{k}/{name}", value)
        x, y = nchw(feeds["real"].double()), nchw(feeds["real_b"].double())
        fake = gen(x)
        gap, slope = critic_terms(disc, x, y, fake, feeds["eps.disc"], penalty)
        gap_w, slope_w = critic_terms(whole, x, y, fake, feeds["eps.disc_whole"], penalty)
        loss_d = 0.5 * (gap + slope + gap_w + slope_w)
        norm_d = minimise(discs, loss_d, opt_d)
        both = torch.cat([x, fake], 1)
        adversarial = -0.5 * (disc(both).mean() + whole(both).mean())
        distance, cells = F.mse_loss(fake, y), size // 8
        seen = F.mse_loss(F.avg_pool2d((fake + 1) / 2, cells), F.avg_pool2d((y + 1) / 2, cells))
        loss_g = pixel * distance + gan * adversarial + seen_weight * seen
        norm_g = minimise(gen, loss_g, opt_g)
        golden.note(**{"gap": -gap, "penalty.gp": slope, "gap.whole": -gap_w, "penalty.gp.whole": slope_w,
                       "loss.disc+disc_whole": loss_d, "grad_norm.disc+disc_whole": norm_d, "loss.gen": loss_g,
                       "grad_norm.gen": norm_g, "pixel": distance, "perceptual": seen, "adversarial": adversarial})
    return golden.finish(nets)


def cyclegan_update(nets, a, b, opts, cycle, idt, pools, feeds):
    """One iteration; what it reports. feeds: the pools' decisions."""
    gen_a, gen_b, disc_a, disc_b = nets.values()
    fake_b, fake_a = gen_a(a), gen_b(b)
    cycle_a, cycle_b = F.l1_loss(gen_b(fake_b), a), F.l1_loss(gen_a(fake_a), b)
    idt_a, idt_b = F.l1_loss(gen_a(b), b), F.l1_loss(gen_b(a), a)
    adv_a, adv_b = lsgan(disc_a(fake_b), 1.0), lsgan(disc_b(fake_a), 1.0)
    loss_g = adv_a + adv_b + cycle * (cycle_a + cycle_b) + cycle * idt * (idt_a + idt_b)
    norm_g = minimise(nn.ModuleList([gen_a, gen_b]), loss_g, opts[0])
    seen = {name: pools[name].query(fake, feeds.get(f"pool.{name}", torch.zeros(len(a), 2)))
            for name, fake in dict(fake_b=fake_b, fake_a=fake_a).items()}
    on_b = 0.5 * (lsgan(disc_a(b), 1.0) + lsgan(disc_a(seen["fake_b"]), 0.0))
    on_a = 0.5 * (lsgan(disc_b(a), 1.0) + lsgan(disc_b(seen["fake_a"]), 0.0))
    norm_d = minimise(nn.ModuleList([disc_a, disc_b]), on_a + on_b, opts[1])
    return {"loss.gen_a+gen_b": loss_g, "grad_norm.gen_a+gen_b": norm_g, "cycle_a": cycle_a,
            "cycle_b": cycle_b, "identity_a": idt_a, "identity_b": idt_b, "adversarial_a": adv_a,
            "adversarial_b": adv_b, "disc_a": on_b, "disc_b": on_a, "loss.disc_a+disc_b": on_a + on_b,
            "grad_norm.disc_a+disc_b": norm_d}


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
        reals, feeds = (images(rng, n, h, w, c), images(rng, n, h, w, c)), {}
        if size:
            feeds.update({f"pool.{name}": torch.from_numpy(rng.uniform(size=(n, 2))) for name in pools})
        for name, value in feeds.items():
            golden.put(f"feed/{k}/{name}", value)
        for name, value in zip(("real", "real_b"), reals):
            golden.put_images(f"feed/{k}/{name}", value)
        a, b = map(nchw, reals)
        golden.note(**cyclegan_update(nets, a, b, (opt_g, opt_d), cycle, idt, pools, feeds))
    for name, pool in pools.items():
        if size:
            golden.put(f"final/pool.{name}", nhwc(torch.stack(pool.kept)))
            golden.put(f"final/pool.{name}.count", np.array([float(len(pool.kept))]))
    return golden.finish(nets)


# -- the published depths, weights and images hashed -----------------------------------------------------

def rule(kind, networks):
    """Adam as published, or plain descent with rate .1, whose steps are the gradients."""
    parameters = nn.ModuleList(networks).parameters()
    if kind == "sgd":
        return torch.optim.SGD(parameters, 0.1)
    return torch.optim.Adam(parameters, 2e-4, betas=(0.5, 0.999), eps=1e-8)


def put_forward(golden, nets, size, channels):
    for name, net in nets.items():
        x = hashed(f"forward/{name}", 1, size, size, channels[name])
        with torch.no_grad():
            golden.put_some(f"forward/{name}", nhwc(net(nchw(x))))
    for name, net in nets.items():
        fill(name, net)  # the statistics as they were


def make_unet_256(kind):
    """U-Net of eight halvings and the 70-pixel PatchGAN on 256x256."""
    size, c_a, c_b, width, weight = 256, 1, 3, 2, 100.0
    gen, disc = unet(8, c_a, c_b, width), patch_disc(c_a + c_b, width, 3, nn.BatchNorm2d, False)
    nets = {"gen": gen, "disc": disc}
    for name, net in nets.items():
        fill(name, net)
    golden = Golden(dict(model="pix2pix", iterations=1, batch=1, height=size, width=size, channels_a=c_a,
                         channels_b=c_b, depth=8, net_width=width, layers=3, l1=weight, dropout=0, optim=kind,
                         torch=torch.__version__))
    put_forward(golden, nets, size, {"gen": c_a, "disc": c_a + c_b})
    x, y = (nchw(hashed(f"feed/0/{name}", 1, size, size, c)) for name, c in (("real", c_a), ("real_b", c_b)))
    golden.note(**pix2pix_update(gen, disc, x, y, rule(kind, [disc]), rule(kind, [gen]), weight))
    return golden.finish_some(nets)


def make_resnet_9(kind):
    """CycleGAN's generators of nine blocks and 70-pixel PatchGANs on 128x128."""
    size, c, width = 128, 3, 2
    nets = {"gen_a": resnet(9, c, c, width), "gen_b": resnet(9, c, c, width),
            "disc_a": patch_disc(c, width, 3, nn.InstanceNorm2d, True),
            "disc_b": patch_disc(c, width, 3, nn.InstanceNorm2d, True)}
    for name, net in nets.items():
        fill(name, net)
    golden = Golden(dict(model="cyclegan", iterations=1, batch=1, height=size, width=size, channels=c, blocks=9,
                         net_width=width, layers=3, cycle=10, identity=0.5, pool=0, optim=kind,
                         torch=torch.__version__))
    put_forward(golden, nets, size, dict.fromkeys(nets, c))
    a, b = (nchw(hashed(f"feed/0/{name}", 1, size, size, c)) for name in ("real", "real_b"))
    gens, discs = [nets["gen_a"], nets["gen_b"]], [nets["disc_a"], nets["disc_b"]]
    golden.note(**cyclegan_update(nets, a, b, (rule(kind, gens), rule(kind, discs)), 10.0, 0.5,
                                  {"fake_b": Pool(0), "fake_a": Pool(0)}, {}))
    return golden.finish_some(nets)
