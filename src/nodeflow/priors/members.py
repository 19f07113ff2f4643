"""Priors of simulated systems of a family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from numbers import Real

from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.neural_ode.settings import FEWEST_KNOTS
from nodeflow.priors.estimates import estimate_member
from nodeflow.priors.families import Family, Observing, draws, is_range
from nodeflow.priors.gaussian import FEWEST_MEMBERS, Prior, fit_prior
from nodeflow.priors.problem import PriorProblem
from nodeflow.threads import one_thread_if_small

__all__ = ["prior_of_system"]

_RUNS, _TIMES = 8, 40
"""Of each member: those of the default recipe."""


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

    More than eight parameters, because graphs, trajectories and functions of the prior are all
    drawn here.

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
        PriorProblem: a range, count, initial states or a horizon that is none, or a member that
            cannot be integrated.
        ModelProblem: graphs outside the S¹ model.
    """
    family = Family(system, ranges)
    for name, value, least in (
        ("members", members, FEWEST_MEMBERS), ("nodes", nodes, 2), ("knots", knots, FEWEST_KNOTS),
    ):  # fmt: skip
        if not isinstance(value, int) or value < least:
            raise PriorProblem(f"{name} = {value!r}; give a whole number, at least {least}.")
    smallest, largest = SYSTEMS[system].domain
    if not (is_range(initial) and smallest <= initial[0] and initial[1] <= largest):
        raise PriorProblem(
            f"initial = {initial!r}; give two numbers from {smallest:g} to {largest:g}, between "
            f"which states of {system} are, the lower first."
        )
    if not (isinstance(horizon, Real) and 0 < horizon < math.inf):
        raise PriorProblem(f"horizon = {horizon!r}; give a duration above 0.")
    how = Observing(nodes, beta, gamma, mean_degree, _RUNS, _TIMES, initial, horizon)
    found = [
        estimate_member(x.graph, x.runs, knots=knots) for x in draws(family, members, how, seed)
    ]
    made = {
        "system": system,
        "title": SYSTEMS[system].title,
        "coefficients": list(ranges),
        "ranges": {name: list(pair) for name, pair in ranges.items()},
        "seed": seed,
        **asdict(how),
        "initial": list(initial),
        "knots": knots,
    }
    return fit_prior(found, made)
