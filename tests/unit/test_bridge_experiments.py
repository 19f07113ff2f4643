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
from nodeflow.bridge.intervals import (
    Scores,
    difference_interval,
    mean_interval,
    ratio_interval,
    selection_interval,
)
from nodeflow.bridge.predict import ensemble, predict
from nodeflow.bridge.questions import answer_questions
from nodeflow.bridge.tables import BRIDGE_QUESTIONS
from nodeflow.dynamics import SYSTEMS, Field, Tolerance, field, simulate
from nodeflow.graphs import sample_cell
from nodeflow.grid import Cell

TOLERANCE = Tolerance(1e-6, 1e-6, 20_000)


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
        fields, [c.graph for c in cases], [c.states[0] for c in cases], cases[0].times, TOLERANCE
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
        [wild], [cases[0].graph], [cases[0].states[0]], cases[0].times, Tolerance(1e-6, 1e-6, 500)
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
    got = predict(fields, [cases[0].graph], [cases[0].states[0]], cases[0].times, TOLERANCE)
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
        fields, [c.graph for c in cases], [c.states[0] for c in cases], cases[0].times, TOLERANCE
    )
    table = errors_by_degree(got, cases, (0.0, 1.0))
    assert table["nodes"].sum() == 2 * 96
    assert (table["mae_low"] <= table["mae"]).all() and (table["mae"] <= table["mae_high"]).all()
    hub = table[table["degree"] == table["degree"].max()].iloc[0]
    assert hub["outside"] > 0 and hub["mae"] > table["mae"].median()


def test_missing_nodes_cost_the_true_system_too(cases: list[TestCase]) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(unobserved_rows([field("MM")], cases[0], [0.02, 0.3], TOLERANCE, rng))
    assert rows["mae"].is_monotonic_increasing and rows["mae"].iloc[0] > 1e-4


def test_fixed_points_of_the_true_system_are_not_displaced(cases: list[TestCase]) -> None:
    fields: list[Field | str] = [field("SIS"), field("SIS", {"B": 1.3}), "too rough"]
    one = TestCase(cases[0].graph, cases[0].times, np.clip(cases[0].states, 0, 1))
    rows = fixed_point_rows(
        fields, field("SIS"), SYSTEMS["SIS"].domain, one, 10.0, TOLERANCE, error=0.0
    )
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
    assert np.isnan(found.draws).all() and "100%" in found.fault


def test_what_shares_a_training_graph_is_drawn_together() -> None:
    quality = np.exp(np.random.default_rng(0).normal(size=(6, 1)))
    a = np.repeat(quality, 8, axis=0) * lognormal(1, (48, 4), 1.0)
    b = lognormal(2, (48, 4), 1.0)
    shared = Scores(a, np.repeat(np.arange(6), 8))
    assert sorted(np.concatenate(shared.groups)) == list(range(48))
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
    by, on = (free(quality * lognormal(seed, (40, 5), 1.0)) for seed in (1, 2))
    rng = np.random.default_rng(0)
    found = selection_interval(by, on, None, on, rng)
    best = np.argsort(np.median(by.values, axis=1))[:10]
    assert found.estimate == np.median(on.values[best]) / np.median(on.values)
    assert found.high < 0.9
    both = selection_interval(by, on, by, on, rng)
    assert both.low == both.estimate == both.high == 1.0
    luck, later = (free(lognormal(seed, (40, 5), 1.0)) for seed in (3, 4))
    found = selection_interval(luck, later, None, later, rng)
    assert found.low < 1.0 < found.high


def test_a_mean_of_ratios_is_more_certain_than_each() -> None:
    rng = np.random.default_rng(0)
    parts = [
        ratio_interval(free(lognormal(k, (24, 4), 2.0)), free(lognormal(9 + k, (24, 4), 1.0)), rng)
        for k in range(4)
    ]
    found = mean_interval(parts, geometric=True)
    assert found.estimate == pytest.approx(np.prod([x.estimate for x in parts]) ** 0.25)
    assert found.low < 2.0 < found.high
    assert found.high / found.low < min(x.high / x.low for x in parts)
    failed = ratio_interval(free(np.full((4, 4), np.inf)), free(np.ones((4, 4))), rng)
    assert mean_interval([*parts, failed], geometric=True).estimate == np.inf


def planted(beta: float) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Generated ones that err three times as much as trained ones, and are worse alarms."""
    runs: list[dict[str, object]] = []
    ensembles: list[dict[str, object]] = []
    for name, scale in (("held-out", 1.0), ("generated", 3.0), ("noise matched", 9.0)):
        for N in (64, 1024):
            errors = lognormal(len(name) + N, (24, 5), scale * (1 if N == 64 else 2))
            for index, graph in np.ndindex(*errors.shape):
                runs.append(
                    {
                        "zoo": "z", "system": "MM", "set": name, "trained_beta": beta,
                        "trained_gamma": 3.0, "unseen": False, "N": N, "beta": beta, "gamma": 3.0,
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
    return runs, ensembles


def test_planted_answers_are_found() -> None:
    runs, ensembles = (
        pd.DataFrame(first + second)
        for first, second in zip(planted(0.6), planted(3.1), strict=True)
    )
    table = answer_questions(runs, ensembles, 1)
    assert list(table.columns) == list(BRIDGE_QUESTIONS.columns)
    assert (table["low"] <= table["estimate"]).all() and (table["estimate"] <= table["high"]).all()
    assert (table["reason"] == "").all() and not (table["answer"] == "not answerable").any()

    def answers(statistic: str, N: int) -> set[str]:
        found = table[(table["statistic"] == statistic) & (table["N"] == N)]
        assert list(found["cells"]) == [1, 1, 2]
        return set(found["answer"])

    assert answers("error of generated over trained", 64) == {"no"}
    assert answers("error of generated over noise matched", 1024) == {"yes"}
    assert answers("error of 8 generated against one trained", 64) == {"yes"}
    assert answers("error of 8 generated against 8 trained", 64) == {"no"}
    assert answers("area under ROC (worst twentieth) of 8 generated against one trained", 64) == {
        "no"
    }
    assert not table["statistic"].str.contains("outside").any()
    matched = table["statistic"] == "error of generated over trained"
    assert (table.loc[matched, "n"] == 8).all()
    pd.testing.assert_frame_equal(table, answer_questions(runs, ensembles, 1))


def test_one_ensemble_answers_nothing_and_says_why() -> None:
    runs, ensembles = map(pd.DataFrame, planted(1.1))
    first = ensembles[(ensembles["size"] == 1) | (ensembles["ensemble"] == 0)]
    table = answer_questions(runs, first, 1)
    of_ensembles = table["statistic"].str.contains("8 generated")
    assert (table.loc[of_ensembles, "answer"] == "not answerable").all()
    assert table.loc[of_ensembles, "reason"].str.startswith("one training graph").all()
