"""Members of a prior: functions estimated from series, or of simulated systems of a family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.estimate import Estimate, estimates
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.priors.families import Family, Observing, draws
from nodeflow.priors.gaussian import Prior, PriorProblem, fit_prior
from nodeflow.threads import one_thread_if_small

__all__ = ["estimate_member", "estimated", "prior_of_system"]

_RUNS, _TIMES = 8, 40
"""Of each simulated member, and steps of the error equation: those of the default recipe."""


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


@one_thread_if_small
def prior_of_system(
    system: str,
    ranges: Mapping[str, tuple[float, float]],
    *,
    members: int = 200,
    seed: int = 1,
    nodes: int = 64,
    beta: float = 1.1,
    gamma: float = 3.0,
    mean_degree: float = 10.0,
    initial: tuple[float, float] = (0.0, 0.5),
    horizon: float = 1.0,
    knots: int = 48,
) -> Prior:
    """A prior of one family: coefficients drawn from ranges, each on an S¹ graph of its own.

    Args:
        system: one of `nodeflow.dynamics.SYSTEMS`.
        ranges: by coefficient, from where to where it is uniform; others keep their defaults.
        members: how many systems, each observed in 8 runs of 40 times.
        seed: all random numbers follow from it.
        nodes: of each graph.
        beta: inverse temperature of the graphs.
        gamma: their degree exponent.
        mean_degree: their mean degree.
        initial: between which initial states are uniform.
        horizon: duration of the runs, in the unit in which the frames' times will be.
        knots: pieces of the splines that functions are estimated with.

    Raises:
        SystemProblem: unknown system or coefficient.
        PriorProblem: a range that is none, or a member that cannot be integrated.
        ModelProblem: graphs outside the S¹ model.
    """
    family = Family(system, ranges)
    how = Observing(nodes, beta, gamma, mean_degree, _RUNS, _TIMES, initial, horizon)
    found = [
        estimate_member(x.graph, x.runs, knots=knots) for x in draws(family, members, how, seed)
    ]
    made = {
        "system": system,
        "title": SYSTEMS[system].title,
        "ranges": {name: list(pair) for name, pair in ranges.items()},
        "seed": seed,
        **asdict(how),
        "initial": list(initial),
        "knots": knots,
    }
    return fit_prior(found, made)
