#!/usr/bin/python3
"""Makes the golden files of models that know the class, with PyTorch in float64: projection, cgan,
cgan_mismatch, cgan_conv, acgan, acgan_onehot.

    tools/golden_conditional.py            write the files
    tools/golden_conditional.py --check    remake them and compare

Networks are written out from PyTorch-GAN's and clvrai's code; see tools/golden.py for the form.
"""

import os
import sys
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from golden.common import (DIRECTORY, ITERATIONS, Golden, bce, check, images, initialise, minimise, nchw, normal,
                           write_safetensors)
from golden.gans import dcgan_disc, dcgan_gen

CLASSES, LR = 3, 2e-3


class ConditionalNorm(nn.Module):
    """Batch norm whose scale and offset are rows of tables, by class."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(CLASSES, channels))
        self.bias = nn.Parameter(torch.zeros(CLASSES, channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x, y):
        x = F.batch_norm(x, self.running_mean, self.running_var, training=True, momentum=0.1, eps=1e-5)
        return x * self.weight[y] + self.bias[y]


# -- networks --------------------------------------------------------------------------------------------

class ProjectionGen(nn.Module):
    def __init__(self, z, w, out):
        super().__init__()
        layers = [nn.Linear(z, w), nn.LeakyReLU(0.2)]
        for width in (w, 2 * w, 4 * w):
            layers += [nn.Linear(width, 2 * width), ConditionalNorm(2 * width), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Linear(8 * w, out), nn.Tanh())

    def forward(self, z, y):
        for layer in self.model:
            z = layer(z, y) if isinstance(layer, ConditionalNorm) else layer(z)
        return z


class ProjectionDisc(nn.Module):
    def __init__(self, flat, w):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(flat, 4 * w), nn.LeakyReLU(0.2), nn.Linear(4 * w, 2 * w),
                                   nn.LeakyReLU(0.2), nn.Linear(2 * w, 1))
        self.embed = nn.Embedding(CLASSES, 2 * w)

    def forward(self, x, y):
        phi = self.model[:4](x.flatten(1))
        return self.model[4](phi).squeeze(1) + (self.embed(y) * phi).sum(1)


class CganGen(nn.Module):
    def __init__(self, z, w, out):
        super().__init__()
        self.label_emb = nn.Embedding(CLASSES, CLASSES)
        layers = [nn.Linear(CLASSES + z, w), nn.LeakyReLU(0.2)]
        for width in (w, 2 * w, 4 * w):
            layers += [nn.Linear(width, 2 * width), nn.BatchNorm1d(2 * width), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Linear(8 * w, out), nn.Tanh())

    def forward(self, z, y):
        return self.model(torch.cat((self.label_emb(y), z), 1))


class CganDisc(nn.Module):
    def __init__(self, flat, w):
        super().__init__()
        self.label_embedding = nn.Embedding(CLASSES, CLASSES)
        self.model = nn.Sequential(
            nn.Linear(CLASSES + flat, 4 * w), nn.LeakyReLU(0.2), nn.Linear(4 * w, 4 * w), nn.Dropout(0.0),
            nn.LeakyReLU(0.2), nn.Linear(4 * w, 4 * w), nn.Dropout(0.0), nn.LeakyReLU(0.2), nn.Linear(4 * w, 1))

    def forward(self, x, y):
        return self.model(torch.cat((x.flatten(1), self.label_embedding(y)), 1)).squeeze(1)


class ConvGen(nn.Module):
    def __init__(self, size, z, w, c):
        super().__init__()
        self.label_emb = nn.Embedding(CLASSES, CLASSES)
        self.main = dcgan_gen(size, CLASSES + z, w, c).main

    def forward(self, z, y):
        return self.main(torch.cat((self.label_emb(y), z), 1)[:, :, None, None])


class ConvDisc(nn.Module):
    def __init__(self, size, w, c):
        super().__init__()
        self.label_embedding = nn.Embedding(CLASSES, CLASSES)
        self.main = dcgan_disc(size, w, c + CLASSES).main

    def forward(self, x, y):
        maps = self.label_embedding(y)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return self.main(torch.cat((x, maps), 1)).flatten()


class AcganGen(nn.Module):
    def __init__(self, z, w, c):
        super().__init__()
        self.width = w
        self.label_emb = nn.Embedding(CLASSES, z)
        self.l1 = nn.Sequential(nn.Linear(z, 8 * 8 * 2 * w))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(2 * w), nn.Upsample(scale_factor=2), nn.Conv2d(2 * w, 2 * w, 3, 1, 1),
            nn.BatchNorm2d(2 * w), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * w, w, 3, 1, 1), nn.BatchNorm2d(w), nn.LeakyReLU(0.2), nn.Conv2d(w, c, 3, 1, 1),
            nn.Tanh())

    def forward(self, z, y):
        x = self.l1(self.label_emb(y) * z)
        return self.conv_blocks(x.view(len(z), 2 * self.width, 8, 8))


class AcganDisc(nn.Module):
    def __init__(self, w, c):
        super().__init__()
        layers, before = [], c
        for i in range(4):
            after = (w << i) // 4
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.LeakyReLU(0.2), nn.Identity()]
            layers += [nn.BatchNorm2d(after)] if i > 0 else []
            before = after
        self.model = nn.Sequential(*layers)
        self.adv_layer = nn.Sequential(nn.Linear(4 * before, 1))
        self.aux_layer = nn.Sequential(nn.Linear(4 * before, CLASSES))

    def forward(self, x):
        x = self.model(x).flatten(1)
        return self.adv_layer(x).squeeze(1), self.aux_layer(x)


class OnehotGen(nn.Module):
    def __init__(self, z, w, c):
        super().__init__()
        for i, (a, b) in enumerate([(z, 4 * w), (4 * w, 2 * w), (2 * w, w), (w, c)], 1):
            layers = [nn.ConvTranspose2d(a, b, 4, 1 if i == 1 else 2, 0 if i == 1 else 1, bias=False)]
            layers += [nn.BatchNorm2d(b), nn.ReLU()] if i < 4 else [nn.Tanh()]
            setattr(self, f"tconv{i}", nn.Sequential(*layers))

    def forward(self, z, y):
        z = torch.cat((F.one_hot(y, CLASSES).to(z), z[:, CLASSES:]), 1)[:, :, None, None]
        return self.tconv4(self.tconv3(self.tconv2(self.tconv1(z))))


class OnehotDisc(nn.Module):
    def __init__(self, first, c):
        super().__init__()
        before = c
        for i in range(6):
            after = first << i
            layers = [nn.Conv2d(before, after, 3, 2 - i % 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(after)] if i > 0 else []
            setattr(self, f"conv{i + 1}", nn.Sequential(*layers, nn.LeakyReLU(0.2)))
            before = after
        self.fc_dis, self.fc_aux = nn.Linear(16 * before, 1), nn.Linear(16 * before, CLASSES)

    def forward(self, x):
        for i in range(6):
            x = getattr(self, f"conv{i + 1}")(x)
        x = x.flatten(1)
        return self.fc_dis(x).squeeze(1), self.fc_aux(x)


# -- loops -----------------------------------------------------------------------------------------------

class Run:
    """Networks, optimisers and the file of one model."""

    def __init__(self, model, seed, gen, disc, shape, z):
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.gen, self.disc, self.shape, self.z = gen, disc, shape, z
        self.nets = {"gen": gen, "disc": disc}
        initialise(self.rng, gen, 1.2)
        initialise(self.rng, disc, 1.2)
        self.opt_g, self.opt_d = (torch.optim.Adam(net.parameters(), LR, betas=(0.5, 0.999), eps=1e-8)
                                  for net in (gen, disc))
        n, h, w, c = shape
        self.golden = Golden(dict(model=model, iterations=ITERATIONS, batch=n, height=h, width=w, channels=c,
                                  z=z, classes=CLASSES, optim="adam", lr=LR, beta1=0.5, beta2=0.999, eps=1e-8,
                                  bn_eps=1e-5, bn_momentum=0.1, leaky_slope=0.2, torch=torch.__version__))
        self.golden.put_state("init", self.nets)

    def feed(self, k, name, value):
        self.golden.put(f"feed/{k}/{name}", value)
        return value

    def reals(self, k):
        x = images(self.rng, *self.shape)
        self.golden.put_images(f"feed/{k}/real", x)
        return nchw(x), self.feed(k, "label", torch.from_numpy(self.rng.integers(0, CLASSES, self.shape[0])))

    def latents(self, k):
        return self.feed(k, "z", normal(self.rng, self.shape[0], self.z))

    def classes(self, k):
        """Classes floor(u * CLASSES) of uniform numbers u."""
        u = self.feed(k, "y", torch.from_numpy(self.rng.uniform(size=self.shape[0])))
        return (u * CLASSES).long()

    def made(self, z, y):
        n, h, w, c = self.shape
        return self.gen(z, y).view(n, c, h, w)


def make_projection():
    """Wasserstein with a penalty: between a real and a fake of one class lies that class."""
    n, h, w, c, z, width = 6, 3, 2, 2, 4, 3
    r = Run("plain", 201, ProjectionGen(z, width, c * h * w), ProjectionDisc(c * h * w, width), (n, h, w, c), z)
    for k in range(ITERATIONS):
        real, y = r.reals(k)
        z_k, eps = r.latents(k), r.feed(k, "eps", torch.from_numpy(r.rng.uniform(size=(n, 1, 1, 1))))
        fake = r.made(z_k, y)
        on_real, on_fake = r.disc(real, y).mean(), r.disc(fake.detach(), y).mean()
        x_hat = (eps * real + (1 - eps) * fake.detach()).requires_grad_()
        slope, = torch.autograd.grad(r.disc(x_hat, y).sum(), x_hat, create_graph=True)
        penalty = 10 * ((torch.sqrt((slope ** 2).sum((1, 2, 3)) + 1e-12) - 1) ** 2).mean()
        loss_d = on_fake - on_real + penalty
        norm_d = minimise(r.disc, loss_d, r.opt_d)
        loss_g = -r.disc(fake, y).mean()
        norm_g = minimise(r.gen, loss_g, r.opt_g)
        r.golden.note(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real, disc__fake=on_fake,
                      disc__gap=on_real - on_fake, penalty__gp=penalty, grad_norm__disc=norm_d,
                      grad_norm__gen=norm_g)
    return r.golden.finish(r.nets)


def make_cgan(seed, gen, disc, shape, z, mismatch=0.0):
    """With mismatch reals whose label is another class, 1 to CLASSES-1 further on, count as fakes too."""
    r = Run("cgan", seed, gen, disc, shape, z)
    for k in range(ITERATIONS):
        real, its = r.reals(k)
        z_k, y = r.latents(k), r.classes(k)
        fake = r.made(z_k, y)
        loss_g = ((r.disc(fake, y) - 1) ** 2).mean() / 2
        norm_g = minimise(r.gen, loss_g, r.opt_g)
        on_real, on_fake = r.disc(real, its), r.disc(fake.detach(), y)
        refused, note = (on_fake ** 2).mean(), {}
        if mismatch > 0:
            u = r.feed(k, "other", torch.from_numpy(r.rng.uniform(size=shape[0])))
            on_wrong = r.disc(real, (its + 1 + (u * (CLASSES - 1)).long()) % CLASSES)
            refused = (1 - mismatch) * refused + mismatch * (on_wrong ** 2).mean()
            note["disc__wrong"] = on_wrong.mean()
        loss_d = ((on_real - 1) ** 2).mean() / 2 + refused / 2
        norm_d = minimise(r.disc, loss_d, r.opt_d)
        r.golden.note(loss__disc=loss_d, loss__gen=loss_g, disc__real=on_real.mean(), disc__fake=on_fake.mean(),
                      grad_norm__disc=norm_d, grad_norm__gen=norm_g, **note)
    return r.golden.finish(r.nets)


def make_acgan(seed, gen, disc, shape, z, gen_first):
    r = Run("acgan", seed, gen, disc, shape, z)
    for k in range(ITERATIONS):
        real, its = r.reals(k)
        z_k, y = r.latents(k), r.classes(k)
        fake, note = r.made(z_k, y), {}

        def update_gen():
            source, classes = r.disc(fake)
            loss = (bce(source, 1.0) + F.cross_entropy(classes, y)) / 2
            note.update(loss__gen=loss, grad_norm__gen=minimise(r.gen, loss, r.opt_g))

        def update_disc():
            (on_real, class_real), (on_fake, class_fake) = r.disc(real), r.disc(fake.detach())
            loss = (bce(on_real, 1.0) + bce(on_fake, 0.0) + F.cross_entropy(class_real, its)
                    + F.cross_entropy(class_fake, y)) / 4
            note.update(loss__disc=loss, disc__real=on_real.sigmoid().mean(), disc__fake=on_fake.sigmoid().mean(),
                        class__real=(class_real.argmax(1) == its).double().mean(),
                        class__fake=(class_fake.argmax(1) == y).double().mean(),
                        grad_norm__disc=minimise(r.disc, loss, r.opt_d))

        for update in (update_gen, update_disc) if gen_first else (update_disc, update_gen):
            update()
        r.golden.note(**note)
    return r.golden.finish(r.nets)


# -- program ---------------------------------------------------------------------------------------------

FILES = OrderedDict(
    projection=make_projection,
    cgan=lambda: make_cgan(202, CganGen(4, 3, 12), CganDisc(12, 3), (6, 3, 2, 2), 4),
    cgan_mismatch=lambda: make_cgan(206, CganGen(4, 3, 12), CganDisc(12, 3), (6, 3, 2, 2), 4, 0.5),
    cgan_conv=lambda: make_cgan(203, ConvGen(16, 4, 3, 1), ConvDisc(16, 3, 1), (4, 16, 16, 1), 4),
    acgan=lambda: make_acgan(204, AcganGen(5, 4, 1), AcganDisc(4, 1), (3, 32, 32, 1), 5, True),
    acgan_onehot=lambda: make_acgan(205, OnehotGen(6, 2, 1), OnehotDisc(1, 1), (2, 32, 32, 1), 6, False),
)


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    good = True
    for name, make in FILES.items():
        golden = make()
        path = os.path.normpath(os.path.join(DIRECTORY, f"{name}.safetensors"))
        if sys.argv[1:] == ["--check"]:
            good = check(name, golden, path) and good
        else:
            write_safetensors(path, golden.tensors, golden.metadata)
            print(f"{path}: {len(golden.tensors)} tensors, {os.path.getsize(path)} bytes")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
