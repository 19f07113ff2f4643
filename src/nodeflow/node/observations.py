"""What a neural ODE learns from: trajectories observed on one graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.node.settings import RecipeProblem

__all__ = ["Observations", "observed"]


@dataclass(frozen=True, eq=False)
class Observations:
    """What one replicate learns from: one graph and trajectories on it.

    Attributes:
        graph: index of the graph.
        adjacency: (n, n) float32.
        times: (T,) equally spaced.
        states: (M, T, n) float32.
    """

    graph: int
    adjacency: np.ndarray
    times: np.ndarray
    states: np.ndarray


def observed(graphs: Sequence[Graph], trajectories: Sequence[Trajectory]) -> list[Observations]:
    """The successful trajectories of every graph, together with its adjacency.

    Raises:
        RecipeProblem: a graph has none.
    """
    found = []
    for index, graph in enumerate(graphs):
        good = [x for x in trajectories if x.graph == index and x.status == "ok"]
        if not good:
            raise RecipeProblem(
                f"no trajectory of training graph {index} could be integrated; "
                "loosen dynamics.rtol or raise dynamics.max_steps."
            )
        states = np.stack([x.states for x in good])
        adjacency = graph.adjacency(np.float32).toarray()
        found.append(Observations(index, adjacency, good[0].times, states))
    return found
