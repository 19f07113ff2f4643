"""Likelihoods of observations given a predicted rate: Gaussian, Poisson and negative binomial.

Counts are observed as rate × exposure: cases of a district are its rate per person and week times
its people. Every likelihood has a mean and, but for Poisson, a spread that is learned for each lead
time, so that bands widen as a forecast looks further ahead.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

__all__ = ["LIKELIHOODS", "Likelihood", "mixture_quantiles", "poisson_deviance"]

Floats = NDArray[np.float64]


class Likelihood(ABC):
    """A family of distributions with a mean and a spread.

    Attributes:
        name: in settings.
        counts: whether observations are counts, so that means are positive.
        spreads: whether it has a spread, a positive number.
    """

    name: str
    counts: bool
    spreads: bool

    @abstractmethod
    def loss(self, observed: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        """Negative logarithm of the probability (density), up to what depends on `observed` alone.

        Args:
            observed: any shape.
            mean: of a shape that broadcasts with it; positive for counts.
            spread: likewise, positive; unused by Poisson.
        """

    @abstractmethod
    def cdf(self, value: Floats, mean: Floats, spread: Floats) -> Floats:
        """Probability of at most `value`."""


class Gaussian(Likelihood):
    """The spread is the standard deviation of observations."""

    name, counts, spreads = "gaussian", False, True

    def loss(self, observed: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        """½ z² + log σ."""
        return 0.5 * ((observed - mean) / spread).square() + torch.log(spread)

    def cdf(self, value: Floats, mean: Floats, spread: Floats) -> Floats:
        """Φ(z)."""
        share: Floats = special.ndtr((value - mean) / spread)
        return share


class Poisson(Likelihood):
    """Counts whose variance is their mean."""

    name, counts, spreads = "poisson", True, False

    def loss(self, observed: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        """μ − y log μ."""
        return mean - torch.xlogy(observed, mean)

    def cdf(self, value: Floats, mean: Floats, spread: Floats) -> Floats:
        """Regularized incomplete gamma function."""
        share: Floats = special.pdtr(np.floor(value), mean)
        return np.where(value < 0, 0.0, share)


class NegativeBinomial(Likelihood):
    """Counts with the variance μ + μ²/k (NB2): the spread is 1/k, and 0 would be Poisson."""

    name, counts, spreads = "negative_binomial", True, True

    def loss(self, observed: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        """−log Γ(y+k) + log Γ(k) + (y+k) log(1 + μ/k) − y log(μ/k)."""
        size = 1.0 / spread
        ratio = mean * spread
        known = torch.lgamma(observed + size) - torch.lgamma(size)
        return (observed + size) * torch.log1p(ratio) - torch.xlogy(observed, ratio) - known

    def cdf(self, value: Floats, mean: Floats, spread: Floats) -> Floats:
        """Regularized incomplete beta function."""
        size = 1.0 / spread
        more = np.floor(np.maximum(value, 0)) + 1
        share = np.asarray(special.betainc(size, more, size / (size + mean)), dtype=np.float64)
        return np.where(value < 0, 0.0, share)


LIKELIHOODS: Mapping[str, Likelihood] = {
    x.name: x for x in (Gaussian(), Poisson(), NegativeBinomial())
}
"""Likelihoods by name."""


def mixture_quantiles(
    likelihood: Likelihood, means: Floats, spreads: Floats, share: float
) -> Floats:
    """Quantiles of the equal mixture of a likelihood over replicates, by bisection.

    The smallest whole number with at least this share at or below it for counts, and the value up
    to 1e-9 of its spread otherwise.

    Args:
        likelihood: the family.
        means: (R, …), one for each replicate.
        spreads: of a shape that broadcasts with them.
        share: between 0 and 1.

    Returns:
        Shape (…), NaN where a mean is not finite.
    """
    spreads = np.broadcast_to(spreads, means.shape)
    known = np.isfinite(means).all(axis=0)
    means = np.where(known, means, 1.0)

    def below(value: Floats) -> Floats:
        mean_share: Floats = likelihood.cdf(value[None], means, spreads).mean(axis=0)
        return mean_share

    if likelihood.counts:
        low = np.full(means.shape[1:], -1.0)
        high = np.ceil(means.max(axis=0)) + 1
        while (short := below(high) < share).any():
            low, high = np.where(short, high, low), np.where(short, 2 * high, high)
        while ((high - low) > 1).any():
            middle = np.floor((low + high) / 2)
            enough = below(middle) >= share
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.where(known, high, np.nan)
    far = 40 * spreads.max(axis=0)
    low, high = means.min(axis=0) - far, means.max(axis=0) + far
    for _ in range(math.ceil(math.log2(1e12))):
        middle = (low + high) / 2
        enough = below(middle) >= share
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(known, (low + high) / 2, np.nan)


def poisson_deviance(observed: Floats, mean: Floats, floor: float = 0.0) -> Floats:
    """Twice the log-likelihood that is lost against a mean that equals each observation.

    Args:
        observed: counts, of any shape.
        mean: of the same shape; raised to `floor`, so that none is not infinitely bad.
        floor: smallest mean.

    Returns:
        One value for each observation, at least 0.
    """
    mean = np.maximum(mean, floor)
    return 2 * (special.xlogy(observed, observed) - special.xlogy(observed, mean) - observed + mean)
