"""Activity by degree agrees with grouping every single state."""

import numpy as np
import pandas as pd
import pytest

from nodeflow.dynamics.by_degree import activity_by_degree
from nodeflow.dynamics.runs import TrajectoryProblem
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs import build_graph
from nodeflow.graphs.bins import degree_bins


@pytest.mark.parametrize("every_time", [True, False])
def test_deciles_are_those_of_the_states_one_by_one(every_time: bool) -> None:
    rng = np.random.default_rng(3)
    star = build_graph(6, [(0, k) for k in range(1, 5)])
    ring = build_graph(7, [(k, (k + 1) % 7) for k in range(7)])
    graphs, times = [star, ring], np.array([0.0, 0.5, 2.0])
    trajectories = [
        Trajectory(
            graph=graph, index=index, times=times, status=status, reason="",
            states=rng.normal(size=(3, len(graphs[graph].degrees))).astype(np.float32),
        )
        for graph, index, status in [(0, 0, "ok"), (0, 1, "failed"), (1, 0, "ok"), (1, 1, "ok")]
    ]  # fmt: skip
    rows = [
        (time, degree, float(state))
        for x in trajectories
        if x.status == "ok"
        for time, states in zip(times, x.states, strict=True)
        for degree, state in zip(degree_bins(graphs[x.graph].degrees), states, strict=True)
        if every_time or time == times[-1]
    ]
    groups = pd.DataFrame(rows, columns=["time", "degree", "state"]).groupby(["time", "degree"])
    found = activity_by_degree(trajectories, graphs, every_time=every_time)
    for name, q in (("low", 0.1), ("median", 0.5), ("high", 0.9)):
        expected = groups["state"].quantile(q)
        np.testing.assert_allclose(found[name], expected, rtol=1e-12)
    assert found["nodes"].tolist() == groups.size().tolist()
    assert list(zip(found["time"], found["degree"], strict=True)) == list(groups.groups)


def test_without_a_good_trajectory_there_is_nothing() -> None:
    pair = build_graph(2, [(0, 1)])
    failed = Trajectory(0, 0, np.array([0.0]), np.zeros((1, 2), np.float32), "failed", "why")
    assert activity_by_degree([failed], [pair], every_time=True).empty


def test_trajectories_at_different_times_are_refused() -> None:
    pair = build_graph(2, [(0, 1)])
    runs = [
        Trajectory(0, k, np.array([0.0, k + 1]), np.zeros((2, 2), np.float32), "ok", "")
        for k in range(2)
    ]
    for every_time in (True, False):
        with pytest.raises(TrajectoryProblem, match="Run 1 on graph 0 has other times"):
            activity_by_degree(runs, [pair], every_time=every_time)
