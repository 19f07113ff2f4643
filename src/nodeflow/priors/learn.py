"""The functions of one system from few frames and a prior: draws, bands, and an alarm."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.gaps import observed_part
from nodeflow.data.limits import FEW_TIMES, limits, same_strength
from nodeflow.data.series import Run, Series
from nodeflow.graphs.graph import Graph, from_networkx
from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.ensemble import Ensemble, data_facts, sorted_runs
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.seen import Seen
from nodeflow.neural_ode.trust import LEVELS, Calibration
from nodeflow.priors.gaussian import FEWEST_FRAMES, Prior
from nodeflow.priors.posterior import Posterior, Search
from nodeflow.priors.problem import PriorProblem
from nodeflow.seeds import numpy_generator
from nodeflow.threads import one_thread_if_small

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["learn", "posterior"]

Array = NDArray[np.float64]

_LARGEST = 1024
"""Observed nodes at most: each initial state is an unknown of its own."""

_OTHER_RANGE = 3.0
"""Times the states of the prior's members from which frames are taken for another unit."""

_OTHER_SCALE = 100.0
"""How many times the states that all members have seen are larger than frames in another unit."""

_OTHER_DURATION = 3.0
"""How many times longer than the members' runs frames last that are not trusted."""

_LOUD = 0.25
"""Share of the states from which what is left of the frames is no noise that can be told."""

_UNLIKELY = 1e-4
_MATERIAL = 3.0
"""An alarm is raised where what is left of the frames depends on the states with this probability
of chance, and is so many times larger than what the modes left out explain."""


@one_thread_if_small
def learn(
    prior: Prior,
    graph: nx.Graph[Any] | Graph,
    frames: Series | Sequence[Run],
    *,
    members: int,
    seed: int,
) -> Ensemble:
    """What frames say of the functions of one system; arguments are those of `Prior.learn`."""
    if not isinstance(members, int) or members < 2:
        raise PriorProblem(
            f"members = {members!r}; a posterior is shown by a whole number of draws, at least 2."
        )
    whole = graph if isinstance(graph, Graph) else from_networkx(graph, directed=True)
    series = sorted_runs(whole, frames)
    for run in series.runs:
        if len(run.times) < FEWEST_FRAMES:
            raise PriorProblem(
                f"Run {run.name} has a single time, and what changes is told by two; observe once "
                "more, or leave the run out."
            )
    part, trajectories = observed_part(series, whole)
    [data] = observed([part], trajectories)
    _check_frames(prior, data)
    fit = Search.of(prior, data).solved()
    alarm = (*_alarm(fit, prior), *_other_times(prior, data))
    told = [note.text for note in limits(whole, series) if note.topic != FEW_TIMES]
    notes = (*told, *alarm)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=4)  # past the method and the decorator
    low, high = prior.seen
    covered = ((low, high),)
    ones = (1.0,) * len(LEVELS)
    return Ensemble(
        Curves(prior.states, _draws(prior, fit, members, seed)),
        # Of functions that explain nothing no state is known.
        Seen((), (), ()) if alarm else Seen(covered, covered, covered),
        Calibration(LEVELS, ones, 0),
        fit.noise,
        same_strength(part),
        {
            "prior": dict(prior.made),
            "seed": seed,
            "evidence": fit.evidence,
            "misfit": fit.misfit,
            "alarm": list(alarm),
            **data_facts(part, data),
        },
        notes,
    )


def posterior(
    prior: Prior, graph: Graph, frames: Sequence[Run], before: Posterior | None = None
) -> Posterior:
    """What frames say of the codes of a prior; raises as `Prior.learn`.

    Args:
        prior: any.
        graph: the network.
        frames: runs on it.
        before: what they said with a similar prior; initial states and noise are sought from there.
    """
    part, trajectories = observed_part(sorted_runs(graph, frames), graph)
    [data] = observed([part], trajectories)
    _check_frames(prior, data)
    return Search.of(prior, data).solved(before)


def _check_frames(prior: Prior, data: Observations) -> None:
    n = data.adjacency.shape[0]
    if n > _LARGEST:
        raise PriorProblem(
            f"The frames are of {n} nodes, and a prior learns from up to {_LARGEST}; give the "
            "series of fewer nodes, whose functions are those of all."
        )
    low, high = data.range
    size = math.sqrt(float(np.mean([np.square(x).mean() for _, x in data.groups])))
    if low < -size / 2:
        raise PriorProblem(
            f"The frames have states down to {low:.4g}, and the prior is of states from 0; give "
            "them as differences from their smallest possible value, as its members were."
        )
    if high > _OTHER_RANGE * prior.states[-1]:
        raise PriorProblem(
            f"The frames have states up to {high:.4g}, and the members of the prior only up to "
            f"{prior.states[-1]:.4g}; give both in the same unit, or take another prior."
        )
    smallest = prior.shared[1] / _OTHER_SCALE
    if max(high, -low) < smallest:
        raise PriorProblem(
            f"The frames have states up to {high:.4g}, and all members of the prior up to "
            f"{prior.shared[1]:.4g} or more; give both in the same unit, or take a prior of "
            "members that start from such states."
        )
    if all((x == x[:, :1]).all() for _, x in data.groups):
        raise PriorProblem("No state ever changes in the frames, so there is nothing to learn.")


def _draws(prior: Prior, fit: Posterior, members: int, seed: int) -> Array:
    """Functions (members, 3, K) in pairs around the mode; modes left out as in the prior."""
    generator = numpy_generator(seed, "posterior")
    kept, left = prior.modes[: prior.kept], prior.modes[prior.kept :]
    normal = generator.standard_normal(((members + 1) // 2, len(prior.modes)))
    try:
        root = np.linalg.cholesky(np.linalg.inv(fit.precision))
    except np.linalg.LinAlgError as error:
        raise PriorProblem(
            "What the frames say of the prior's functions cannot be told from rounding; check the "
            "units of times and states, or take another prior."
        ) from error
    apart = np.tensordot(normal[:, : prior.kept] @ root.T, kept, 1)
    apart += np.tensordot(normal[:, prior.kept :], left, 1)
    mode = prior.mean + np.tensordot(fit.codes, kept, 1)
    pairs = np.stack([mode + apart, mode - apart], axis=1)
    return np.asarray(pairs.reshape(-1, *mode.shape)[:members])


def _alarm(fit: Posterior, prior: Prior) -> tuple[str, ...]:
    if fit.noise > _LOUD * fit.size:
        return (
            f"No function of the prior explains the frames, unless their noise is {fit.noise:.3g} "
            f"or {fit.noise / fit.size:.2g} of the states. Do not trust its forecasts; check the "
            "units of times and states, or take a prior of other systems.",
        )
    if math.isnan(fit.misfit):
        return ("The frames are too few to say whether the prior fits them.",)
    if fit.misfit > _UNLIKELY or fit.noise < _MATERIAL * prior.error * fit.size:
        return ()
    return (
        f"No function of the prior explains the frames: what is left, {fit.noise:.3g} or "
        f"{fit.noise / fit.size:.2g} of the states, depends on the states of nodes and their "
        "neighbours, as noise does not. Do not trust its forecasts; take a prior of other systems, "
        "or observe more and train without one.",
    )


def _other_times(prior: Prior, data: Observations) -> tuple[str, ...]:
    """That frames last longer than the runs of the members, if it is known how long these did."""
    horizon = prior.made.get("horizon")
    duration = max(float(times[-1] - times[0]) for times, _ in data.groups)
    if horizon is None or duration <= _OTHER_DURATION * float(horizon):
        return ()
    return (
        f"The frames last {duration:.4g}, and the runs of the prior's members {horizon:.4g}. "
        "Do not trust its forecasts; give times in the unit of the prior, or make one with a "
        "horizon as long as the frames.",
    )
