"""What a law predicts with all that the data leave open: bands, and a flag for each node.

A forecast is a mixture over the laws that the data do not exclude, with their weights. Each is a
normal distribution around its trajectory: its covariance is that of the parameters, carried along
the trajectory to first order. Where laws part, as they may at a hub that no data show, the mixture
is wide. Parameters without errors and laws without alternatives leave the noise alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr, ndtri

from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.laws.data import LawProblem
from nodeflow.laws.form import field_of
from nodeflow.laws.formulas import atom_of
from nodeflow.neural_ode.seen import Seen, flags

if TYPE_CHECKING:
    from nodeflow.laws.law import Law

__all__ = ["DIFFER", "FLAGS", "Mixture", "flag", "mixture", "quantiles"]

Array = NDArray[np.float64]
_States = Callable[["Law", Array], tuple[Array, str]]

FLAGS = ("inside", "outside, laws agree", "outside, laws differ")
"""What is said of a node; see `flag`."""

INSIDE, AGREE, DIFFER = range(3)

_APART = 0.01
"""Share of a state by which laws may part where they agree."""

_NEAR_ZERO = 1e-3
"""States that are smaller, in units of the largest one seen, count as of this size."""

_SMALL = 1e-4
"""Relative change of parameters below which an integrator's errors would hide its effect."""

_SHORTER, _TRIALS = 0.2, 4
_BISECTIONS = 40


@dataclass(frozen=True)
class Mixture:
    """What K laws predict for n nodes at T times; the first is the one of the largest weight.

    Attributes:
        weights: (K,), of sum 1.
        means: (K, T, n) their trajectories; NaN from where an integration failed.
        errors: (K, T, n) standard deviations that follow from those of their parameters; infinite
            where a change within them cannot be integrated.
    """

    weights: Array
    means: Array
    errors: Array

    @property
    def mean(self) -> Array:
        """(T, n) of the laws that can be integrated until then."""
        there = np.isfinite(self.means)
        share = self.weights[:, None, None] * there
        total = (share * np.where(there, self.means, 0.0)).sum(axis=0)
        return np.asarray(total / share.sum(axis=0))

    def apart(self) -> Array:
        """(T, n) how far forecasts may be apart from that of the first law.

        By the alternative that is farthest from it, whatever its weight, or by the errors of its
        own parameters at 90 %.
        """
        others = np.abs(self.means - self.means[:1])[1:]
        farthest = np.where(np.isnan(others), np.inf, others).max(axis=0, initial=0.0)
        return np.asarray(np.maximum(farthest, ndtri(0.95) * self.errors[0]))

    def band(self, level: float, noise: float) -> tuple[Array, Array]:
        """Between what a state, or with noise an observation, lies with this probability."""
        spread = np.hypot(self.errors, noise)
        low, high = (1 - level) / 2, (1 + level) / 2
        return (
            quantiles(low, self.weights, self.means, spread),
            quantiles(high, self.weights, self.means, spread),
        )


def mixture(
    law: Law,
    matrix: csr_array,
    start: Array,
    times: Array,
    covariates: Mapping[str, Array],
    tolerance: Tolerance,
) -> Mixture:
    """Integrate a law, its alternatives, and what their parameters may be.

    Args:
        law: with its alternatives.
        matrix: (n, n) adjacency matrix.
        start: (n,) initial states.
        times: (T,).
        covariates: by name, (n,) of the nodes.
        tolerance: of the integration.

    Raises:
        LawProblem: the law itself cannot be integrated.
    """
    laws = (law, *law.alternatives)

    def states(which: Law, parameters: Array) -> tuple[Array, str]:
        simulated = simulate(
            field_of(which.form, parameters, covariates), matrix, start[None], times,
            **asdict(tolerance),
        )  # fmt: skip
        return simulated.states[0], simulated.reason[0]

    means, errors = [], []
    for which in laws:
        middle, reason = states(which, which.parameters)
        if reason and which is law:
            raise LawProblem(f"The law cannot be integrated here: {reason}.")
        # What explodes does so whatever its parameters are within their errors.
        squares = np.zeros_like(middle)
        for direction in _directions(which) if not reason else ():
            squares += np.square(_response(which, direction, middle, states))
        means.append(middle)
        errors.append(np.sqrt(squares))
    weights = np.array([which.weight for which in laws])
    return Mixture(weights / weights.sum(), np.stack(means), np.stack(errors))


def _directions(law: Law) -> Array:
    """Changes of the parameters, (P, P), whose outer products add up to their covariance."""
    errors = law.errors
    unit = np.where(errors > 0, errors, 1.0)
    values, vectors = np.linalg.eigh(law.covariance / np.outer(unit, unit))
    kept = values > 1e-12 * max(float(values.max(initial=0.0)), 1e-300)
    return np.asarray((unit[:, None] * vectors[:, kept] * np.sqrt(values[kept])).T)


def _response(law: Law, direction: Array, middle: Array, states: _States) -> Array:
    """What a change of the parameters does to the trajectory, (T, n), to first order.

    The change is made as large as its effect takes to be seen, or as small as it takes for the law
    to be one.
    """
    size = np.maximum(np.abs(law.parameters), _SMALL * np.abs(law.parameters).max())
    share = max(1.0, _SMALL / float((np.abs(direction) / size).max()))
    for _ in range(_TRIALS):
        for sign in (1.0, -1.0):
            parameters = law.parameters + sign * share * direction
            if _possible(law, parameters):
                moved, reason = states(law, parameters)
                if not reason:
                    return np.asarray((moved - middle) / share)
        share *= _SHORTER
    return np.full_like(middle, np.inf)


def _possible(law: Law, parameters: Array) -> bool:
    """Whether parameters inside atoms that have to be positive are."""
    for slot, value in zip(law.form.slots, parameters, strict=True):
        if slot.inner is not None:
            inner = atom_of(getattr(law.form, slot.function)[slot.term].atom).inner[slot.inner]
            if inner.low > 0 and value <= 0:
                return False
    return True


def quantiles(p: float, weights: Array, means: Array, spread: Array) -> Array:
    """The quantile p of mixtures of normal distributions.

    What has no mean may be anywhere: half of its weight lies at either end of the axis.

    Args:
        p: a probability.
        weights: (K,), of sum 1.
        means: (K, …), NaN where there is none.
        spread: (K, …) standard deviations.
    """
    there = np.isfinite(means) & np.isfinite(spread)
    share = weights.reshape(-1, *[1] * (means.ndim - 1)) * there
    known = share.sum(axis=0)
    rest = p - (1 - known) / 2
    inside = (rest > 0) & (rest < known)
    middle = np.where(there, means, 0.0)
    width = np.maximum(np.where(there, spread, 1.0), np.finfo(float).tiny)
    each = middle + ndtri(np.where(inside, rest / np.maximum(known, 1e-300), 0.5)) * width
    low = np.where(there, each, np.inf).min(axis=0)
    high = np.where(there, each, -np.inf).max(axis=0)
    low, high = np.where(inside, low, 0.0), np.where(inside, high, 0.0)
    if len(weights) > 1:
        for _ in range(_BISECTIONS):
            half = (low + high) / 2
            below = (share * ndtr((half - middle) / width)).sum(axis=0) < rest
            low, high = np.where(below, half, low), np.where(below, high, half)
    ends = np.where(rest > 0, np.inf, -np.inf)
    return np.where(inside, (low + high) / 2, ends)


def flag(law: Law, found: Mixture, graph: Graph) -> NDArray[np.int8]:
    """For each time and node the place in `FLAGS`, (T, n).

    * inside: the forecast rests on states that the data show: its own, and on average those of its
      neighbours (`nodeflow.neural_ode.flags`);
    * outside, laws agree: it does not, but neither an alternative nor a value of the parameters
      within their errors (90 %) changes it by more than 1 %;
    * outside, laws differ: one of them does, or the law does not explain its own data, so that
      nothing is known beyond them.

    A flag stays, or becomes worse: what went wrong does not become right later.
    """
    low, high = law.seen
    outside = flags(found.means[0], Seen(*[((low, high),)] * 3), graph)
    least = _NEAR_ZERO * max(abs(low), abs(high))
    size = np.maximum(np.abs(found.means[0]), least)
    differ = np.maximum.accumulate(~(found.apart() <= _APART * size), axis=0)
    if not law.explains:
        differ[:] = True
    return np.where(outside, np.where(differ, DIFFER, AGREE), INSIDE).astype(np.int8)
