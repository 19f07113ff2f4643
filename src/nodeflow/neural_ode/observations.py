"""What a neural ODE learns from: trajectories on one graph; and what recipes need of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from nodeflow.dynamics.runs import runs_by_graph, same_times
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.settings import (
    GaussNewtonSettings,
    PaperSettings,
    RecipeProblem,
    Settings,
)

__all__ = [
    "LARGEST_DENSE",
    "Group",
    "Observations",
    "check_observations",
    "first_runs",
    "observed",
]

Group = tuple[np.ndarray, np.ndarray]
"""Times (T,) and states (M, T, n) of runs with the same times."""

LARGEST_DENSE = 256
"""Nodes of the largest graph whose adjacency is a full matrix."""


@dataclass(frozen=True, eq=False)
class Observations:
    """What one replicate learns from: one graph and trajectories on it.

    Attributes:
        graph: index of the graph.
        adjacency: (n, n) float32, dense, or sparse where n is large.
        times: (T,) increasing, from 0; of runs that differ in their times, those of each group of
            runs that do not.
        states: (M, T, n) float32; likewise of each group.
        weights: (M, B) how often each of B blocks of time of each run counts, the runs of all
            groups one after the other; None counts everything once.
    """

    graph: int
    adjacency: np.ndarray | csr_array
    times: np.ndarray | tuple[np.ndarray, ...]
    states: np.ndarray | tuple[np.ndarray, ...]
    weights: np.ndarray | None = None

    @property
    def groups(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Times (T,) and states (M, T, n) of each group of runs with the same times."""
        if isinstance(self.times, tuple) or isinstance(self.states, tuple):
            return tuple(zip(self.times, self.states, strict=True))
        return ((self.times, self.states),)

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest state."""
        states = [x for _, x in self.groups]
        return min(float(x.min()) for x in states), max(float(x.max()) for x in states)

    def mapped(self, change: Callable[[np.ndarray, np.ndarray], Group]) -> Observations:
        """The same with other times and states, group by group."""
        groups = tuple(change(times, states) for times, states in self.groups)
        return replace(self, **_fields(groups))

    def dense(self) -> np.ndarray:
        """The adjacency as a full matrix.

        Raises:
            RecipeProblem: it takes more than a quarter of the memory, and recipes copy it.
        """
        if isinstance(self.adjacency, np.ndarray):
            return self.adjacency
        n, _ = self.adjacency.shape
        needed, memory = 4 * n**2, _memory()
        if needed > memory / 4:
            raise RecipeProblem(
                f"training graph {self.graph} has {n} nodes, whose full matrix takes "
                f"{needed / 2**30:.3g} GiB, and this recipe needs several of the "
                f'{memory / 2**30:.3g} GiB here; take the recipe "gauss_newton", or train on a '
                "part of it (graph.subgraph): the model predicts on the whole."
            )
        return np.asarray(self.adjacency.toarray())


def _fields(groups: Sequence[Group]) -> dict[str, Any]:
    """Times and states as the fields of `Observations`."""
    if len(groups) == 1:
        [(times, states)] = groups
        return {"times": times, "states": states}
    return {"times": tuple(x for x, _ in groups), "states": tuple(x for _, x in groups)}


def observed(graphs: Sequence[Graph], trajectories: Sequence[Trajectory]) -> list[Observations]:
    """The successful trajectories of every graph, together with its adjacency.

    Times are counted from the first one of each trajectory.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory does not fit; see `runs_by_graph`.
        RecipeProblem: a graph has none, or is too large for the memory of this machine.
    """
    observations = []
    for index, (graph, runs) in enumerate(
        zip(graphs, runs_by_graph(graphs, trajectories), strict=True)
    ):
        if not runs:
            raise RecipeProblem(
                f"there is no trajectory on training graph {index}; give one, or leave the graph "
                "out."
            )
        good = [x for x in runs if x.status == "ok"]
        if not good:
            raise RecipeProblem(
                f"no trajectory of training graph {index} could be integrated; "
                "loosen dynamics.rtol or raise dynamics.max_steps."
            )
        groups: list[list[Trajectory]] = []
        for run in good:
            mine = next((x for x in groups if same_times(x[0].times, run.times)), None)
            if mine is None:
                groups.append([run])
            else:
                mine.append(run)
        fields = _fields(
            [(x[0].times - x[0].times[0], np.stack([run.states for run in x])) for x in groups]
        )
        observations.append(Observations(index, _adjacency(index, graph), **fields))
    return observations


def _adjacency(index: int, graph: Graph) -> np.ndarray | csr_array:
    if graph.n > LARGEST_DENSE:
        return graph.adjacency(np.float32)
    return graph.adjacency(np.float32).toarray()


def check_observations(data: Sequence[Observations], settings: Settings) -> None:
    """Check that a recipe can learn from observations, each of which is right in itself.

    Raises:
        RecipeProblem: there are none, they have too few times or never change, or those of
            different graphs cannot be trained on together.
    """
    if not data:
        raise RecipeProblem("there is nothing to train on; give at least one graph and one seed.")
    fewest, first = settings.fewest_times, data[0]
    for x in data:
        on = f"on graph {x.graph}"
        short = min(len(times) for times, _ in x.groups)
        if short < fewest:
            raise RecipeProblem(
                f"{'the' if len(x.groups) == 1 else 'some'} trajectories {on} have {short} "
                f"observation times, and this recipe needs at least {fewest}; observe more, "
                'raise dynamics.training.times, or take the recipe "paper", which needs 2.'
            )
        if all((states == states[:, :1]).all() for _, states in x.groups):
            raise RecipeProblem(
                f"no state {on} ever changes in any trajectory, so there is nothing to learn; give "
                "trajectories that start away from the fixed point."
            )
        if isinstance(settings, GaussNewtonSettings):
            continue
        n, first_n = x.adjacency.shape[0], first.adjacency.shape[0]
        if n != first_n:
            raise RecipeProblem(
                f"the graphs {first.graph} and {x.graph} have {first_n} and {n} nodes, and this "
                "recipe trains on graphs of one size; train on each alone, or take the recipe "
                '"gauss_newton".'
            )
        if isinstance(settings, PaperSettings):
            _check_one_time(x, first)


def _check_one_time(data: Observations, first: Observations) -> None:
    """What trajectory matching in one batch needs: the same times in all runs."""
    cure = 'train on each alone, or take the recipe "gauss_newton"'
    if len(data.groups) > 1:
        raise RecipeProblem(
            f"the runs on graph {data.graph} have different times, and this recipe needs the same "
            f"in all; {cure}."
        )
    if not np.array_equal(data.groups[0][0], first.groups[0][0]):
        raise RecipeProblem(
            f"trajectories on graph {data.graph} have other times than those on graph "
            f"{first.graph}, and this recipe needs the same; {cure}."
        )


def _memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def first_runs(groups: Sequence[Group], count: int) -> list[Group]:
    """The first so many runs."""
    kept = []
    for times, states in groups:
        if count > 0:
            kept.append((times, states[:count]))
        count -= len(states)
    return kept
