"""Splines in time and in state: smooth trajectories, and functions of one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

__all__ = ["Smoothed", "Splines", "smooth"]

Array = NDArray[np.float64]

_INTERVALS = (1, 2, 4, 8, 16, 32, 64)
_DEGREE_IN_TIME = 5
_EVEN = 1e-3
"""Share of the mean distance of times by which equally spaced ones may differ."""


@dataclass(frozen=True)
class Splines:
    """All cubic splines with given knots, as combinations of P basis functions.

    Attributes:
        knots: with the ends repeated, shape (P + 4,).
        degree: of the pieces.
    """

    knots: Array
    degree: int = 3

    @classmethod
    def on(cls, breaks: Array, degree: int = 3) -> Splines:
        """The splines whose pieces meet at `breaks`, which include the ends."""
        ends = np.full(degree, breaks[0]), np.full(degree, breaks[-1])
        return cls(np.concatenate([ends[0], breaks, ends[1]]), degree)

    @property
    def count(self) -> int:
        """Number of basis functions, P."""
        return len(self.knots) - self.degree - 1

    @property
    def centres(self) -> Array:
        """One state for each basis function, where it is large (Greville's abscissae)."""
        windows = np.lib.stride_tricks.sliding_window_view(self.knots[1:-1], self.degree)
        centres: Array = np.clip(windows.mean(1), self.knots[0], self.knots[-1])
        return centres

    def basis(self, x: Array) -> Array:
        """The basis functions at `x`, shape (*x.shape, P); constant beyond the ends."""
        inside = np.clip(x, self.knots[0], self.knots[-1])
        dense: Array = BSpline.design_matrix(inside.ravel(), self.knots, self.degree).toarray()
        return dense.reshape(*x.shape, self.count)

    def slopes(self, x: Array) -> Array:
        """Their derivatives at `x`, shape (*x.shape, P)."""
        lower = BSpline(self.knots, np.eye(self.count), self.degree).derivative()
        inside = np.clip(x, self.knots[0], self.knots[-1])
        slopes: Array = lower(inside)
        return slopes


@dataclass(frozen=True)
class Smoothed:
    """Smooth curves through observations.

    Attributes:
        states: at the asked times, shape (M, Q, n).
        slopes: their time derivatives, shape (M, Q, n).
        noise: standard deviation of the observations around the curves.
        state_noise: root mean square of the noise that is left in the states.
        slope_noise: the same of the slopes.
    """

    states: Array
    slopes: Array
    noise: float
    state_noise: float
    slope_noise: float


def smooth(times: Array, states: NDArray[np.floating], at: Array) -> Smoothed:
    """Regression splines of degree 5 in time; generalized cross-validation chooses their number.

    Few pieces average noise away, many follow fast nodes; the criterion of Craven and Wahba (Numer.
    Math. 31, 377, 1979) weighs one against the other over all nodes and trajectories.

    Args:
        times: (T,) observation times, of any spacing.
        states: (M, T, n) observed states.
        at: (Q,) times to evaluate at.
    """
    trajectories, count, n = states.shape
    observed = np.moveaxis(states.astype(np.float64), 1, 0).reshape(count, -1)
    best: tuple[float, Splines, Array, float, Array] | None = None
    for intervals in _INTERVALS:
        splines = Splines.on(_breaks(times, intervals), _DEGREE_IN_TIME)
        if splines.count > max(count // 2, _DEGREE_IN_TIME + 1):
            break
        q, r = np.linalg.qr(splines.basis(times))
        projected = q.T @ observed
        left = float(np.square(observed - q @ projected).sum())
        score = left / (1.0 - splines.count / count) ** 2
        if best is None or score < best[0]:
            best = score, splines, np.linalg.solve(r, projected), left, np.linalg.inv(r)
    assert best is not None
    _, splines, coefficients, left, inverse = best
    noise = float(np.sqrt(left / (observed.size * (1.0 - splines.count / count))))
    basis, derivative = splines.basis(at), splines.slopes(at)

    def arranged(values: Array) -> Array:
        return np.moveaxis(values.reshape(len(at), trajectories, n), 0, 1)

    return Smoothed(
        arranged(basis @ coefficients),
        arranged(derivative @ coefficients),
        noise,
        noise * float(np.sqrt(np.square(basis @ inverse).sum(1).mean())),
        noise * float(np.sqrt(np.square(derivative @ inverse).sum(1).mean())),
    )


def _breaks(times: Array, intervals: int) -> Array:
    """Ends of pieces in time: equally spaced, or as many observations apart if these are not."""
    if np.ptp(np.diff(times)) <= _EVEN * (times[-1] - times[0]) / (len(times) - 1):
        return np.linspace(times[0], times[-1], intervals + 1)
    knots: Array = np.quantile(times, np.linspace(0, 1, intervals + 1))
    return knots
