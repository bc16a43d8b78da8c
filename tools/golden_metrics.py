#!/usr/bin/python3
"""Makes tests/golden/data/metrics.safetensors: stored features and class scores, and what independent
implementations make of them: torch-fidelity (Inception Score, FID, KID, precision, recall), scipy and
numpy (density, coverage, from their definition), scikit-image (SSIM, PSNR), PyTorch (MS-SSIM), POT (W1),
lpips (its distance of one layer).

    tools/golden_metrics.py            write the file
    tools/golden_metrics.py --check    remake it and compare

Needs PyPI's torch-fidelity, scipy, scikit-image, POT, lpips besides what golden.py needs.
"""

import os
import sys

import lpips
import numpy as np
import ot
import torch
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
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


def picture(pair, side, height, width, channels):
    """Levels that tests/golden/test_metrics.c computes too: waves, blocks and a hash."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    base = (x * (3 + pair) + y * 2 + c * 40) % 200 + 20 * ((x // 8 + y // 8) % 2)
    h = ((x * 73 + y * 179 + c * 283 + pair * 419 + side * 547) * 2654435761) % 2**32 // 2**20 % 64
    return np.minimum(base + (h if side else h // 4), 255).astype(np.uint8)


def gaussian(size=11, sigma=1.5):
    g = torch.exp(-(torch.arange(size, dtype=torch.float64) - size // 2) ** 2 / (2 * sigma**2))
    return (g / g.sum())[:, None] * (g / g.sum())[None, :]


def ms_ssim(a, b):
    """Wang et al. 2003 by plain 2-d convolutions."""
    x, y = (torch.from_numpy(v.astype(np.float64))[None, None] for v in (a, b))
    window, product = gaussian()[None, None], 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mean = lambda v: torch.nn.functional.conv2d(v, window)
        mx, my = mean(x), mean(y)
        vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        cs = (2 * vxy + 7.65**2) / (vx + vy + 7.65**2)
        value = cs if scale < 4 else cs * (2 * mx * my + 2.55**2) / (mx**2 + my**2 + 2.55**2)
        product *= value.mean().item() ** weight
        x, y = (torch.nn.functional.avg_pool2d(v, 2) for v in (x, y))
    return product


def images(g):
    pairs = [(picture(k, 0, 40, 33, 3), picture(k, 1, 40, 33, 3)) for k in range(3)]
    g.put("ssim", np.mean([structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        data_range=255) for a, b in pairs]))
    g.put("psnr", np.mean([peak_signal_noise_ratio(a, b, data_range=255) for a, b in pairs]))
    g.put("ms-ssim", np.mean([ms_ssim(picture(k, 0, 181, 176, 1)[:, :, 0], picture(k, 1, 181, 176, 1)[:, :, 0])
                              for k in range(2)]))


def transport(g):
    real, fake = g.tensors["real"], g.tensors["fake"]
    weight = np.full(len(real), 1 / len(real))
    g.put("w1", np.array(ot.emd2(weight, weight, cdist(fake, real))))
    g.put("w1.1d", np.array(wasserstein_distance(real[:, 0], fake[:200, 0])))
    g.put("w2.1d", np.sqrt(ot.emd2_1d(real[:, 0], fake[:200, 0])))


def perceptual(g):
    """The two matrices as activations of 12 x 20 positions and 20 channels, weights (c+1)/20."""
    x, y = (lpips.normalize_tensor(torch.from_numpy(g.tensors[name]).T.reshape(1, 20, 12, 20))
            for name in ("real", "fake"))
    weight = torch.arange(1, 21, dtype=torch.float64).view(1, 20, 1, 1) / 20
    g.put("lpips", lpips.spatial_average((weight * (x - y) ** 2).sum(1, keepdim=True)).view(()).numpy())


def metrics():
    g = Golden(dict(torch=torch.__version__))
    features(g, np.random.default_rng(22))
    images(g)
    transport(g)
    perceptual(g)
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
