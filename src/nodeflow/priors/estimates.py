"""The functions of one system, as the data have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.estimate import Estimate, estimates
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.priors.problem import PriorProblem
from nodeflow.threads import one_thread_if_small

__all__ = ["estimate_member", "estimated"]

_TIMES = 40
"""Steps of the error equation: those of the default recipe."""


@one_thread_if_small
def estimate_member(graph: Graph, runs: Sequence[Trajectory], *, knots: int = 48) -> Estimate:
    """The functions of one system, for `fit_prior`.

    Args:
        graph: the network.
        runs: on it, of 7 times or more each; `data.observed_part` makes them of series.
        knots: pieces of the splines.

    Raises:
        RecipeProblem: there is no run.
        PriorProblem: a run has too few times, or the functions cannot be found.
    """
    [data] = observed([graph], runs)
    short = min(len(times) for times, _ in data.groups)
    fewest = GaussNewtonSettings.fewest_times
    if short < fewest:
        raise PriorProblem(
            f"A member of a prior has a run of {short} times, and its functions are estimated "
            f"from at least {fewest}; leave the run out."
        )
    return estimated(data, knots)


def estimated(data: Observations, knots: int) -> Estimate:
    """As `estimate_member`, of observations that are long enough."""
    [found] = estimates(data.groups, data.adjacency, knots=knots, steps=_TIMES, ridge=0.0)
    if not (np.isfinite(found.values).all() and np.isfinite(found.root).all()):
        raise PriorProblem("The functions of a member cannot be estimated; leave it out.")
    return found
