"""What a neural ODE learns from: trajectories on one graph; and what recipes need of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nodeflow.dynamics.runs import runs_by_graph
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.node.settings import (
    GaussNewtonSettings,
    PaperSettings,
    RecipeProblem,
    Settings,
)

__all__ = ["Observations", "check_observations", "observed"]


@dataclass(frozen=True, eq=False)
class Observations:
    """What one replicate learns from: one graph and trajectories on it.

    Attributes:
        graph: index of the graph.
        adjacency: (n, n) float32.
        times: (T,) increasing, from 0.
        states: (M, T, n) float32.
    """

    graph: int
    adjacency: np.ndarray
    times: np.ndarray
    states: np.ndarray


def observed(graphs: Sequence[Graph], trajectories: Sequence[Trajectory]) -> list[Observations]:
    """The successful trajectories of every graph, together with its adjacency.

    Times are counted from the first one of each trajectory.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory does not fit; see `runs_by_graph`.
        RecipeProblem: a graph has none.
    """
    found = []
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
        states = np.stack([x.states for x in good])
        adjacency = graph.adjacency(np.float32).toarray()
        times = good[0].times - good[0].times[0]
        found.append(Observations(index, adjacency, times, states))
    return found


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
        if len(x.times) < fewest:
            raise RecipeProblem(
                f"the trajectories {on} have {len(x.times)} observation times, and this recipe "
                f"needs at least {fewest}; observe more, raise dynamics.training.times, or take "
                'the recipe "paper", which needs 2.'
            )
        if (x.states == x.states[:, :1]).all():
            raise RecipeProblem(
                f"no state {on} ever changes in any trajectory, so there is nothing to learn; give "
                "trajectories that start away from the fixed point."
            )
        if isinstance(settings, GaussNewtonSettings):
            continue
        if x.states.shape[2] != first.states.shape[2]:
            raise RecipeProblem(
                f"the graphs {first.graph} and {x.graph} have {first.states.shape[2]} and "
                f"{x.states.shape[2]} nodes, and this recipe trains on graphs of one size; train "
                'on each alone, or take the recipe "gauss_newton".'
            )
        if isinstance(settings, PaperSettings) and not np.array_equal(x.times, first.times):
            raise RecipeProblem(
                f"trajectories {on} have other times than those on graph {first.graph}, and this "
                'recipe needs the same; train on each alone, or take the recipe "gauss_newton".'
            )
