"""What else could be made of few frames: rivals of a prior that learned from a zoo."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.series import Run
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field, field
from nodeflow.graphs.graph import Graph
from nodeflow.laws.discover import discover
from nodeflow.laws.settings import FEWEST_TIMES
from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.priors.estimates import estimate_member
from nodeflow.priors.families import Family
from nodeflow.priors.gaussian import Prior, continued, modes_of, smooth_kernel
from nodeflow.priors.learn import posterior
from nodeflow.priors.problem import PriorProblem
from nodeflow.problems import Problem

__all__ = ["by_law", "fit_form", "smooth_prior", "without_prior"]

Array = NDArray[np.float64]

_SMOOTH_MODES = 24
_FEW_TIMES, _FEW_KNOTS, _KNOTS = 20, 24, 48
"""Functions of fewer times are made of fewer pieces."""

_ROUNDS = 8
_SETTLED = 1e-5
"""Change of coefficients, in units of half their ranges, at which a fit of a form ends."""


def smooth_prior(prior: Prior) -> Prior:
    """A prior with the mean and the sizes of another one, and functions that are merely smooth.

    What it lacks is how functions of the family vary together.
    """
    rows = prior.modes.reshape(len(prior.modes), -1)
    deviation = np.sqrt(np.square(rows).sum(axis=0))
    covariance = np.outer(deviation, deviation) * smooth_kernel(prior.states)
    modes, kept, error = modes_of(covariance, prior.metric, _SMOOTH_MODES)
    return replace(prior, modes=modes.T.reshape(-1, *prior.mean.shape), kept=kept, error=error)


def without_prior(prior: Prior, graph: Graph, run: Run) -> Field | None:
    """The functions as frames alone have them; None of fewer times than that takes.

    They are continued beyond the states of the frames as those of a prior are.

    Args:
        prior: whose states they are given at.
        graph: the network.
        run: the frames.
    """
    count = len(run.times)
    if count < GaussNewtonSettings.fewest_times:
        return None
    frames = _trajectory(run)
    try:
        found = estimate_member(graph, [frames], knots=_FEW_KNOTS if count < _FEW_TIMES else _KNOTS)
        values = continued(found, prior.states)
    except (PriorProblem, np.linalg.LinAlgError):
        return None
    fields = Curves(prior.states, values[None]).fields
    return fields[0] if fields else None


def by_law(graph: Graph, run: Run) -> Field | None:
    """The law that `nodeflow.laws.discover` finds; None if it finds none."""
    if len(run.times) < FEWEST_TIMES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return discover([graph], [_trajectory(run)]).field
    except Problem:
        return None


def fit_form(family: Family, prior: Prior, graph: Graph, run: Run) -> Field | None:
    """The coefficients of the true form, by Gauss–Newton steps from the middle of their ranges.

    Each step is that of few frames with a prior (`Prior.learn`) that is the form, linear in its
    coefficients, with standard deviations of one and a half ranges.

    Args:
        family: whose form it is.
        prior: whose states functions are compared at.
        graph: the network.
        run: the frames.

    Returns:
        The vector field; None if it cannot be integrated on the way.
    """
    lows, highs = np.array(list(family.ranges.values())).T
    half = (highs - lows) / 2
    place = np.zeros(len(half))

    def functions(at: Array) -> Array:
        true = field(family.system, dict(zip(family.ranges, lows + half * (at + 1), strict=True)))
        return _values(true, prior.states)

    fit = None
    for _ in range(_ROUNDS):
        steps = 1e-3 * np.eye(len(half))
        slopes = np.stack([(functions(place + x) - functions(place - x)) / 2e-3 for x in steps])
        local = replace(prior, mean=functions(place), modes=3.0 * slopes, kept=len(half), error=0.0)
        try:
            fit = posterior(local, graph, [run], fit)
        except PriorProblem:
            return None
        # Coefficients stay positive, and at most three halves of a range away.
        moved = np.clip(place + 3.0 * fit.codes, np.maximum(-4.0, 0.01 - 1 - lows / half), 4.0)
        change, place = np.abs(moved - place).max(), moved
        if change < _SETTLED:
            break
    return field(family.system, dict(zip(family.ranges, lows + half * (place + 1), strict=True)))


def _values(true: Field, states: Array) -> Array:
    parts: Sequence[Callable[[Array], Array]] = (true.f, true.h_ego, true.h_alt)
    return np.stack([np.broadcast_to(x(states), states.shape) for x in parts]).astype(np.float64)


def _trajectory(run: Run) -> Trajectory:
    return Trajectory(0, 0, run.times, run.states.astype(np.float32), "ok", "")
