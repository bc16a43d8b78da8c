"""Updates as functions: derivatives through an optimiser, an optimiser that is a network."""

from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .common import Golden, ITERATIONS, bce, images, initialise, minimise, nchw, normal

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
