"""What series on a network cannot tell, before and after anything is learned from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.observed import Note
from nodeflow.data.series import Series
from nodeflow.graphs.graph import Graph

__all__ = ["FEW_TIMES", "limits", "receives", "same_strength", "some_nodes", "unchanging"]

FEW_TIMES = "few observations"
"""Topic of the note on few times in all, which a prior over functions makes up for."""

_FEW = 40
"""Times in all up to which they are few."""

_BEYOND = 1000.0
"""Times the mean distance of values from their median that no value is expected at."""

_ROUNDING = 1e-5
"""Of numbers in files, relative: closer ones are the same."""


def limits(graph: Graph, series: Series) -> Iterator[Note]:
    """What cannot be learned from series, or only partly.

    Args:
        graph: the whole network.
        series: on its nodes; those without values are left out, as by `observed_part`.
    """
    seen = series.observed
    hidden = np.flatnonzero(~seen)
    if len(hidden):
        yield Note(
            "unobserved nodes",
            f"There is no series of {some_nodes(hidden, series.nodes)}. What has none is left out "
            "together with its edges, so what it does to others is missed.",
            limits=True,
        )
    part = graph.subgraph(np.flatnonzero(seen)) if len(hidden) else graph
    strength = same_strength(part)
    if not len(part.edges):
        which = "of the observed nodes " if len(hidden) else ""
        yield Note(
            "interaction",
            f"The network {which}has no edges, so that nothing can be told of an interaction: only "
            "f, how nodes change by themselves, is learned, and forecasts hold for networks "
            "without edges.",
            limits=True,
        )
    elif strength is not None:
        yield Note(
            "interaction",
            f"Every node receives the same in all, {strength:g}, so that a constant in h_alt "
            "cannot be told from f, how nodes change by themselves: forecasts hold for networks "
            "where every node receives so much.",
            limits=True,
        )
    elif all(_uniform(run.states) for run in series.runs):
        yield Note(
            "interaction",
            "All nodes are always in the same state, so that f and the interaction can be told "
            "apart by what nodes receive alone.",
            limits=True,
        )
    times = sum(len(run.times) for run in series.runs)
    if times <= _FEW:
        yield Note(
            FEW_TIMES,
            f"There are only {times} times in all, so that noise hardly averages out, and of "
            "states that they do not show only a prior over functions knows anything "
            "(own.NAME.prior, nodeflow.priors).",
            limits=True,
        )
    yield from _outliers(series)
    still = seen & np.all([unchanging(run.states) for run in series.runs], axis=0)
    if still.any():
        yield Note(
            "constant series",
            f"The values never change of {some_nodes(np.flatnonzero(still), series.nodes)}; check "
            "the series.",
        )


def _outliers(series: Series) -> Iterator[Note]:
    """A value that is out of all proportion to the others, so that units are not known."""
    values = np.concatenate([run.states[np.isfinite(run.states)] for run in series.runs])
    distance = np.abs(values - np.median(values))
    farthest = int(distance.argmax()) if len(values) else 0
    if len(values) < 2 or distance[farthest] <= _BEYOND * np.delete(distance, farthest).mean():
        return
    run = next(run for run in series.runs if (run.states == values[farthest]).any())
    time, node = np.argwhere(run.states == values[farthest])[0]
    yield Note(
        "outliers",
        f"Run {run.name}, node {series.nodes[node]}, time {run.times[time]:g}: the value "
        f"{run.states[time, node]:g} is more than {_BEYOND:g} times as far from the median as "
        "others are on average; if it is an error, leave the field empty.",
        limits=True,
    )


def same_strength(graph: Graph) -> float | None:
    """What every node receives, Σ_j A_ij, if that is the same for all; else None."""
    first = float(graph.adjacency().sum(axis=1)[0])
    return first if receives(graph, first).all() else None


def receives(graph: Graph, strength: float) -> NDArray[np.bool_]:
    """Whether each node receives so much, Σ_j A_ij, whatever the unit of weights; shape (n,)."""
    matrix = graph.adjacency()
    size = max(float(abs(matrix).sum(axis=1).max()), abs(strength))
    return np.asarray(np.abs(matrix.sum(axis=1) - strength) <= _ROUNDING * size)


def some_nodes(which: NDArray[np.integer], names: Sequence[Any]) -> str:
    """A few nodes by name, and how many there are."""
    shown = ", ".join(str(names[node]) for node in which[:5])
    if len(which) == 1:
        return f"node {shown}"
    return f"{len(which)} nodes ({shown}{', …' if len(which) > 5 else ''})"


def _uniform(states: NDArray[np.float64]) -> bool:
    """Whether all nodes are in the same state at each time, as far as they were observed."""
    known = np.isfinite(states)
    low = np.where(known, states, np.inf).min(axis=1)
    high = np.where(known, states, -np.inf).max(axis=1)
    size = np.abs(states[known]).max(initial=0.0)
    return bool((high - low <= _ROUNDING * size).all())


def unchanging(states: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether each node has one and the same value at all times, or none, shape (n,)."""
    known = np.isfinite(states)
    low, high = np.where(known, states, np.inf), np.where(known, states, -np.inf)
    return np.asarray(low.min(axis=0) >= high.max(axis=0))
