"""Cells of trajectories: seeds, independence of grouping, and files that stream."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from nodeflow.dynamics import ensemble, store
from nodeflow.dynamics.ensemble import simulate_cell, simulate_ensemble
from nodeflow.dynamics.initial import InitialProblem, initial_states
from nodeflow.dynamics.integrate import IntegrationProblem, simulate
from nodeflow.dynamics.store import (
    Trajectory,
    read_trajectories,
    stream_trajectories,
    write_trajectories,
)
from nodeflow.dynamics.systems import SystemProblem, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.graph import Graph, build_graph
from nodeflow.grid import Cell
from nodeflow.problems import Problem
from nodeflow.seeds import Stream, numpy_generator
from nodeflow.tables import FileProblem

CELL = Cell(48, 1.1, 2.4)
SETTINGS = {
    "role": "train",
    "cell": CELL,
    "trajectories": 3,
    "initial": (0.0, 0.5),
    "horizon": 1.0,
    "times": 9,
    "tolerance": Tolerance(1e-5, 1e-5, 1000),
    "root_seed": 7,
}


def graphs(count: int = 3) -> list[Graph]:
    return sample_cell(CELL, mean_degree=6, role="train", graphs=count, root_seed=7)


def cell(count: int = 3, system: str = "BD", **changes: object) -> list[Trajectory]:
    settings = {**SETTINGS, **changes}
    return list(simulate_cell(graphs(count), system, **settings))  # type: ignore[arg-type]


def same(one: Trajectory, other: Trajectory) -> bool:
    return (
        (one.graph, one.index, one.status, one.reason)
        == (other.graph, other.index, other.status, other.reason)
        and np.array_equal(one.times, other.times)
        and np.array_equal(one.states, other.states, equal_nan=True)
    )


def test_each_initial_state_has_its_own_stream() -> None:
    found = cell()
    assert [(x.graph, x.index) for x in found] == [(g, b) for g in range(3) for b in range(3)]
    for x in found:
        labels = ("train", "BD", 48, 1.1, 2.4, x.graph, x.index)
        start = numpy_generator(7, "initial", *labels).uniform(0.0, 0.5, 48)
        np.testing.assert_array_equal(x.states[0], start.astype(np.float32))
        alone = simulate(
            field("BD"), graphs()[x.graph].adjacency(), start[None], x.times, rtol=1e-5, atol=1e-5
        )
        np.testing.assert_array_equal(x.states, alone.states[0].astype(np.float32))
    assert not same(cell(role="test")[0], found[0])
    assert not same(cell(system="ND")[0], found[0])


@pytest.mark.parametrize("at_once", [1, 48 * 9 * 2, 48 * 9 * 4])
def test_grouping_changes_nothing(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = cell()
    fewer = cell(count=2, trajectories=2)
    monkeypatch.setattr(ensemble, "_STATES_AT_ONCE", at_once)
    assert all(same(x, y) for x, y in zip(plain, cell(), strict=True))
    kept = [x for x in plain if x.graph < 2 and x.index < 2]
    assert all(same(x, y) for x, y in zip(kept, fewer, strict=True))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "_STATES_AT_ONCE", 10_000)
    blocks = list(ensemble._blocks([100, 700, 100, 3000], 5, 10))
    pieces = [piece for block in blocks for piece in block]
    assert [(g, b) for g, first, last in pieces for b in range(first, last)] == [
        (g, b) for g in range(4) for b in range(5)
    ]
    sizes = [100, 700, 100, 3000]
    for block in blocks:
        states = sum(sizes[g] * 10 * (last - first) for g, first, last in block)
        assert states <= 10_000 or sum(last - first for _, first, last in block) == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"initial": (0.0, 1.5), "system": "SIS"}, InitialProblem),
        ({"initial": (0.5, 0.1)}, InitialProblem),
        ({"initial": (-0.1, 0.1)}, InitialProblem),
        ({"initial": (0.0, float("nan"))}, InitialProblem),
        ({"initial": (0.0, float("inf"))}, InitialProblem),
        ({"horizon": 0.0}, IntegrationProblem),
        ({"times": 1}, IntegrationProblem),
        ({"trajectories": 0}, IntegrationProblem),
        ({"tolerance": Tolerance(2.0, 1e-5, 1000)}, IntegrationProblem),
        ({"system": "SIR"}, SystemProblem),
        ({"parameters": {"Q": 1.0}}, SystemProblem),
    ],
)
def test_bad_settings_are_refused_before_any_work(
    changes: dict[str, object], problem: type[Problem]
) -> None:
    with pytest.raises(problem):
        settings = {"system": "BD", **SETTINGS, **changes}
        simulate_cell([], **settings)  # type: ignore[arg-type]


def test_initial_states_are_uniform_and_checked() -> None:
    drawn = initial_states(500, 40, 0.2, 0.6, np.random.default_rng(1))
    assert drawn.shape == (40, 500)
    assert drawn.min() >= 0.2 and drawn.max() < 0.6
    deciles = np.quantile(drawn, np.linspace(0.1, 0.9, 9))
    np.testing.assert_allclose(deciles, 0.2 + 0.4 * np.linspace(0.1, 0.9, 9), atol=0.01)
    with pytest.raises(InitialProblem, match="nothing to draw"):
        initial_states(0, 1, 0.0, 1.0, np.random.default_rng(1))


def test_files_return_what_was_written(tmp_path: Path) -> None:
    """Graphs of different sizes, failed trajectories, NaN, several row groups, in order."""
    written = [
        *cell(),
        replace(cell(1)[0], graph=9, states=np.full((9, 5), np.nan, np.float32)),
        replace(cell(1)[0], graph=10, status="failed", reason="no step at t = 0.5"),
    ]
    path = tmp_path / "trajectories.parquet"
    write_trajectories(path, iter(written), {"system": "BD"})
    found = read_trajectories(path, {"system": "BD"})
    assert all(same(x, y) for x, y in zip(written, found, strict=True))
    assert {x.states.dtype for x in found} == {np.dtype(np.float32)}
    with pytest.raises(FileProblem, match="system = ND"):
        read_trajectories(path, {"system": "ND"})


def test_an_item_that_fails_is_a_row_and_the_others_survive(tmp_path: Path) -> None:
    # The complete graph needs more steps than the ring, and more than it is given.
    crowd = build_graph(60, [(u, v) for u in range(60) for v in range(u)])
    ring = build_graph(60, [(u, (u + 1) % 60) for u in range(60)])
    settings: dict[str, Any] = {
        name: value
        for name, value in SETTINGS.items()
        if name not in ("role", "cell", "root_seed", "tolerance")
    }

    def run(graphs: list[Graph], max_steps: int) -> list[Trajectory]:
        tolerance, stream = Tolerance(1e-8, 1e-8, max_steps), Stream(7, ("mixed",))
        return list(
            simulate_ensemble(graphs, "SIS", stream=stream, tolerance=tolerance, **settings)
        )

    free = run([ring, crowd, ring], 1000)
    assert {x.status for x in free} == {"ok"}
    found = run([ring, crowd, ring], 40)
    assert [x.status for x in found] == ["ok"] * 3 + ["failed"] * 3 + ["ok"] * 3
    path = tmp_path / "t.parquet"
    write_trajectories(path, found, {})
    for one, other in zip(read_trajectories(path), free, strict=True):
        if one.graph == 1:
            assert "more than 40 steps" in one.reason
            assert np.isnan(one.states[-1]).all()
            np.testing.assert_array_equal(one.states[0], other.states[0])
        else:
            assert same(one, other)


def test_files_stream_in_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_STATES_PER_ROW_GROUP", 48 * 9 * 4)
    path = tmp_path / "trajectories.parquet"
    write_trajectories(path, cell(), {})
    assert pq.ParquetFile(path).num_row_groups == 3
    stream = stream_trajectories(path)
    assert same(next(stream), cell()[0])
    assert len(list(stream)) == 8


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_trajectories(tmp_path / name, cell(), {"system": "BD"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_empty_cell_is_a_file(tmp_path: Path) -> None:
    write_trajectories(tmp_path / "none", [], {})
    assert read_trajectories(tmp_path / "none") == []


def test_a_tolerance_may_be_spelled_out() -> None:
    loose = {name: value for name, value in SETTINGS.items() if name != "tolerance"}
    spelled = list(simulate_cell(graphs(), "BD", rtol=1e-5, atol=1e-5, max_steps=1000, **loose))  # type: ignore[arg-type]
    assert all(same(one, other) for one, other in zip(spelled, cell(), strict=True))
