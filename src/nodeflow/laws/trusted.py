"""Whether bands and flags of a law are to be trusted, measured on test graphs as ensembles' are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.laws.bands import AGREE, DIFFER, flag
from nodeflow.laws.data import LawProblem
from nodeflow.laws.law import EXACT, Law
from nodeflow.neural_ode.trust import Calibration
from nodeflow.neural_ode.trust_table import PERCENTAGES
from nodeflow.neural_ode.trusted import Rated, failure, summary
from nodeflow.threads import one_thread_if_small

__all__ = ["rate_law"]

_ALONE = Calibration(tuple(PERCENTAGES.values()), (1.0,) * len(PERCENTAGES), 0)
"""Bands of laws are what follows from the data alone."""


@one_thread_if_small
def rate_law(law: Law, graph: Graph, truth: Sequence[Trajectory]) -> dict[str, Any]:
    """How good the bands and flags of a law are on a graph.

    The bands are those of states, not of observations: they hold the alternatives and the errors of
    parameters, and in place of noise only that no state counts as more exact than 1e-5 of them.

    Args:
        law: with its alternatives.
        graph: a test graph.
        truth: trajectories of the true system on it.

    Returns:
        The columns of `NEURAL_ODE_TRUST`, but for those that name the graphs.
    """
    reason, each = failure(truth), []
    for run in [] if reason else truth:
        try:
            each.append(_rated(law, graph, run))
        except LawProblem as problem:
            reason = str(problem)
            break
    return summary(_ALONE, each, reason)


def _rated(law: Law, graph: Graph, truth: Trajectory) -> Rated:
    states = truth.states.astype(np.float64)
    mixture = law.mixture(graph, states[0], truth.times)
    middle, flagged = mixture.mean, flag(law, mixture, graph)[-1]
    # Noise of the observations is none of the states, but those count as no more exact than this.
    exact = min(law.noise, EXACT * max(map(abs, law.seen)))
    edges = [mixture.band(level, exact) for level in PERCENTAGES.values()]
    inside = np.stack(
        [((lower <= states) & (states <= upper))[1:].mean(axis=0) for lower, upper in edges]
    )
    lower, upper = edges[-1]
    return Rated(
        len(mixture.weights),
        inside,
        inside,
        (upper - lower)[1:].mean(axis=0) / 2,
        np.abs(states[1:]).mean(axis=0),
        np.abs(states - middle)[1:].mean(axis=0),
        flagged == DIFFER,
        flagged == AGREE,
    )
