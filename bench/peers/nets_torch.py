"""Networks and training steps for torch_step.py, as the reference codes write them.

DCGAN: pytorch/examples. MLP: PyTorch-GAN's gan. WGAN-GP: the same DCGAN nets, layer norm in the critic, one critic
step with penalty and one generator step. pix2pix: U-Net-128, 70x70 PatchGAN on pairs, batch norm, L1 100.
CycleGAN: ResNet-6, PatchGAN, instance norm, LSGAN, cycle 10, identity 5, an image pool.

A step is a class: inputs() makes a batch, run(batch) does one iteration and returns numbers for the log.
"""

import random

import torch
from torch import nn

Z = 100


def weights_init(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def grad_of(net, on):
    for p in net.parameters():
        p.requires_grad_(on)


def adam(parameters, lr=2e-4, betas=(0.5, 0.999)):
    return torch.optim.Adam(list(parameters), lr=lr, betas=betas)


def dcgan_generator(size, ngf, nc):
    width = ngf * size // 8
    layers = [nn.ConvTranspose2d(Z, width, 4, 1, 0, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)]
    while width > ngf:
        layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False),
                   nn.BatchNorm2d(width // 2), nn.ReLU(True)]
        width //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False), nn.Tanh())


def dcgan_discriminator(size, ndf, nc, norm, last):
    layers, width = [nn.Conv2d(nc, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)], ndf
    while width < ndf * size // 8:
        layers += [nn.Conv2d(width, width * 2, 4, 2, 1, bias=False), norm(width * 2),
                   nn.LeakyReLU(0.2, inplace=True)]
        width *= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 0, bias=False), *last)


class Adversarial:
    """The loop of pytorch/examples: real, fake, update; then the generator on the same fakes."""

    def __init__(self, gen, disc, make, latent, lr=2e-4):
        self.gen, self.disc, self.make, self.latent = gen, disc, make, latent
        self.opt_d, self.opt_g = adam(disc.parameters(), lr), adam(gen.parameters(), lr)
        self.criterion = nn.BCELoss()

    def inputs(self):
        return self.make()

    def judge(self, x):
        return self.disc(x).float().view(-1)

    def run(self, real):
        n = real.size(0)
        self.disc.zero_grad()
        label = torch.full((n,), 1.0)
        out = self.judge(real)
        err_real = self.criterion(out, label)
        err_real.backward()
        d_x = out.mean().item()
        fake = self.gen(torch.randn(n, *self.latent))
        label.fill_(0.0)
        out = self.judge(fake.detach())
        err_fake = self.criterion(out, label)
        err_fake.backward()
        d_g_z1 = out.mean().item()
        self.opt_d.step()
        self.gen.zero_grad()
        label.fill_(1.0)
        out = self.judge(fake)
        err_g = self.criterion(out, label)
        err_g.backward()
        d_g_z2 = out.mean().item()
        self.opt_g.step()
        return (err_real + err_fake).item(), err_g.item(), d_x, d_g_z1, d_g_z2


def dcgan(size, channels, width, batch):
    gen = dcgan_generator(size, width, channels).apply(weights_init)
    disc = dcgan_discriminator(size, width, channels, nn.BatchNorm2d, [nn.Sigmoid()]).apply(weights_init)
    return Adversarial(gen, disc, lambda: torch.rand(batch, channels, size, size) * 2 - 1, (Z, 1, 1))


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(x.size(0), *self.shape)


def mlp(batch):
    layers, n = [nn.Linear(Z, 128), nn.LeakyReLU(0.2, inplace=True)], 128
    while n < 1024:
        layers += [nn.Linear(n, 2 * n), nn.BatchNorm1d(2 * n), nn.LeakyReLU(0.2, inplace=True)]
        n *= 2
    gen = nn.Sequential(*layers, nn.Linear(1024, 784), nn.Tanh(), Reshape(1, 28, 28))
    disc = nn.Sequential(Reshape(784), nn.Linear(784, 512), nn.LeakyReLU(0.2, inplace=True), nn.Linear(512, 256),
                         nn.LeakyReLU(0.2, inplace=True), nn.Linear(256, 1), nn.Sigmoid())
    return Adversarial(gen, disc, lambda: torch.rand(batch, 1, 28, 28) * 2 - 1, (Z,))


class WganGp:
    def __init__(self, batch):
        self.batch = batch
        self.gen = dcgan_generator(64, 64, 3).apply(weights_init)
        self.disc = dcgan_discriminator(64, 64, 3, lambda c: nn.GroupNorm(1, c), []).apply(weights_init)
        self.opt_d = adam(self.disc.parameters(), 1e-4, (0.0, 0.9))
        self.opt_g = adam(self.gen.parameters(), 1e-4, (0.0, 0.9))

    def inputs(self):
        return torch.rand(self.batch, 3, 64, 64) * 2 - 1

    def run(self, real):
        n = real.size(0)
        grad_of(self.disc, True)
        self.disc.zero_grad()
        with torch.no_grad():
            fake = self.gen(torch.randn(n, Z, 1, 1)).float()
        loss = self.disc(fake).float().mean() - self.disc(real).float().mean()
        eps = torch.rand(n, 1, 1, 1)
        mixed = (eps * real + (1 - eps) * fake).requires_grad_(True)
        slope, = torch.autograd.grad(self.disc(mixed).float().sum(), mixed, create_graph=True)
        norm = (slope.float().flatten(1).square().sum(1) + 1e-12).sqrt()
        total = loss + 10 * (norm - 1).square().mean()
        total.backward()
        self.opt_d.step()
        grad_of(self.disc, False)
        self.gen.zero_grad()
        gen_loss = -self.disc(self.gen(torch.randn(n, Z, 1, 1))).float().mean()
        gen_loss.backward()
        self.opt_g.step()
        return total.item(), gen_loss.item()


class UNetLevel(nn.Module):
    """One level: down, what lies inside, up; the input is concatenated to the result."""

    def __init__(self, outer, width, inner=None, from_c=None, outermost=False, dropout=False):
        super().__init__()
        self.outermost = outermost
        down = nn.Conv2d(from_c or outer, width, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(width if inner is None else 2 * width, outer, 4, 2, 1, bias=outermost)
        if outermost:
            parts = [down, inner, nn.ReLU(True), up, nn.Tanh()]
        elif inner is None:
            parts = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, nn.BatchNorm2d(outer)]
        else:
            parts = [nn.LeakyReLU(0.2, True), down, nn.BatchNorm2d(width), inner, nn.ReLU(True), up,
                     nn.BatchNorm2d(outer)] + ([nn.Dropout(0.5)] if dropout else [])
        self.body = nn.Sequential(*parts)

    def forward(self, x):
        return self.body(x) if self.outermost else torch.cat([x, self.body(x)], 1)


def unet128():
    net = UNetLevel(512, 512)
    for _ in range(2):
        net = UNetLevel(512, 512, net, dropout=True)
    for outer in (256, 128, 64):
        net = UNetLevel(outer, 2 * outer, net)
    return UNetLevel(3, 64, net, outermost=True)


def patch_gan(channels, norm, bias):
    layers, width = [nn.Conv2d(channels, 64, 4, 2, 1), nn.LeakyReLU(0.2, True)], 64
    for stride in (2, 2, 1):
        layers += [nn.Conv2d(width, 2 * width, 4, stride, 1, bias=bias), norm(2 * width), nn.LeakyReLU(0.2, True)]
        width *= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))


class Pix2Pix:
    def __init__(self, batch):
        self.batch = batch
        self.gen = unet128().apply(weights_init)
        self.disc = patch_gan(6, nn.BatchNorm2d, False).apply(weights_init)
        self.opt_d, self.opt_g = adam(self.disc.parameters()), adam(self.gen.parameters())
        self.gan, self.l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()

    def inputs(self):
        return torch.rand(self.batch, 6, 128, 128) * 2 - 1

    def judge(self, a, b, real):
        out = self.disc(torch.cat([a, b], 1)).float()
        return self.gan(out, torch.full_like(out, float(real)))

    def run(self, pair):
        a, b = pair[:, :3], pair[:, 3:]
        fake = self.gen(a).float()
        grad_of(self.disc, True)
        self.opt_d.zero_grad()
        d_fake, d_real = self.judge(a, fake.detach(), 0), self.judge(a, b, 1)
        ((d_fake + d_real) * 0.5).backward()
        self.opt_d.step()
        grad_of(self.disc, False)
        self.opt_g.zero_grad()
        g_gan, g_l1 = self.judge(a, fake, 1), self.l1(fake, b) * 100
        (g_gan + g_l1).backward()
        self.opt_g.step()
        return d_fake.item(), d_real.item(), g_gan.item(), g_l1.item()


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU(True),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width))

    def forward(self, x):
        return x + self.body(x)


def resnet(blocks):
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU(True)]
    for width in (64, 128):
        layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU(True)]
    layers += [Block(256) for _ in range(blocks)]
    for width in (256, 128):
        layers += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1), nn.InstanceNorm2d(width // 2),
                   nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh())


class Pool:
    def __init__(self):
        self.images = []

    def swap(self, image):
        if len(self.images) < 50:
            self.images.append(image)
            return image
        if random.random() < 0.5:
            k = random.randrange(50)
            image, self.images[k] = self.images[k], image
        return image


class CycleGan:
    def __init__(self, batch):
        self.batch = batch
        self.gen_b, self.gen_a = resnet(6).apply(weights_init), resnet(6).apply(weights_init)
        self.disc_a = patch_gan(3, nn.InstanceNorm2d, True).apply(weights_init)
        self.disc_b = patch_gan(3, nn.InstanceNorm2d, True).apply(weights_init)
        self.opt_g = adam(list(self.gen_a.parameters()) + list(self.gen_b.parameters()))
        self.opt_d = adam(list(self.disc_a.parameters()) + list(self.disc_b.parameters()))
        self.gan, self.l1, self.pool_a, self.pool_b = nn.MSELoss(), nn.L1Loss(), Pool(), Pool()

    def inputs(self):
        return torch.rand(self.batch, 6, 128, 128) * 2 - 1

    def judge(self, disc, x, real):
        out = disc(x).float()
        return self.gan(out, torch.full_like(out, float(real)))

    def run(self, pair):
        a, b = pair[:, :3], pair[:, 3:]
        fake_b, fake_a = self.gen_b(a).float(), self.gen_a(b).float()
        back_a, back_b = self.gen_a(fake_b).float(), self.gen_b(fake_a).float()
        for disc in (self.disc_a, self.disc_b):
            grad_of(disc, False)
        self.opt_g.zero_grad()
        identity = self.l1(self.gen_b(b).float(), b) + self.l1(self.gen_a(a).float(), a)
        cycle = self.l1(back_a, a) + self.l1(back_b, b)
        adversarial = self.judge(self.disc_b, fake_b, 1) + self.judge(self.disc_a, fake_a, 1)
        (adversarial + 10 * cycle + 5 * identity).backward()
        self.opt_g.step()
        for disc in (self.disc_a, self.disc_b):
            grad_of(disc, True)
        self.opt_d.zero_grad()
        losses = []
        for disc, real, fake, pool in ((self.disc_b, b, fake_b, self.pool_b), (self.disc_a, a, fake_a, self.pool_a)):
            loss = 0.5 * (self.judge(disc, real, 1) + self.judge(disc, pool.swap(fake.detach()), 0))
            loss.backward()
            losses.append(loss.item())
        self.opt_d.step()
        return adversarial.item(), cycle.item(), identity.item(), *losses


def networks(step):
    return {name: net for name, net in vars(step).items() if isinstance(net, nn.Module) and list(net.parameters())}
