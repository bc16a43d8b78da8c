"""Traces of whole trainings: the GAN, DCGAN, a critic with a gradient penalty, WGAN-GP."""

from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .common import Golden, ITERATIONS, bce, images, initialise, minimise, nchw, normal

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
        golden.put_images(f"feed/{k}/real", real)
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
            golden.put_images(f"feed/{k}/real.{step}", real)
            for name, value in dict(z_d=z_d, eps=eps).items():
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
