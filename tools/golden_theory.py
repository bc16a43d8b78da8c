#!/usr/bin/env python3
"""Makes tests/golden/data/transport.safetensors: 100 random transport problems with the optimum that
scipy's linear programming (HiGHS, dual simplex) finds. Sizes 1 to 9, masses with zeros and ties, costs
random, Euclidean or small integers (many optima).

    tools/golden_theory.py            # writes the file
    tools/golden_theory.py --check    # solves again and compares with the file, to 1e-11

Needs numpy, scipy and, for tools/golden.py, torch.
"""
import os
import sys

import numpy as np
from scipy.optimize import linprog

from golden.common import DIRECTORY, read_safetensors, write_safetensors

PROBLEMS = 100
PATH = os.path.join(DIRECTORY, "transport.safetensors")


def masses(rng, n):
    p = rng.random(n) * (rng.random(n) > 0.2) if rng.random() < 0.5 else rng.integers(1, 4, n).astype(float)
    if p.sum() == 0:
        p[0] = 1.0
    return p / p.sum()


def costs(rng, n, m):
    kind = rng.integers(3)
    if kind == 0:
        return rng.random((n, m)) * 10 - 2
    if kind == 1:
        x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
        return np.sqrt(((x[:, None] - y[None]) ** 2).sum(-1))
    return rng.integers(0, 4, (n, m)).astype(float)


def optimum(a, b, cost):
    n, m = cost.shape
    equal = np.zeros((n + m, n * m))
    for i in range(n):
        equal[i, i * m:(i + 1) * m] = 1
    for j in range(m):
        equal[n + j, j::m] = 1
    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(cost.ravel(), A_eq=equal, b_eq=np.concatenate([a, b]), bounds=(0, None),
                    method="highs-ds", options=options)
    assert found.status == 0, found.message
    return found.fun


def make():
    rng, tensors = np.random.default_rng(7), {}
    for k in range(PROBLEMS):
        n, m = rng.integers(1, 10, 2)
        a, b, cost = masses(rng, n), masses(rng, m), costs(rng, n, m)
        for name, value in (("a", a), ("b", b), ("cost", cost), ("optimum", [optimum(a, b, cost)])):
            tensors[f"{k}/{name}"] = np.asarray(value, dtype=np.float64)
    return tensors


def main():
    tensors = make()
    if "--check" in sys.argv:
        stored, _ = read_safetensors(PATH)
        worst = max(float(np.abs(stored[k] - v).max()) for k, v in tensors.items())
        print(f"largest difference {worst:.2e}")
        sys.exit(worst > 1e-11 or stored.keys() != tensors.keys())
    write_safetensors(PATH, tensors, {"made_by": "tools/golden_theory.py"})


main()
