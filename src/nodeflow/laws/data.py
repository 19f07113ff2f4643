"""What a law is found from: trajectories by graph, checked, with their noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse as sp

from nodeflow.dynamics.given import by_node, first_bad
from nodeflow.dynamics.runs import runs_by_graph, same_times
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.laws.settings import FEWEST_TIMES
from nodeflow.problems import Problem

__all__ = ["Group", "LawProblem", "covariates_of", "groups_of", "noise_of", "signed"]

Array = NDArray[np.float64]

_ORDER = 4
"""Of the differences that show noise."""

_MEDIAN = 0.4549
"""Of the squares of normal numbers, where their mean is 1."""

_SAME_STRENGTH = 1e-9


class LawProblem(Problem):
    """A law cannot be looked for in what was given, or cannot be used as asked for."""


@dataclass(frozen=True, eq=False)
class Group:
    """Trajectories on one graph, at the same times after their start.

    Attributes:
        graph: the graph.
        adjacency: (n, n).
        times: (T,) from 0.
        states: (M, T, n) float64.
        covariates: by name, a number for each node, (n,).
    """

    graph: Graph
    adjacency: sp.csr_array
    times: Array
    states: Array
    covariates: Mapping[str, Array]

    def only(self, trajectories: slice) -> Group:
        """Some of the trajectories."""
        return replace(self, states=self.states[trajectories])


def groups_of(
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    covariates: Sequence[Mapping[str, Any]] | None = None,
) -> list[Group]:
    """The successful trajectories by graph.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory does not fit; see `runs_by_graph`.
        LawProblem: nothing can be learned from what was given; the text says why.
    """
    groups = []
    given = _covariates_by_graph(graphs, covariates)
    for graph, runs, own in zip(graphs, runs_by_graph(graphs, trajectories), given, strict=True):
        good = [run for run in runs if run.status == "ok"]
        if not good:
            continue
        for alike in _of_same_times(good):
            states = np.stack([run.states for run in alike]).astype(np.float64)
            times = alike[0].times - alike[0].times[0]
            groups.append(Group(graph, graph.adjacency(), times, states, own))
    if not groups:
        raise LawProblem(
            "There is no successful trajectory to find a law from; give at least one, "
            'with the status "ok".'
        )
    for group in groups:
        _check(group)
    _check_strengths(groups)
    _check_covariates(groups)
    return groups


def _of_same_times(runs: Sequence[Trajectory]) -> list[list[Trajectory]]:
    """Runs by their times after the first one."""
    alike_runs: list[list[Trajectory]] = []
    for run in runs:
        alike = next((x for x in alike_runs if same_times(x[0].times, run.times)), None)
        if alike is None:
            alike_runs.append([run])
        else:
            alike.append(run)
    return alike_runs


def covariates_of(graph: Graph, given: Mapping[str, Any]) -> dict[str, Array]:
    """Covariates of the nodes of a graph, checked.

    Args:
        graph: the graph.
        given: by name, a number for each node: an array in the order of the nodes, or a mapping or
            pandas Series by node.

    Raises:
        LawProblem: a covariate does not fit the graph or is not finite.
    """
    checked = {}
    for name, values in given.items():
        what = f"Values of the covariate {name!r}"
        if not isinstance(name, str) or not name.isidentifier() or name == "x":
            raise LawProblem(
                f"{name!r} cannot name a covariate; choose letters, digits and underscores, other "
                "than x, which is the state."
            )
        z = by_node(values, graph.labels, what, LawProblem).astype(np.float64)
        if z.shape != (graph.n,):
            raise LawProblem(
                f"{what} have the shape {z.shape}, and the graph has {graph.n} nodes; give one "
                "number for each node."
            )
        bad = first_bad(z)
        if bad is not None:
            raise LawProblem(
                f"The covariate {name!r} of node {graph.labels[bad[0]]!r} is {z[bad]}; give a "
                "finite number."
            )
        checked[name] = z
    return checked


def _covariates_by_graph(
    graphs: Sequence[Graph], given: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Array]]:
    if given is None:
        return [{} for _ in graphs]
    if isinstance(given, Mapping) or len(given) != len(graphs):
        count = "one mapping" if isinstance(given, Mapping) else f"{len(given)}"
        raise LawProblem(
            f"covariates are {count}, and there are {len(graphs)} graphs; give a list with a "
            "mapping from names to values for each graph."
        )
    by_graph = [covariates_of(graph, one) for graph, one in zip(graphs, given, strict=True)]
    for place, own in enumerate(by_graph):
        if list(own) != list(by_graph[0]):
            raise LawProblem(
                f"The covariates of graph {place} are {list(own)}, and those of graph 0 "
                f"{list(by_graph[0])}; give the same for all graphs, in the same order."
            )
    return by_graph


def _check_covariates(groups: Sequence[Group]) -> None:
    for name in groups[0].covariates:
        values = np.concatenate([group.covariates[name] for group in groups])
        if np.ptp(values) <= _SAME_STRENGTH * np.abs(values).max():
            raise LawProblem(
                f"The covariate {name!r} is {values[0]:g} at every node, so what it does cannot be "
                "told from a constant; leave it out."
            )


def _check(group: Group) -> None:
    if len(group.times) < FEWEST_TIMES:
        raise LawProblem(
            f"A law needs at least {FEWEST_TIMES} observation times, and there are "
            f"{len(group.times)}; observe more often."
        )
    if (group.states == group.states[:, :1]).all():
        raise LawProblem(
            "No state ever changes in any trajectory, so there is no law to find; give "
            "trajectories that start away from the fixed point."
        )


def _check_strengths(groups: Sequence[Group]) -> None:
    strengths = np.concatenate([np.asarray(g.adjacency.sum(1)).ravel() for g in groups])
    if not strengths.any():
        raise LawProblem(
            "No node of the graph receives anything (its adjacency matrix is zero), so the "
            "interaction cannot be found; give the network on which the states were observed."
        )
    if np.ptp(strengths) <= _SAME_STRENGTH * np.abs(strengths).max():
        raise LawProblem(
            f"Every node receives from neighbours of the same total weight, {strengths[0]:g} (a "
            "regular graph): f and the interaction are then not identifiable, for a constant in "
            "h_alt does to every node what a multiple of h_ego in f does; give trajectories on a "
            "graph whose nodes differ in degree, or on several graphs of different degrees."
        )


def noise_of(groups: Sequence[Group]) -> float:
    """Standard deviation of independent noise on the observations, from their fourth differences.

    Of each node the median over times and trajectories of their squares: where it changes fast,
    differences hold signal, and there are few such times.
    """
    norm = sum(comb(_ORDER, k) ** 2 for k in range(_ORDER + 1)) * _MEDIAN
    medians = [np.median(np.square(np.diff(g.states, _ORDER, axis=1)), axis=(0, 1)) for g in groups]
    return float(np.sqrt(np.concatenate(medians).mean() / norm))


def size_of(groups: Sequence[Group]) -> float:
    """Root mean square of the states."""
    total = sum(float(np.square(g.states).sum()) for g in groups)
    return float(np.sqrt(total / sum(g.states.size for g in groups)))


def signed(groups: Sequence[Group], noise: float) -> bool:
    """Whether states are negative beyond what noise does to states near 0."""
    lowest = min(float(g.states.min()) for g in groups)
    return lowest < -6.0 * noise - 1e-6 * size_of(groups)
