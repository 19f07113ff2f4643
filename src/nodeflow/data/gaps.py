"""Series with missing values as trajectories on the observed part of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from nodeflow.data.series import Run, Series, check_nodes
from nodeflow.data.series_files import SeriesProblem
from nodeflow.dynamics.given import by_node, increasing
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph, from_networkx

__all__ = ["as_arrays", "fill_gaps", "observed_part"]

_SMALLEST, _LARGEST = 1e-15, 1e15
"""Sizes of values and durations that units inside can be made for."""


def observed_part(series: Series, graph: nx.Graph[Any] | Graph) -> tuple[Graph, list[Trajectory]]:
    """The network of the nodes that have a series, and one trajectory for each run on it.

    Nodes without a series are left out together with their edges, as unobserved nodes are in
    Laber, Eliassi-Rad, Klein (2026); gaps in a series are filled by `fill_gaps`.

    Args:
        series: what was observed, with n nodes.
        graph: the network that it was read for.

    Returns:
        A graph of the observed nodes in their order, and the trajectories on it.

    Raises:
        SeriesProblem: as `fill_gaps`; the graph is another one; or there are no runs or values.
    """
    whole = graph if isinstance(graph, Graph) else from_networkx(graph, directed=True)
    if not series.runs:
        raise SeriesProblem("The series have no runs; give at least one.")
    check_nodes(series, whole)
    series = Series(series.nodes, tuple(as_arrays(run, series.nodes) for run in series.runs))
    seen = np.flatnonzero(series.observed)
    if not len(seen):
        raise SeriesProblem("The series hold no values; give those of at least one node.")
    part = whole if len(seen) == whole.n else whole.subgraph(seen)
    trajectories = []
    for index, run in enumerate(series.runs):
        nodes = tuple(series.nodes[node] for node in seen)
        filled = fill_gaps(Run(run.name, run.times, run.states[:, seen]), nodes)
        _check_sizes(filled)
        states = filled.states.astype(np.float32)
        trajectories.append(Trajectory(0, index, filled.times, states, "ok", ""))
    return part, trajectories


def _check_sizes(run: Run) -> None:
    """Refuse sizes that single precision, in which models are trained, cannot hold or square."""
    for what, size in (
        ("values", float(np.abs(run.states).max())),
        ("times", float(run.times[-1] - run.times[0])),
    ):
        if size and not _SMALLEST < size < _LARGEST:
            raise SeriesProblem(
                f"Run {run.name} has {what} of a size of {size:.3g}; take a unit in which it is "
                f"between {_SMALLEST:g} and {_LARGEST:g}."
            )


def fill_gaps(run: Run, nodes: tuple[Any, ...]) -> Run:
    """A run without missing values.

    Inside a node's series gaps are interpolated by monotone cubics (Fritsch and Carlson 1980),
    which make up no new extremes. Nothing is made up before a first or after a last value: the
    run is cut to the times between which every node has been observed.

    Args:
        run: the run.
        nodes: names of its n nodes.

    Raises:
        SeriesProblem: a node has fewer than two values in the run, there are no two times between
            which every node has been observed, or times and states do not fit.
    """
    run = as_arrays(run, nodes)
    seen = np.isfinite(run.states)
    few = np.flatnonzero(seen.sum(axis=0) < 2)
    if len(few):
        raise SeriesProblem(
            f"Run {run.name} has {int(seen[:, few[0]].sum())} value(s) of node {nodes[few[0]]}; a "
            "series needs at least two, so leave out that run or that node."
        )
    last = len(run.times) - 1 - np.argmax(seen[::-1], axis=0)
    start, stop = int(np.argmax(seen, axis=0).max()), int(last.min()) + 1
    if stop - start < 2:
        late, early = nodes[int(np.argmax(np.argmax(seen, axis=0)))], nodes[int(np.argmin(last))]
        raise SeriesProblem(
            f"Run {run.name}: node {early} has no value any more when the first one of node {late} "
            "comes; leave out that run or one of these nodes."
        )
    states = run.states[start:stop].copy()
    times = run.times[start:stop]
    for node in np.flatnonzero(~seen[start:stop].all(axis=0)):
        states[:, node] = _interpolated(run.times, run.states[:, node], times)
    return Run(run.name, times, states)


def as_arrays(run: Run, nodes: Sequence[Any]) -> Run:
    """A run with arrays of float64, also if it was made by hand.

    Raises:
        SeriesProblem: times that do not increase, states of another shape, or an infinite one.
    """
    times = increasing(run.times, f"Run {run.name}: its times", SeriesProblem)
    states = by_node(run.states, nodes, f"Run {run.name}: its states", SeriesProblem)
    if states.shape != (len(times), len(nodes)):
        raise SeriesProblem(
            f"Run {run.name} has states of shape {states.shape} at {len(times)} times of "
            f"{len(nodes)} nodes; give one row a time and one column a node."
        )
    values: NDArray[np.float64] = states.astype(np.float64, copy=False)
    places = np.argwhere(np.isinf(values))
    if len(places):
        time, node = places[0]
        raise SeriesProblem(
            f"Run {run.name} has an infinite state at time {times[time]:g} of node {nodes[node]}; "
            "what was not observed is NaN."
        )
    return Run(run.name, times, values)


def _interpolated(
    times: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    known = np.isfinite(values)
    filled: NDArray[np.float64] = PchipInterpolator(times[known], values[known])(at)
    return filled
