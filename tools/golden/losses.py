"""Every loss on fixed scores."""

import types

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import norm

from .common import Golden, bce, normal


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
    """Means of histograms of 1000 uniform and of 1000 normal numbers over 51 bins from the least to the largest (which
    are in the end bins), moved by half the range, what leaves it kept at its end. Least and largest of the
    normals are averaged over the middles of eight equal parts of their law."""
    uniform, bell = np.full(51, 0.998 / 51), np.zeros(51)
    ends = norm.ppf(((np.arange(8) + 0.5) / 8) ** 1e-3)
    for low in -ends:
        for high in ends:
            law = np.diff(norm.cdf(np.linspace(low, high, 52)))
            bell += 0.998 * law / law.sum() / 64
    a0, a1 = np.zeros(51), np.zeros(51)
    for i in range(51):
        end = 0.001 * (i in (0, 50))
        a0[max(i - 25, 0)] += bell[i] + end
        a1[min(i + 25, 50)] += uniform[i] + end
    return torch.from_numpy(a0), torch.from_numpy(a1)


def check_anchors(runs=4000):
    """The means of what the authors draw in each iteration, within 1 % of all probability."""
    rng, drawn = np.random.Generator(np.random.PCG64(7)), np.zeros((2, 51))
    for _ in range(runs):
        for k, x in enumerate((rng.normal(0, 0.1, 1000), rng.uniform(-1, 1, 1000))):
            count, move = np.histogram(x, 51)[0], (-25, 25)[k]
            for i in range(51):
                drawn[k, min(max(i + move, 0), 50)] += count[i] / 1000 / runs
    for a, b in zip(anchors(), drawn):
        assert np.abs(a.numpy() - b).sum() / 2 < 0.003, np.abs(a.numpy() - b).sum() / 2


def kl(p, logits):
    return torch.where(p > 0, p * (torch.log(p.clamp_min(1e-300)) - F.log_softmax(logits, 1)), 0 * logits).sum(1).mean()


def realness_disc(c):
    a0, a1 = anchors()
    return kl(a1.expand_as(c.x), c.x) + kl(a0.expand_as(c.y), c.y)


def realness_gen(c):
    a0, _ = anchors()
    return kl(F.softmax(c.x, 1), c.y) - kl(a0.expand_as(c.y), c.y)


def resampled(c):
    """The same of logits drawn, of means and logarithms of variances."""
    def draw(outputs, e):
        return outputs[:, :51] + e * torch.exp(outputs[:, 51:] / 2)
    return types.SimpleNamespace(x=draw(c.x, c.e_real), y=draw(c.y, c.e_fake))


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
        "realness-resampled": (102, lambda c: realness_disc(resampled(c)), lambda c: realness_gen(resampled(c))),
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
    check_anchors()
    for outputs in (1, 16, 51, 64, 256, 102):
        c = Scores()
        c.real, c.fake, c.multiplier = real, fake, 0.25
        c.x, c.y, c.y2 = (normal(rng, n, outputs) + shift for shift in (0.3, -0.2, -0.2))
        c.decoder = normal(rng, outputs, size, std=outputs ** -0.5)
        inputs[outputs] = c
        for key, value in (("x", c.x), ("y", c.y), ("y2", c.y2)):
            golden.put(f"outputs.{outputs}/{key}", value)
        if outputs == 64:
            golden.put("decoder", c.decoder)
        if outputs == 102:
            c.e_real, c.e_fake = normal(rng, n, 51), normal(rng, n, 51)
            golden.put("realness.real", c.e_real)
            golden.put("realness.fake", c.e_fake)
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
