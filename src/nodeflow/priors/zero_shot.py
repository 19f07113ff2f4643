"""Zero shot: the functions of coefficients that nobody has observed, from a prior and its members.

The codes of the members in a prior are regressed on their coefficients: a quadratic polynomial and
a Gaussian process with a squared exponential kernel (Rasmussen and Williams 2006, § 2.7). A member
whose data leave a code uncertain is as noisy an observation of it. Length and further noise are
those with the smallest leave-one-out error (ibid., § 5.4.2), where the error of a code counts as
much as the trajectory error that it causes, and as far as the member knows the code.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from nodeflow.neural_ode.curves import Curves
from nodeflow.priors.families import Family
from nodeflow.priors.gaussian import Prior
from nodeflow.priors.problem import PriorProblem
from nodeflow.seeds import numpy_generator

__all__ = ["ZeroShot", "fit_zero_shot"]

Array = NDArray[np.float64]

_LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Of the kernel, where ranges of coefficients are 2 long."""

_NOISES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Variances, where that of the process is 1."""

_FREE = 1e4
"""Variance of the coefficients of the polynomial: that of what is not known."""

_UNKNOWN = 1e-3
"""1 less the largest variance of a code: what a member does not say has a finite variance."""

_FAR = 0.3
"""Share of a range beyond which a coefficient is warned of."""


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """What the coefficients of a family say about its functions.

    Attributes:
        family: whose coefficients.
        prior: of its functions.
        places: (M, C) coefficients of the members, in [−1, 1] within the ranges.
        codes: (M, p) their codes in the prior.
        variances: (M, p) of these, below 1, the variance of a code in the prior.
        length: of the kernel.
        noise: variance of further noise of the codes in units of that of the process.
    """

    family: Family
    prior: Prior
    places: Array
    codes: Array
    variances: Array
    length: float
    noise: float

    @cached_property
    def _solved(self) -> _Solved:
        return _solved(self.places, self.codes, self.variances, self.length, self.noise)

    def predicted(self, values: Mapping[str, float]) -> tuple[Array, Array]:
        """Mean and standard deviation (p,) of the codes of some coefficients.

        Raises:
            PriorProblem: coefficients of another family, or no finite numbers.

        Warns:
            UserWarning: a coefficient is further beyond its range than 30 % of it.
        """
        place = self.family.scaled(values)
        for name, at in zip(self.family.ranges, place, strict=True):
            if abs(at) > 1 + 2 * _FAR:
                low, high = self.family.ranges[name]
                warnings.warn(
                    f"{name} = {values[name]:g} is outside the range from {low:g} to {high:g} that "
                    f"the zoo has seen by {(abs(at) - 1) / 2:.2g} times its width; beyond "
                    f"{_FAR:g} times, do not trust these functions.",
                    UserWarning,
                    stacklevel=2,
                )
        known = self._solved
        across = _kernel(place[None], self.places, self.length)[0]
        own = _kernel(place[None], place[None], self.length)[0, 0]
        variance = np.maximum(own - known.inverse @ across @ across, 0.0)
        return known.weights @ across, known.scale * np.sqrt(variance + self.noise)

    def functions(self, values: Mapping[str, float]) -> Curves:
        """The most likely functions of some coefficients; raises and warns as `predicted`."""
        return self.prior.at(self.predicted(values)[0][None])

    def draws(self, values: Mapping[str, float], count: int, seed: int) -> Curves:
        """Functions of some coefficients as uncertain as they are; see `predicted`."""
        mean, deviation = self.predicted(values)
        given = [values[name] for name in self.family.ranges]
        generator = numpy_generator(seed, "zero shot", *given)
        return self.prior.at(mean + deviation * generator.standard_normal((count, len(mean))))


def fit_zero_shot(
    family: Family, prior: Prior, coefficients: Array, codes: Array, variances: Array
) -> ZeroShot:
    """Regress the codes of members on their coefficients.

    Args:
        family: that they are of.
        prior: that the codes are in.
        coefficients: (M, C) in the order of the family's ranges.
        codes: (M, p); these and what follows are what `Prior.codes` returns.
        variances: (M, p) of the codes.

    Raises:
        PriorProblem: a prior of another system, or coefficients that do not fit codes and family.
    """
    system = prior.made.get("system", family.system)
    if system != family.system:
        raise PriorProblem(f"The prior is of {system}, and the family of {family.system}.")
    if np.shape(coefficients) != (len(codes), len(family.ranges)):
        raise PriorProblem(
            f"Coefficients of shape {np.shape(coefficients)} are not those of {len(codes)} members "
            f"and of {', '.join(family.ranges)}; give ({len(codes)}, {len(family.ranges)})."
        )
    places = np.stack(
        [family.scaled(dict(zip(family.ranges, x, strict=True))) for x in coefficients]
    )
    best = (np.inf, _LENGTHS[0], _NOISES[0])
    for length in _LENGTHS:
        for noise in _NOISES:
            left = _solved(places, codes, variances, length, noise).left
            squares = np.square(left * prior.importance) * (1 - variances)
            error = float(np.median(np.sqrt(squares.sum(axis=1))))
            best = min(best, (error, length, noise))
    return ZeroShot(family, prior, places, codes, variances, best[1], best[2])


@dataclass(frozen=True, eq=False)
class _Solved:
    """A Gaussian process for each of p codes.

    Attributes:
        inverse: (p, M, M) of the members' covariance.
        weights: (p, M) it times the codes.
        left: (M, p) errors where a member is left out.
        scale: (p,) standard deviation of the process.
    """

    inverse: Array
    weights: Array
    left: Array
    scale: Array


def _solved(places: Array, codes: Array, variances: Array, length: float, noise: float) -> _Solved:
    covariance = np.repeat(_kernel(places, places, length)[None], codes.shape[1], axis=0)
    # An observation after which a variance of 1 has become v has itself the variance v / (1 − v).
    own = np.clip(variances, 0.0, 1 - _UNKNOWN)
    every = np.arange(len(places))
    covariance[:, every, every] += noise + (own / (1 - own)).T
    inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    weights = np.einsum("kij,jk->ki", inverse, codes)
    precision = inverse[:, every, every]
    scale = np.sqrt(np.mean(weights**2 / precision, axis=1))
    return _Solved(inverse, weights, (weights / precision).T, scale)


def _kernel(one: Array, other: Array, length: float) -> Array:
    squares = np.square(one[:, None] - other[None]).sum(axis=2)
    return np.asarray(
        np.exp(-squares / (2 * length**2)) + _FREE * _quadratic(one) @ _quadratic(other).T
    )


def _quadratic(places: Array) -> Array:
    """(M, 1 + C + C (C + 1) / 2)."""
    pairs = combinations_with_replacement(range(places.shape[1]), 2)
    squares = [places[:, a] * places[:, b] for a, b in pairs]
    return np.column_stack([np.ones(len(places)), places, *squares])
