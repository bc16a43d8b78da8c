"""Update rules alone."""

import numpy as np
import torch
from torch import nn

from .common import Golden, normal

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


def run_moving(golden, name, start, grads, lr_end, beta2):
    """torch.optim.Adam whose group is set before each step, the way R3GAN's training loop does."""
    p = nn.Parameter(start.clone())
    optimiser, out = torch.optim.Adam([p], 0.02, betas=(0.0, beta2[0]), eps=1e-8), []
    for t, g in enumerate(grads):
        fall = 0.5 * (1 + np.cos(np.pi * t / STEPS))
        for group in optimiser.param_groups:
            group["lr"] = 0.02 * (lr_end + (1 - lr_end) * fall)
            group["betas"] = (0.0, beta2[1] + (beta2[0] - beta2[1]) * fall)
        p.grad = g.clone()
        optimiser.step()
        out.append(p.detach().clone())
    golden.put(f"{name}/param", torch.stack(out))
    golden.metadata[name] = (f"adam: before update t of {STEPS} (from 0), with c = (1 + cos(pi t/{STEPS}))/2, lr = 0.02 "
                             f"({lr_end} + {1 - lr_end} c), beta1 = 0, beta2 = {beta2[1]} + ({beta2[0]} - {beta2[1]}) c")


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
    run_moving(golden, "adam_moving", start, grads, 0.25, (0.9, 0.99))
    return golden
