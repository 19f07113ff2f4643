"""What the S¹ model predicts for random hidden degrees and positions, without sampling graphs.

The other N − 1 nodes are independent of each other. So given its hidden degree κ a node's degree
is exactly binomial, and any two neighbours of a node are independent draws from one density. Only
c is an approximation: one number, for which the mean degree over all coordinates is k̄, stands for
the c that is calibrated anew for each graph. Means over graphs agree all the same, even for N = 64
and γ = 2.1, where a single hub moves c (tested). Single graphs need not: there the distribution of
their clustering is wide and skewed, with a median below the mean.

Source: hidden variables as in Boguñá and Pastor-Satorras, Phys. Rev. E 68, 036112 (2003), with the
connection probability of `nodeflow.graphs.s1`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy  # loads its parts when first used; most jobs that load graphs use none
from numpy.typing import ArrayLike, NDArray

from nodeflow.graphs.s1 import asymptotic_c, check_model, mean_over_ring

__all__ = ["S1Theory", "s1_theory"]

PANEL = 0.4
"""Width in log κ of a panel of eight quadrature points."""

FINER = 8
"""How many times finer the quadrature of the degree distribution is: it resolves binomial peaks up
to degrees of about 10⁴."""


@dataclass(frozen=True, eq=False)
class S1Theory:
    """The model at one (N, β, γ, k̄); made by `s1_theory`.

    Attributes:
        n: number of nodes N.
        beta: inverse temperature.
        gamma: exponent of the hidden-degree density.
        mean_degree: k̄.
        c: the constant that gives k̄ on average over coordinates.
        excess: log(κ/κ₀) at the quadrature points, shape (Q,).
        weights: probabilities of these points, shape (Q,).
        linked: probability that a node with that κ is linked to a random other one, shape (Q,).
        over_ring: probability of an edge at a random distance, as a function of log z, where
            1/p = 1 + z y^β at the distance y/2, y in [0, 1].
    """

    n: int
    beta: float
    gamma: float
    mean_degree: float
    c: float
    excess: NDArray[np.float64]
    weights: NDArray[np.float64]
    linked: NDArray[np.float64]
    over_ring: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def expected_degree(self, kappa: ArrayLike) -> NDArray[np.float64]:
        """E[k | κ] for hidden degrees of the model's range; broadcasts."""
        least = self.mean_degree * (self.gamma - 2) / (self.gamma - 1)
        return (self.n - 1) * self._linked_at(np.log(np.asarray(kappa) / least))

    def degree_probability(self, degrees: ArrayLike) -> NDArray[np.float64]:
        """P(degree = k) for each of some k, shape (K,)."""
        return self._mixture(np.atleast_1d(degrees), scipy.stats.binom.pmf)

    def degree_exceedance(self, degrees: ArrayLike) -> NDArray[np.float64]:
        """P(degree ≥ k) for each of some k, shape (K,)."""
        return self._mixture(np.atleast_1d(degrees) - 1, scipy.stats.binom.sf)

    def clustering(self, samples: int = 2**14, seed: int = 0) -> float:
        """Mean local clustering of the nodes with at least two neighbours.

        A node's expected clustering is the probability that two random neighbours are linked. It is
        averaged over scrambled Sobol points; with 2¹⁴ of them the error is about 0.002.

        Args:
            samples: number of points, a power of 2.
            seed: of the scrambling.
        """
        statistics = scipy.stats
        points = statistics.qmc.Sobol(5, rng=np.random.default_rng(seed)).random(samples)
        with_two = self.weights * statistics.binom.sf(1, self.n - 1, self.linked)
        q = self.excess[_draw(np.cumsum(with_two), points[:, 0])]
        one, y = self._neighbours(q, points[:, 1], points[:, 2])
        two, w = self._neighbours(q, points[:, 3], points[:, 4])
        gap = np.abs(y - w)
        gap = np.minimum(gap, 2 - gap)
        with np.errstate(divide="ignore"):
            t = self._log_z(one + two) + self.beta * np.log(gap)
        return float(np.mean(1 / (1 + np.exp(t))))

    def _log_z(self, excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """The log z of two nodes whose excesses add up to `excess`."""
        return _log_z(self.n, self.beta, self.gamma, self.mean_degree, math.log(self.c), excess)

    def _linked_at(self, excess: NDArray[np.float64]) -> NDArray[np.float64]:
        spline = scipy.interpolate.CubicSpline(self.excess, np.log(self.linked))
        linked: NDArray[np.float64] = np.minimum(np.exp(spline(excess)), 1.0)
        return linked

    def _mixture(
        self, degrees: NDArray[np.int64], law: Callable[..., NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        excess, weights = _pareto(self.gamma, PANEL / FINER)
        linked = self._linked_at(excess)
        return np.array([float(weights @ law(k, self.n - 1, linked)) for k in degrees])

    def _neighbours(
        self, q: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Excess and place, in [−1, 1] around the ring, of a neighbour of nodes with excess q.

        Args:
            q: shape (S,).
            u: uniform numbers that choose the neighbour's excess, shape (S,).
            v: uniform numbers that choose its place, shape (S,).
        """
        chances = self.over_ring(self._log_z(q[:, None] + self.excess)) * self.weights
        other = self.excess[_draw(np.cumsum(chances, axis=1), u)]
        log_z = self._log_z(q + other)
        # With F(y) = ∫₀^y dt/(1 + z t^β) = y F(1; z y^β), solve F(y) = share F(1) for log y.
        with np.errstate(divide="ignore"):
            goal = np.log(np.abs(2 * v - 1)) + np.log(self.over_ring(log_z))
        low, high = np.full(len(q), -100.0), np.zeros(len(q))
        for _ in range(50):
            middle = (low + high) / 2
            below = middle + np.log(self.over_ring(log_z + self.beta * middle)) < goal
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return other, np.sign(v - 0.5) * np.exp(high)


def s1_theory(n: int, beta: float, gamma: float, mean_degree: float) -> S1Theory:
    """Solve for c and tabulate expected degrees.

    Raises:
        S1Problem: parameters outside the model.
    """
    check_model(n, beta, gamma, mean_degree)
    excess, weights = _pareto(gamma, PANEL)
    start = math.log(asymptotic_c(n, beta, mean_degree))
    sums = excess[:, None] + excess
    over_ring = _mean_over_ring(
        beta, float(_log_z(n, beta, gamma, mean_degree, start - 10, np.zeros(1))[0])
    )

    def linked(log_c: float) -> NDArray[np.float64]:
        return over_ring(_log_z(n, beta, gamma, mean_degree, log_c, sums)) @ weights

    def too_many(log_c: float) -> float:
        return float(weights @ linked(log_c)) * (n - 1) / mean_degree - 1

    low, high = start, start
    while too_many(low) > 0:
        low -= 1
    while too_many(high) < 0:
        high += 1
    log_c = float(scipy.optimize.brentq(too_many, low - 1e-9, high + 1e-9, xtol=1e-12))
    return S1Theory(
        n, beta, gamma, mean_degree, math.exp(log_c), excess, weights, linked(log_c), over_ring
    )


def _log_z(
    n: int,
    beta: float,
    gamma: float,
    mean_degree: float,
    log_c: float,
    excess: NDArray[np.float64],
) -> NDArray[np.float64]:
    least = mean_degree * (gamma - 2) / (gamma - 1)
    weight = log_c + 2 * math.log(least) + excess
    return np.asarray(beta * math.log(n / 2) - max(1.0, beta) * weight)


def _pareto(gamma: float, panel: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points log(κ/κ₀) and their probabilities, up to a tail of probability e⁻³⁰."""
    points, shares = _gauss(panel, math.ceil(30 / (gamma - 1) / panel))
    weights = shares * np.exp(-(gamma - 1) * points)
    return points, weights / weights.sum()


def _mean_over_ring(
    beta: float, highest: float
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """∫₀¹ dy/(1 + z y^β) against log z, up to a highest one."""
    lowest = -50.0
    grid = np.linspace(lowest, highest, math.ceil((highest - lowest) * 8) + 1)
    spline = scipy.interpolate.CubicSpline(grid, np.log(mean_over_ring(grid, beta)))
    return lambda log_z: np.exp(spline(np.clip(log_z, lowest, highest)))


def _gauss(panel: float, panels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and weights of composite Gauss–Legendre quadrature from 0."""
    points, weights = np.polynomial.legendre.leggauss(8)
    places = panel * (np.arange(panels)[:, None] + (1 + points) / 2)
    return places.ravel(), np.tile(weights * panel / 2, panels)


def _draw(cumulative: NDArray[np.float64], u: NDArray[np.float64]) -> NDArray[np.int64]:
    """The outcome that each uniform number chooses; cumulative of shape (K,) or (S, K)."""
    goal = u * cumulative[..., -1]
    index = np.sum(cumulative < goal[:, None], axis=-1)
    return np.asarray(index.clip(max=cumulative.shape[-1] - 1))
