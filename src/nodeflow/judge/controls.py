"""Networks made from a zoo's members without any learning: what a generator has to beat.

Each network depends on its own seed alone, so any one of them can be made again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from nodeflow.flow.codec import Shapes

__all__ = ["gaussian_draws", "means", "noisy_copies", "per_tensor_deviation"]


def per_tensor_deviation(parameters: Mapping[str, Tensor], shapes: Shapes) -> np.ndarray:
    """Standard deviation of each tensor's entries over a zoo, (D,) in the order of a flat row."""
    return np.concatenate(
        [
            np.full(math.prod(shape), parameters[name].double().std().item())
            for name, shape in shapes.items()
        ]
    )


def noisy_copies(members: np.ndarray, deviation: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Members with Gaussian noise on every parameter.

    Args:
        members: (K, D) flat members; copy i is of member i mod K.
        deviation: (D,) standard deviation of the noise.
        seeds: one for each copy, M in all.

    Returns:
        (M, D), float64.
    """
    noise = np.stack(
        [np.random.default_rng(int(seed)).standard_normal(members.shape[1]) for seed in seeds]
    )
    copies: np.ndarray = members[np.arange(len(seeds)) % len(members)] + deviation * noise
    return copies


def means(members: np.ndarray, size: int, seeds: np.ndarray) -> np.ndarray:
    """Means of `size` different members drawn at random: pair means, soups.

    Args:
        members: (K, D) flat members.
        size: how many to average, at most K.
        seeds: one for each mean, M in all.

    Returns:
        (M, D), float64.
    """
    return np.stack(
        [
            members[
                np.random.default_rng(int(seed)).choice(len(members), size, replace=False)
            ].mean(axis=0, dtype=np.float64)
            for seed in seeds
        ]
    )


def gaussian_draws(members: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Draws from the Gaussian with the members' mean and sample covariance.

    A standard Gaussian weight for each centred member, over √(K − 1), gives exactly that
    covariance: it is the Gaussian in the lossless principal coordinates, without computing them.

    Args:
        members: (K, D) flat members.
        seeds: one for each draw, M in all.

    Returns:
        (M, D), float64.
    """
    mean = members.mean(axis=0, dtype=np.float64)
    weights = np.stack(
        [np.random.default_rng(int(seed)).standard_normal(len(members)) for seed in seeds]
    )
    draws: np.ndarray = mean + weights @ (members - mean) / math.sqrt(len(members) - 1)
    return draws
