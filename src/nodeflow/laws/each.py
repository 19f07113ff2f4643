"""Laws of several graphs, one for each, from what is observed of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.laws.data import LawProblem
from nodeflow.laws.discover import discover
from nodeflow.laws.store import Laws
from nodeflow.neural_ode.variants import noisy
from nodeflow.seeds import Stream, numpy_generator

__all__ = ["discover_each", "less"]

log = logging.getLogger("nodeflow")


def discover_each(graphs: Sequence[Graph], trajectories: Sequence[Trajectory]) -> Laws:
    """A law for each graph, from its own trajectories.

    Args:
        graphs: one or several.
        trajectories: observed on them; of each its `graph` is the place in the list.

    Returns:
        The laws in the order of the graphs. Where nothing can be learned from the trajectories on
        one, it has none, and the reason is said.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory does not fit its graph.
    """
    laws, reasons = [], []
    for index, graph in enumerate(graphs):
        own = [replace(x, graph=0) for x in trajectories if x.graph == index]
        try:
            law, reason = discover([graph], own), ""
        except LawProblem as problem:
            law, reason = None, str(problem)
        log.info("graph %d: %s", index, law or reason)
        laws.append(law)
        reasons.append(reason)
    return Laws(tuple(laws), tuple(reasons))


def less(
    variant: str,
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    labels: tuple[str | float, ...],
    root_seed: int,
) -> tuple[list[Graph], list[Trajectory]]:
    """What a variant leaves of observations.

    Args:
        variant: "plain", all of them; "noise~σ", with Gaussian noise on every state, the same as
            neural ODEs see; "trajectories~k" or "times~k", so many of each graph or trajectory;
            "nodes~s", only a share s of the nodes, drawn at random.
        graphs: that were observed.
        trajectories: on them.
        labels: what names the trajectories, for random numbers.
        root_seed: the run's root seed.
    """
    kind, _, amount = variant.partition("~")
    if kind == "noise":
        return list(graphs), noisy(trajectories, float(amount), Stream(root_seed, labels))
    if kind == "trajectories":
        return list(graphs), [x for x in trajectories if x.index < int(amount)]
    if kind == "times":
        return list(graphs), [_at_times(x, int(amount)) for x in trajectories]
    if kind == "nodes":
        kept = [
            _some_nodes(graph.n, float(amount), (*labels, index), root_seed)
            for index, graph in enumerate(graphs)
        ]
        parts = [graph.subgraph(nodes) for graph, nodes in zip(graphs, kept, strict=True)]
        return parts, [replace(x, states=x.states[:, kept[x.graph]]) for x in trajectories]
    return list(graphs), list(trajectories)


def _at_times(run: Trajectory, count: int) -> Trajectory:
    """A trajectory at so many of its times, if it has more, from the first to the last one."""
    count = min(count, len(run.times))
    chosen = np.linspace(0, len(run.times) - 1, count).round().astype(np.int64)
    return replace(run, times=run.times[chosen], states=run.states[chosen])


def _some_nodes(
    count: int, share: float, labels: tuple[str | float, ...], root_seed: int
) -> np.ndarray:
    """Sorted: a share of the nodes, one at least."""
    order = numpy_generator(root_seed, "observed nodes", *labels).permutation(count)
    return np.sort(order[: max(1, round(share * count))])
