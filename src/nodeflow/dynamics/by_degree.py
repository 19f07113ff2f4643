"""Activity of nodes grouped by degree: what hubs do that other nodes do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from nodeflow.dynamics.runs import TrajectoryProblem
from nodeflow.dynamics.schemas import ACTIVITY
from nodeflow.dynamics.store import Trajectory, stream_trajectories
from nodeflow.graphs.bins import degree_bins
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.store import read_graphs
from nodeflow.tables import check_place, read_parameters

__all__ = ["activity_by_degree", "collect_activity"]

_CELL = ("N", "beta", "gamma")


def activity_by_degree(
    trajectories: Iterable[Trajectory], graphs: Sequence[Graph], *, every_time: bool
) -> pd.DataFrame:
    """Deciles of the states by time and degree bin, over all graphs and initial states.

    Args:
        trajectories: of one system on `graphs`, at the same times; failed ones are left out.
        graphs: the graphs, by index.
        every_time: all observation times, or the last one alone.

    Returns:
        Rows with the columns of `ACTIVITY`.

    Raises:
        TrajectoryProblem: trajectories have different times.
    """
    bins = [degree_bins(graph.degrees) for graph in graphs]
    chosen = slice(None) if every_time else slice(-1, None)
    times, states = np.empty(0), defaultdict(list)
    for trajectory in trajectories:
        if trajectory.status == "ok":
            now, degrees = trajectory.times[chosen], bins[trajectory.graph]
            if len(times) and not np.array_equal(times, now):
                raise TrajectoryProblem(
                    f"Run {trajectory.index} on graph {trajectory.graph} has other times than "
                    "those before it; give trajectories at the same times."
                )
            times = now
            for degree in np.unique(degrees):
                states[degree].append(trajectory.states[chosen][:, degrees == degree])
    parts = [pd.DataFrame({name: [] for name in ACTIVITY.columns})]
    for degree, of_degree in states.items():
        together = np.concatenate(of_degree, axis=1).astype(np.float64)
        low, median, high = np.quantile(together, [0.1, 0.5, 0.9], axis=1)
        levels = {"low": low, "median": median, "high": high, "nodes": together.shape[1]}
        parts.append(pd.DataFrame({"time": times, "degree": degree, **levels}))
    table = pd.concat(parts[1:] or parts)
    return table.sort_values(["time", "degree"], ignore_index=True)


def collect_activity(
    trajectory_files: Sequence[str], edge_files: Sequence[str], *, every_time: bool
) -> pd.DataFrame:
    """`activity_by_degree` of many trajectory files, each row with its system and cell.

    Args:
        trajectory_files: one file a system and cell.
        edge_files: the graphs of each.
        every_time: all observation times, or the last one alone.

    Raises:
        FileProblem: a file is missing, damaged, or of another system or cell than its path says.
    """
    parts = []
    for trajectories, edges in zip(trajectory_files, edge_files, strict=True):
        metadata = read_parameters(trajectories)
        graphs = metadata.get("on", {})
        check_place(trajectories, {**metadata, **graphs}, ("system", "role", *_CELL))
        table = activity_by_degree(
            stream_trajectories(trajectories), read_graphs(edges, graphs), every_time=every_time
        )
        cell = {"system": metadata["system"], **{name: graphs[name] for name in _CELL}}
        parts.append(table.assign(**cell))
    return pd.concat(parts, ignore_index=True)
