"""Trajectories beside the graphs that they were observed on: one place where they are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.given import by_node, first_bad, increasing
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph, check_graphs
from nodeflow.problems import Problem

__all__ = ["TrajectoryProblem", "runs_by_graph", "runs_on_each", "same_times"]

_SAME_TIME = 1e-9
"""Times of two runs are the same if they differ by less than this share of the last one."""


class TrajectoryProblem(Problem):
    """A trajectory does not fit its graph or the other trajectories; the text says which one."""


def runs_by_graph(
    graphs: Sequence[Graph], trajectories: Sequence[Trajectory]
) -> list[list[Trajectory]]:
    """The trajectories of each graph, checked, with times and states as arrays.

    Successful trajectories need finite states of all nodes at increasing times, which may differ
    from one to the next.

    Args:
        graphs: the graphs, by index.
        trajectories: observed on them, in any order; states and times may be lists, tables of
            pandas, or arrays of other types.

    Returns:
        For each graph its trajectories, failed ones among them, in the given order.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory names no graph of the list, or its states, times or status
            do not fit.
    """
    check_graphs(graphs)
    if isinstance(trajectories, Trajectory):
        raise TrajectoryProblem("A list of trajectories is needed; put a single one in brackets.")
    runs: list[list[Trajectory]] = [[] for _ in graphs]
    for index, run in enumerate(trajectories):
        if not isinstance(run, Trajectory):
            raise TrajectoryProblem(
                f"trajectories[{index}] is {type(run).__name__}; make a dynamics.Trajectory of "
                "its times and states."
            )
        name = f"trajectories[{index}] (run {run.index} on graph {run.graph})"
        if run.graph not in range(len(graphs)):
            raise TrajectoryProblem(
                f"{name}: there is no such graph, they are numbered 0 … {len(graphs) - 1}; give "
                "the place of its graph in the list."
            )
        runs[run.graph].append(_checked(run, graphs[run.graph], name))
    return runs


def runs_on_each(
    graphs: Sequence[Graph], trajectories: Sequence[Trajectory]
) -> list[list[Trajectory]]:
    """As `runs_by_graph`, with a trajectory on each graph, and the same times everywhere.

    Trajectories may start at different times, for no system here depends on time itself.

    Raises:
        GraphProblem: as there.
        TrajectoryProblem: as there; or a graph has no trajectory, or one has times of its own.
    """
    by_graph = runs_by_graph(graphs, trajectories)
    for index, runs in enumerate(by_graph):
        if not runs:
            raise TrajectoryProblem(
                f"There is no trajectory on graph {index}; give one, or leave the graph out."
            )
        for run in runs:
            _check_same_times(by_graph[0][0], run, f"run {run.index} on graph {index}")
    return by_graph


def same_times(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two runs have the same times after their starts, up to rounding."""
    one, other = one - one[0], other - other[0]
    return len(one) == len(other) and bool(np.abs(one - other).max() <= _SAME_TIME * one[-1])


def _checked(run: Trajectory, graph: Graph, name: str) -> Trajectory:
    if run.status not in ("ok", "failed"):
        raise TrajectoryProblem(f'{name}: its status is {run.status!r}; write "ok" or "failed".')
    times = increasing(run.times, f"{name}: its times", TrajectoryProblem)
    states = by_node(run.states, graph.labels, f"{name}: its states", TrajectoryProblem)
    _check_shape(states.shape, len(times), graph.n, name)
    bad = first_bad(states)
    if bad is not None and run.status == "ok":
        row, node = bad
        raise TrajectoryProblem(
            f"{name}: the state of node {graph.labels[node]!r} at time {times[row]:g} is "
            f"{states[bad]}, and missing values are not filled in; use data.fill_gaps, interpolate "
            "it, or leave out this time or run."
        )
    if times is run.times and states is run.states:
        return run
    return replace(run, times=times, states=states)


def _check_shape(shape: tuple[int, ...], times: int, nodes: int, name: str) -> None:
    if shape == (times, nodes):
        return
    if shape == (nodes, times):
        wrong = "its axes are swapped; give states.T, one row a time and one column a node"
    elif len(shape) != 2:
        wrong = (
            f"its states have the shape {shape}; give one row a time and one column a node, and "
            "each run as a trajectory of its own"
        )
    elif shape[1] != nodes:
        wrong = (
            f"it has states of {shape[1]} nodes, and the graph has {nodes}; give a column for "
            "every node, or the graph of those that were observed (graph.subgraph)"
        )
    else:
        wrong = f"it has {shape[0]} rows of states and {times} times; give one row a time"
    raise TrajectoryProblem(f"{name}: {wrong}.")


def _check_same_times(first: Trajectory, run: Trajectory, name: str) -> None:
    if same_times(first.times, run.times):
        return
    raise TrajectoryProblem(
        f"{name}: its {_span(run)} are not those of run {first.index} on "
        f"{'the same graph' if run.graph == first.graph else f'graph {first.graph}'}, "
        f"{_span(first)}; tests compare runs at the same times after their start, so cut them to "
        "those they share, or take runs of the same times."
    )


def _span(run: Trajectory) -> str:
    return f"{len(run.times)} times from {run.times[0]:g} to {run.times[-1]:g}"
