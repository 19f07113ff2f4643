"""Experiments and questions against cases whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from nodeflow.bridge.experiments import (
    TestCase,
    area_under_roc,
    ensemble_rows,
    error_rows,
    errors_by_degree,
    fixed_point_rows,
    unobserved_rows,
)
from nodeflow.bridge.predict import Solver, ensemble, predict
from nodeflow.bridge.questions import (
    Scores,
    answer_questions,
    difference_interval,
    ratio_interval,
    selection_interval,
)
from nodeflow.bridge.tables import BRIDGE_QUESTIONS
from nodeflow.dynamics import SYSTEMS, Field, field, simulate
from nodeflow.graphs import sample_cell
from nodeflow.grid import Cell

SOLVER = Solver(1e-6, 1e-6, 20_000)


@pytest.fixture(scope="module")
def cases() -> list[TestCase]:
    graphs = sample_cell(Cell(96, 1.1, 2.5), mean_degree=8, role="test", graphs=2, root_seed=4)
    times = np.linspace(0, 1, 9)
    found = []
    for graph in graphs:
        start = np.random.default_rng(0).uniform(0, 0.5, (1, graph.n))
        run = simulate(field("MM"), graph.adjacency(), start, times)
        found.append(TestCase(graph, times, run.states[0]))
    return found


def test_the_true_system_makes_no_error_and_a_wrong_one_does(cases: list[TestCase]) -> None:
    fields: list[Field | str] = [
        field("MM"),
        field("MM", {"B": 1.5}),
        "its parameters are not finite",
    ]
    got = predict(
        fields, [c.graph for c in cases], [c.states[0] for c in cases], cases[0].times, SOLVER
    )
    table = pd.DataFrame(error_rows(got, cases))
    true, wrong, broken = (table[table["index"] == index] for index in range(3))
    assert true["mae"].max() < 1e-5
    assert wrong["mae"].min() > 1e-2
    assert (broken["status"] == "failed").all() and broken["mae"].isna().all()
    assert (broken["reason"] == "its parameters are not finite").all()
    assert (wrong["mae_hubs"] > wrong["mae"]).all()


def test_an_explosion_is_a_row_with_its_reason(cases: list[TestCase]) -> None:
    wild = field("BD", {"B": -50.0})
    got = predict(
        [wild], [cases[0].graph], [cases[0].states[0]], cases[0].times, Solver(1e-6, 1e-6, 500)
    )
    [row] = error_rows(got, cases[:1])
    assert row["status"] == "failed" and row["reason"]
    assert np.isnan(got.states[0]).all()


def test_an_ensemble_is_the_median_of_those_that_did_not_fail() -> None:
    states = np.random.default_rng(0).normal(size=(5, 4, 3))
    middle, alarm = ensemble(np.concatenate([states, np.full((1, 4, 3), np.nan)]))
    assert np.array_equal(middle, np.median(states, axis=0))
    assert np.allclose(alarm, np.abs(states - middle).mean((0, 1)))
    nothing, _ = ensemble(np.full((2, 4, 3), np.nan))
    assert np.isnan(nothing).all()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30).filter(
        lambda pairs: len({label for _, label in pairs}) == 2
    )
)
@settings(max_examples=50, deadline=None)
def test_area_under_roc_is_that_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    score, label = np.array([s for s, _ in pairs], float), np.array([x for _, x in pairs])
    assert area_under_roc(score, label) == pytest.approx(roc_auc_score(label, score))


def test_without_nodes_to_find_there_is_no_area() -> None:
    assert np.isnan(area_under_roc(np.arange(4.0), np.zeros(4, bool)))
    assert np.isnan(area_under_roc(np.array([1.0, np.nan]), np.array([True, False])))


def test_alarms_find_the_nodes_that_members_disagree_on(cases: list[TestCase]) -> None:
    fields = [field("MM", {"B": b}) for b in (0.8, 0.9, 1.1, 1.2)]
    got = predict(fields, [cases[0].graph], [cases[0].states[0]], cases[0].times, SOLVER)
    error = case_error = cases[0].errors(got.states[0]).mean(axis=0)
    worst = error > np.quantile(case_error, 0.9)
    seen = (0.0, float(np.quantile(cases[0].states, 0.9)))
    rows = pd.DataFrame(ensemble_rows(got, cases[:1], [1, 4], seen, [worst]))
    assert len(rows) == 5
    together = rows[rows["size"] == 4].iloc[0]
    assert together["auc_errors"] > 0.9 and together["rank_correlation"] > 0.5
    assert together["mae"] < rows.loc[rows["size"] == 1, "mae"].min()
    # A node alone is outside where its prediction is, and the prediction is nearly right.
    assert (rows.loc[rows["size"] == 1, "auc_outside"] > 0.9).all()


def test_errors_by_degree_hold_every_node_once(cases: list[TestCase]) -> None:
    fields = [field("MM", {"B": 1.1}), field("MM", {"B": 1.2})]
    got = predict(
        fields, [c.graph for c in cases], [c.states[0] for c in cases], cases[0].times, SOLVER
    )
    table = errors_by_degree(got, cases, (0.0, 1.0))
    assert table["nodes"].sum() == 2 * 96
    assert (table["mae_low"] <= table["mae"]).all() and (table["mae"] <= table["mae_high"]).all()
    hub = table[table["degree"] == table["degree"].max()].iloc[0]
    assert hub["outside"] > 0 and hub["mae"] > table["mae"].median()


def test_missing_nodes_cost_the_true_system_too(cases: list[TestCase]) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(unobserved_rows([field("MM")], cases[0], [0.02, 0.3], SOLVER, rng))
    assert rows["mae"].is_monotonic_increasing and rows["mae"].iloc[0] > 1e-4


def test_fixed_points_of_the_true_system_are_not_displaced(cases: list[TestCase]) -> None:
    fields: list[Field | str] = [field("SIS"), field("SIS", {"B": 1.3}), "too rough"]
    one = TestCase(cases[0].graph, cases[0].times, np.clip(cases[0].states, 0, 1))
    rows = fixed_point_rows(fields, field("SIS"), SYSTEMS["SIS"].domain, one, 10.0, SOLVER)
    table = pd.DataFrame(rows)
    assert table["displacement"][0] < 1e-6 and table["stable"][0] == 1
    assert table["displacement"][1] > 1e-2
    assert table["status"][2] == "failed" and table["reason"][2] == "too rough"


# --- questions -----------------------------------------------------------------------------------


free = Scores.independent


def lognormal(seed: int, shape: tuple[int, int], scale: float) -> np.ndarray:
    return scale * np.exp(0.3 * np.random.default_rng(seed).normal(size=shape))


def test_intervals_of_a_ratio_hold_it_about_as_often_as_they_say() -> None:
    hits = []
    for seed in range(60):
        a, b = lognormal(seed, (40, 6), 2.0), lognormal(1000 + seed, (40, 6), 1.0)
        found = ratio_interval(free(a), free(b), np.random.default_rng(seed))
        hits.append(found.low <= 2.0 <= found.high)
        assert found.low <= found.estimate <= found.high
    assert np.mean(hits) > 0.85


def test_a_failure_counts_as_an_infinite_error() -> None:
    a, b = lognormal(0, (10, 4), 1.0), lognormal(1, (10, 4), 1.0)
    a[:8] = np.inf
    found = ratio_interval(free(a), free(b), np.random.default_rng(0))
    assert found.estimate == np.inf and found.high == np.inf
    assert "fail" in found.fault


def test_sets_that_both_fail_cannot_be_compared() -> None:
    a = np.full((10, 4), np.inf)
    found = ratio_interval(free(a), free(a), np.random.default_rng(0))
    assert np.isnan(found.estimate) and found.low == -np.inf and found.high == np.inf
    assert found.lost == 1 and "fail" in found.fault


def test_what_shares_a_training_graph_is_drawn_together() -> None:
    quality = np.exp(np.random.default_rng(0).normal(size=(6, 1)))
    a = np.repeat(quality, 8, axis=0) * lognormal(1, (48, 4), 1.0)
    b = lognormal(2, (48, 4), 1.0)
    shared = Scores(a, np.repeat(np.arange(6), 8))
    assert sorted(np.concatenate(shared.groups())) == list(range(48))
    together = ratio_interval(shared, free(b), np.random.default_rng(0))
    alone = ratio_interval(free(a), free(b), np.random.default_rng(0))
    assert together.n == 6 and alone.n == 48
    assert together.estimate == alone.estimate
    assert np.log(together.high / together.low) > 1.5 * np.log(alone.high / alone.low)


def test_graphs_without_nodes_to_find_do_not_count() -> None:
    scores = np.random.default_rng(0).uniform(0.6, 0.7, (2, 4, 3))
    scores[:, :, 1] = np.nan
    rng = np.random.default_rng(0)
    found = difference_interval(free(scores[0]), free(scores[1] - 0.5), rng)
    assert found.graphs == 2 and 0.4 < found.low < found.high < 0.6 and not found.fault
    scores[:, :, 2] = np.nan
    found = difference_interval(free(scores[0]), free(scores[1]), rng)
    assert found.graphs == 1 and found.fault.startswith("1 test graph")


def test_selection_helps_where_quality_lasts_and_only_there() -> None:
    quality = np.exp(np.random.default_rng(0).normal(size=(40, 1)))
    lasting = [quality * lognormal(seed, (40, 5), 1.0) for seed in (1, 2)]
    rng = np.random.default_rng(0)
    found = selection_interval(lasting[0], free(lasting[1]), None, free(lasting[1]), rng)
    assert found.high < 0.7
    luck = lognormal(3, (40, 5), 1.0)
    found = selection_interval(luck, free(lognormal(4, (40, 5), 1.0)), None, free(lasting[0]), rng)
    assert found.low < found.estimate < found.high


def test_planted_answers_are_found() -> None:
    runs, ensembles = [], []
    for name, scale in (("held-out", 1.0), ("generated", 3.0), ("noise matched", 9.0)):
        for N in (64, 1024):
            errors = lognormal(len(name) + N, (24, 5), scale * (1 if N == 64 else 2))
            for index, graph in np.ndindex(*errors.shape):
                runs.append(
                    {
                        "zoo": "z", "system": "MM", "set": name, "trained_beta": 1.1,
                        "trained_gamma": 3.0, "unseen": False, "N": N, "beta": 1.1, "gamma": 3.0,
                        "graph": graph, "index": index, "status": "ok", "reason": "",
                        "trained_graph": index // 3 if name == "held-out" else -1,
                        "mae": errors[index, graph], "mae_hubs": errors[index, graph],
                    }
                )  # fmt: skip
            for size in (1, 8):
                for number, graph in np.ndindex(24 // size, 5):
                    error = errors[number, graph] / size
                    auc = 0.9 - 0.1 * (size == 1) - 0.2 * (name == "generated")
                    ensembles.append(
                        {
                            **{k: runs[-1][k] for k in ("zoo", "system", "set", "trained_beta",
                               "trained_gamma", "unseen", "N", "beta", "gamma")},
                            "size": size, "ensemble": number, "graph": graph, "mae": error,
                            "mae_hubs": error, "rank_correlation": 0.0, "auc_errors": auc,
                            "auc_outside": np.nan,
                        }
                    )  # fmt: skip
    table = answer_questions(pd.DataFrame(runs), pd.DataFrame(ensembles), 1)
    assert list(table.columns) == list(BRIDGE_QUESTIONS.columns)

    def answer(text: str) -> str:
        [row] = table[table["statistic"].str.contains(text, regex=False)].to_dict("records")
        assert row["low"] <= row["estimate"] <= row["high"]
        return str(row["answer"])

    assert answer("error of generated over trained, N = 64,") == "no"
    assert answer("error of generated over noise matched, N = 1024,") == "yes"
    assert answer("error of 8 generated against one trained, N = 64,") == "yes"
    assert answer("error of 8 generated against 8 trained, N = 64,") == "no"
    assert answer("(worst twentieth) of 8 generated against one trained, N = 64,") == "no"
    assert not table["statistic"].str.contains("outside").any()
    matched = table["statistic"].str.startswith("error of generated over trained")
    assert (table.loc[matched, "n"] == 8).all()
    again = answer_questions(pd.DataFrame(runs), pd.DataFrame(ensembles), 1)
    pd.testing.assert_frame_equal(table, again)
