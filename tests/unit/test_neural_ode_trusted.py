"""What is said of bands and flags on test graphs, against planted forecasts and counts by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from nodeflow.dynamics.ensemble import simulate_cell
from nodeflow.dynamics.integrate import Simulation, simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph, build_graph, from_networkx
from nodeflow.graphs.measures import node_table
from nodeflow.grid import Cell
from nodeflow.judge.degree import errors_by_degree
from nodeflow.judge.tested import LearnedTests
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.seen import Seen
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.trust import Calibration, calibrate
from nodeflow.neural_ode.trust_table import NEURAL_ODE_TRUST
from nodeflow.neural_ode.trusted import Evidence, evidence_of, rate_forecasts, rating

Floats = NDArray[np.float64]

TOLERANCE = Tolerance(1e-6, 1e-6, 20_000)
GRAPHS = [from_networkx(nx.barabasi_albert_graph(20, 3, seed=seed)) for seed in (1, 2, 3)]
RATES = [1.9, 1.95, 2.02, 2.1, 1.97, 2.05]
FIELDS: list[Field | None] = [field("SIS", {"R": rate}) for rate in RATES]
MODELS = Models(
    parameters={},
    about={
        "training_graph": np.array([0, 0, 1, 1, 2, 2]),
        "seen": np.array([[0.0, 1.0]] * 6),
        "error": np.full(6, 1e-9),
    },
)
"""Six systems with other rates than the true one, as if they had been learned on three graphs."""

ALL_SEEN = Seen(((0.0, 1.0),), ((0.0, 1.0),), ((0.0, 1.0),))
AS_STUDENT = Calibration((0.5, 0.9), (1.0, 1.0), 0)


def trajectories(graphs: Sequence[Graph], count: int = 1) -> list[Trajectory]:
    return list(
        simulate_cell(
            graphs, "SIS", role="training", cell=Cell(graphs[0].n, 1.0, 3.0), trajectories=count,
            initial=(0.0, 0.5), horizon=1.0, times=33, root_seed=3, tolerance=TOLERANCE,
        )
    )  # fmt: skip


def simulation(states: Floats) -> Simulation:
    count = len(states)
    return Simulation(states, ("ok",) * count, ("",) * count, np.zeros(count, dtype=np.int64))


def run(states: Floats, status: str = "ok", reason: str = "") -> Trajectory:
    times = np.arange(len(states), dtype=float)
    return Trajectory(0, 0, times, states.astype(np.float32), status, reason)


def test_each_training_graph_is_forecast_by_the_models_of_the_others() -> None:
    known = trajectories(GRAPHS, 3)
    found = evidence_of(MODELS, FIELDS, GRAPHS, known, tolerance=TOLERANCE)
    predictions, truths = [], []
    for x in known:
        states = [
            simulate(
                FIELDS[r] or field("SIS"), GRAPHS[x.graph].adjacency(),
                x.states[:1].astype(float), x.times, **asdict(TOLERANCE),
            ).states[0]
            for r in range(6) if MODELS.training_graph[r] != x.graph
        ]  # fmt: skip
        predictions.append(np.array(states))
        truths.append(x.states)
    expected = calibrate(predictions, truths)
    assert found.calibration.runs == expected.runs == 9
    np.testing.assert_allclose(found.calibration.stretch, expected.stretch, rtol=1e-3)
    seen = Seen.shared(
        [Seen.of([x.states for x in known if x.graph == g], GRAPHS[g]) for g in range(3)]
    )
    assert found.seen == seen


def test_models_that_failed_and_trajectories_that_did_are_no_evidence() -> None:
    known = trajectories(GRAPHS, 3)
    states = known[0].states
    broken = replace(known[0], states=np.full_like(states, np.nan), status="failed", reason="x")
    some = [None, *FIELDS[1:]]
    found = evidence_of(MODELS, some, GRAPHS, [broken, *known[1:]], tolerance=TOLERANCE)
    assert found.calibration.runs == 8
    assert np.isfinite(found.calibration.stretch).all()


def test_without_other_training_graphs_bands_are_student_s() -> None:
    models = replace(MODELS, about=MODELS.about | {"training_graph": np.zeros(6, dtype=np.int64)})
    known = trajectories(GRAPHS[:1], 2)
    found = evidence_of(models, FIELDS, GRAPHS[:1], known, tolerance=TOLERANCE)
    assert found.calibration == AS_STUDENT
    assert found.seen == Seen.of([x.states for x in known], GRAPHS[0])


def test_a_row_is_what_one_counts_by_hand() -> None:
    graph = build_graph(5, [(0, 1), (1, 2)])  # 3 and 4 are alone
    truth = np.full((3, 5), 0.5)
    truth[:, 2:] = [0.8, 1e-5, 0.2]
    truth[1:, 0] = 1.5  # leaves what was seen, and takes node 1 along, whose neighbour it is
    # Two models around the truth: off by 0 at nodes 0 and 3, by 2 % at 1, by 0.1 % at 2, by 10 % at
    # 4, which alone leaves a band, that of 50 %.
    off = np.array([0.0, 0.01, 0.0008, 0.0, 0.02])
    spread = np.array([0.01, 0.01, 0.01, 0.01, 0.003])
    models = [simulation((truth + off + sign * spread)[None]) for sign in (-1, 1)]
    row = rate_forecasts(Evidence(ALL_SEEN, AS_STUDENT), graph, [run(truth)], models)
    # Student's t with one degree of freedom is tan(π p / 2); the scale is √2 · spread · √1.5.
    half = np.tan(np.pi * np.array([[0.5], [0.9]]) / 2) * np.sqrt(3) * spread
    inside = off <= half
    assert inside.tolist() == [[True, True, True, True, False], [True, True, True, True, True]]
    assert row["coverage_50"] == pytest.approx(4 / 5)
    assert row["coverage_90"] == row["student_90"] == 1.0
    assert row["flagged"] == 2 / 5  # node 0, and node 1 by its two neighbours' mean
    assert row["coverage_50_unflagged"] == pytest.approx(2 / 3)
    # Node 3 is too near to zero to be off by a share of itself: 1 and 4 are bad, of 0, 1, 2, 4.
    assert (row["bad"], row["precision"], row["recall"]) == (2 / 4, 1 / 2, 1 / 2)
    assert row["mae_flagged"] == pytest.approx(off[:2].mean(), rel=1e-4)
    assert row["mae_unflagged"] == pytest.approx(off[2:].mean(), rel=1e-4)
    assert row["error_flagged"] == pytest.approx(0.01, rel=1e-3)
    assert row["error_unflagged"] == pytest.approx(np.median([0.001, 0.1]), rel=1e-3)
    size = np.abs(truth[1:]).mean()
    assert row["width_90"] == pytest.approx(half[1].mean() / size, rel=1e-5)
    assert (row["status"], row["models"], row["calibration_runs"]) == ("ok", 2, 0)
    named = {"N", "beta", "gamma", "graph", "training_graph"}
    assert named | set(row) == set(NEURAL_ODE_TRUST.columns)


def test_planted_ensembles_are_covered_as_named() -> None:
    random = np.random.default_rng(1)
    graph = build_graph(400, [])
    middle = random.uniform(0.2, 0.8, size=(3, 21, 400))

    def drawn() -> Floats:
        found: Floats = middle + 0.01 * random.normal(size=middle.shape)
        return found

    truth = [run(x) for x in drawn()]
    row = rate_forecasts(
        Evidence(ALL_SEEN, AS_STUDENT), graph, truth, [simulation(drawn()) for _ in range(9)]
    )
    assert row["coverage_50"] == pytest.approx(0.5, abs=0.02)
    assert row["coverage_90"] == pytest.approx(0.9, abs=0.01)
    assert row["coverage_90_unflagged"] == row["coverage_90"] == row["student_90"]
    assert row["flagged"] == 0.0
    assert np.isnan(row["precision"]) and np.isnan(row["mae_flagged"])
    wide = Evidence(ALL_SEEN, Calibration((0.5, 0.9), (10.0, 10.0), 5))
    row = rate_forecasts(wide, graph, truth, [simulation(drawn()) for _ in range(9)])
    assert row["coverage_50"] > 0.99 and row["student_50"] == pytest.approx(0.5, abs=0.02)


def test_what_failed_has_a_reason_and_no_numbers() -> None:
    states = np.full((4, 3), 0.5)
    graph, evidence = build_graph(3, [(0, 1)]), Evidence(ALL_SEEN, AS_STUDENT)
    good, exploded = simulation(states[None]), simulation(np.full((1, 4, 3), np.nan))
    row = rate_forecasts(evidence, graph, [run(states)], [good, exploded, None])
    assert (row["status"], row["models"]) == ("failed", 1)
    assert row["reason"] == "1 of 3 models could be integrated, not at least two"
    assert "coverage_90" not in row
    row = rate_forecasts(evidence, graph, [run(states, "failed", "too stiff")], [good, good])
    assert (row["status"], row["reason"]) == ("failed", "true system: too stiff")


def test_tests_of_models_are_watched_without_changing_them() -> None:
    graphs, truth = GRAPHS[:2], trajectories(GRAPHS[:2])
    rows: list[dict[str, object]] = []
    seen: list[tuple[int, float]] = []
    watch = rating(Evidence(ALL_SEEN, AS_STUDENT), graphs, rows)

    def both(index: int, known: Sequence[Trajectory], found: Sequence[Simulation | None]) -> None:
        watch(index, known, found)
        seen.extend(
            (index, float(np.abs(x.states[0] - known[0].states).mean())) for x in found if x
        )

    plain = evaluate_models(
        MODELS, field("SIS"), graphs, node_table(graphs), truth, tolerance=TOLERANCE, fields=FIELDS
    )
    errors, runs = evaluate_models(
        MODELS, field("SIS"), graphs, node_table(graphs), truth, tolerance=TOLERANCE,
        fields=FIELDS, watch=both,
    )  # fmt: skip
    assert errors.equals(plain[0]) and runs.equals(plain[1])
    assert [row["graph"] for row in rows] == [0, 1]
    assert {row["training_graph"] for row in rows} == {-1}
    np.testing.assert_allclose(runs["mae"], [mae for _, mae in seen], rtol=1e-6)
    assert all(row["status"] == "ok" and row["models"] == 6 for row in rows)


def test_a_cell_is_tested_with_the_evidence_that_there_is() -> None:
    graphs, truth = GRAPHS[:2], trajectories(GRAPHS[:2])
    nodes, cell = node_table(graphs), Cell(20, 1.0, 3.0)
    errors, runs = evaluate_models(
        MODELS, field("SIS"), graphs, nodes, truth, tolerance=TOLERANCE, fields=FIELDS
    )
    evidence = Evidence(ALL_SEEN, AS_STUDENT)
    for known, rated in ((None, []), (evidence, [0, 1])):
        tests = LearnedTests(MODELS, FIELDS, known)
        found = tests.on_cell(cell, field("SIS"), graphs, nodes, truth, tolerance=TOLERANCE)
        assert found.errors.equals(errors.assign(N=20, beta=1.0, gamma=3.0))
        assert found.runs.equals(runs.assign(N=20, beta=1.0, gamma=3.0))
        expected = errors_by_degree(errors).assign(N=20, beta=1.0, gamma=3.0)
        assert found.by_degree.equals(expected)
        assert [row["graph"] for row in found.trust] == rated
        assert all((row["N"], row["gamma"]) == (20, 3.0) for row in found.trust)
