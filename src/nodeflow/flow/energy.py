"""The energy distance of two sets of samples: 0 in expectation where both are distributed alike."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["energy_distance"]


def energy_distance(samples: Tensor, observed: Tensor) -> Tensor:
    """The energy distance of two distributions, estimated without bias from a sample of each.

    It is 2 E|X − Y| − E|X − X'| − E|Y − Y'|, never below 0, and 0 only for the same distribution
    (Székely & Rizzo 2013, J. Stat. Plan. Inference 143, 1249); the estimate can be below. Made
    small, it gives samples the spread of the observed, where a loss that compares each sample with
    an observation is smallest for samples without any.

    Args:
        samples: (M, …), at least two.
        observed: (K, …), at least two.
    """
    a, b = samples.flatten(1), observed.flatten(1)
    return 2 * _distances(a, b).mean() - _among(a) - _among(b)


def _among(rows: Tensor) -> Tensor:
    """Mean distance between different rows."""
    return _distances(rows, rows).sum() / (len(rows) * (len(rows) - 1))


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # By products of matrices, distances would be inexact, and their gradients infinite at 0.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
