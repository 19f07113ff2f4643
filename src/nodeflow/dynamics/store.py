"""Trajectories as Parquet: one row a trajectory, float32, graphs of any size in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.schemas import TRAJECTORIES
from nodeflow.tables import TableWriter, as_numpy, stream_arrow

__all__ = [
    "Trajectory",
    "read_trajectories",
    "stream_trajectories",
    "write_trajectories",
]

_STATES_PER_ROW_GROUP = 2**21
"""8 MB: small enough to stream, large enough that the overhead of a row group does not count."""


@dataclass(frozen=True)
class Trajectory:
    """States of all nodes of one graph over time, from one initial state.

    Attributes:
        graph: index of the graph in its cell.
        index: index of the initial state on that graph.
        times: (T,) float64, increasing; `times[0]` belongs to the initial state.
        states: (T, n) float32; NaN at the times that a failed integration did not reach.
        status: "ok" or "failed".
        reason: why it failed; empty if it did not.
    """

    graph: int
    index: int
    times: NDArray[np.float64]
    states: NDArray[np.float32]
    status: str
    reason: str


def write_trajectories(
    path: str | Path, trajectories: Iterable[Trajectory], parameters: Mapping[str, Any]
) -> None:
    """Write trajectories as they come; no more than one row group is held in memory."""
    with TableWriter(path, TRAJECTORIES, parameters) as writer:
        waiting: list[Trajectory] = []
        room = _STATES_PER_ROW_GROUP
        for trajectory in trajectories:
            if waiting and trajectory.states.size > room:
                writer.write(_table(waiting))
                waiting, room = [], _STATES_PER_ROW_GROUP
            waiting.append(trajectory)
            room -= trajectory.states.size
        if waiting:
            writer.write(_table(waiting))


def stream_trajectories(
    path: str | Path, parameters: Mapping[str, Any] | None = None
) -> Iterator[Trajectory]:
    """Read and check a file, one trajectory at a time, in the order of writing.

    Raises:
        FileProblem: missing, damaged, of another kind, or made with other parameters.
    """
    for rows in stream_arrow(path, TRAJECTORIES, parameters):
        columns = [rows[name].combine_chunks() for name in TRAJECTORIES.columns]
        graphs, indices = (as_numpy(column) for column in columns[:2])
        statuses, reasons = (column.to_pylist() for column in columns[2:4])
        for row in range(rows.num_rows):
            times, values = (as_numpy(column[row].values) for column in columns[4:])
            states = np.ascontiguousarray(values.reshape(-1, len(times)).T)
            yield Trajectory(
                int(graphs[row]), int(indices[row]), times, states, statuses[row], reasons[row]
            )


def read_trajectories(
    path: str | Path, parameters: Mapping[str, Any] | None = None
) -> list[Trajectory]:
    """Read and check a whole file; see `stream_trajectories`."""
    return list(stream_trajectories(path, parameters))


def _table(trajectories: list[Trajectory]) -> dict[str, Any]:
    return {
        "graph": np.array([x.graph for x in trajectories], np.int32),
        "trajectory": np.array([x.index for x in trajectories], np.int32),
        "status": [x.status for x in trajectories],
        "reason": [x.reason for x in trajectories],
        "times": [x.times for x in trajectories],
        "states": [np.ravel(x.states.T) for x in trajectories],
    }
