#!/usr/bin/python3
"""Makes tests/golden/data/metrics.safetensors: stored features and class scores, and what independent
implementations make of them: torch-fidelity (Inception Score, FID, KID, precision, recall), scipy and
numpy (density, coverage, from their definition).

    tools/golden_metrics.py            write the file
    tools/golden_metrics.py --check    remake it and compare

Needs PyPI's torch-fidelity, scipy besides what golden.py needs.
"""

import os
import sys

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from golden import DIRECTORY, Golden, check, write_safetensors


def single(x):
    """Values that f32 holds exactly, kept as f64."""
    return x.astype(np.float32).astype(np.float64)


def density_coverage(real, fake, k):
    """Naeem et al. 2020, equations 3 and 4."""
    own = np.sort(cdist(real, real), axis=1)[:, k]
    d = cdist(fake, real)
    return (d < own).sum() / (k * len(fake)), (d < own).any(axis=0).mean()


def features(g, rng):
    n, size, classes = 240, 20, 10
    mix = rng.standard_normal((size, size)) / np.sqrt(size)
    real = single(rng.standard_normal((n, size)) @ mix + 0.5)
    fake = single(0.8 * rng.standard_normal((n, size)) @ mix + 0.1 * rng.standard_normal((n, size)) + 0.6)
    logits = single(3 * rng.standard_normal((n, classes)))
    for name, value in (("real", real), ("fake", fake), ("logits", logits)):
        g.put(name, value)
    a, b = torch.from_numpy(real), torch.from_numpy(fake)
    score = isc_features_to_metric(torch.from_numpy(logits), splits=10, shuffle=False)
    g.put("is", np.array([score["inception_score_mean"], score["inception_score_std"]]))
    fid = fid_statistics_to_metric(fid_features_to_statistics(b), fid_features_to_statistics(a), False)
    g.put("fid", np.array(fid["frechet_inception_distance"]))
    kid = kid_features_to_metric(b, a, kid_subsets=1, kid_subset_size=n, rng_seed=0, verbose=False)
    g.put("kid", np.array(kid["kernel_inception_distance_mean"]))
    pr = prc_features_to_metric(b, a, prc_neighborhood=3, verbose=False)
    g.put("precision", np.array(pr["precision"]))
    g.put("recall", np.array(pr["recall"]))
    density, coverage = density_coverage(real, fake, 5)
    g.put("density", np.array(density))
    g.put("coverage", np.array(coverage))


def metrics():
    g = Golden(dict(torch=torch.__version__))
    features(g, np.random.default_rng(22))
    return g


def main():
    g, path = metrics(), os.path.normpath(os.path.join(DIRECTORY, "metrics.safetensors"))
    if sys.argv[1:] == ["--check"]:
        return 0 if check("metrics", g, path) else 1
    write_safetensors(path, g.tensors, g.metadata)
    print(f"{path}: {len(g.tensors)} tensors, {os.path.getsize(path)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
