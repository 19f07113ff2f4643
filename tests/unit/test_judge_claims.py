"""Bootstrap over graphs and models, verdicts, and receiver curves."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score

from nodeflow.figures.experiments import (
    draw_claims,
    draw_conjecture,
    draw_fixed_points,
    draw_functions,
    draw_hidden,
    draw_noise,
    draw_warning,
)
from nodeflow.figures.laws import draw_law_errors, draw_law_functions, draw_law_recovery
from nodeflow.figures.neural_ode import (
    draw_degree_errors,
    draw_size_errors,
    draw_structure_errors,
    draw_training,
)
from nodeflow.figures.style import drawing
from nodeflow.figures.trust import draw_trust
from nodeflow.judge.bootstrap import crossed_medians, interval, median_band, shared_medians
from nodeflow.judge.claims import judge_claims, verdict
from nodeflow.judge.schemas import CLAIMS
from nodeflow.judge.variance import share_of_columns
from nodeflow.judge.warning import receiver_curve


def runs(matrix: np.ndarray, failed: float = 0.0, seeds: int = 1) -> pd.DataFrame:
    models, graphs = matrix.shape
    table = pd.DataFrame(
        {
            "replicate": np.repeat(np.arange(models), graphs),
            "training_graph": np.repeat(np.arange(models), graphs) // seeds,
            "graph": np.tile(np.arange(graphs), models),
            "mae": matrix.ravel(),
            "status": "ok",
        }
    )
    lost = table.index < failed * len(table)
    table["status"] = table["status"].mask(lost, "failed")
    table["mae"] = table["mae"].mask(lost)
    return table


def test_the_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        effects = rng.normal(0, 0.3, (6, 1)) + rng.normal(0, 1, (1, 20))
        low, high = interval(crossed_medians(runs(effects), "mae", rng))[1:]
        covered += low <= 0 <= high
    assert covered >= 50


def test_seeds_of_one_training_graph_are_drawn_together() -> None:
    """Three seeds a graph say little more than one where it is the graph that decides."""
    rng = np.random.default_rng(1)
    covered = {1: 0, 3: 0}
    for _ in range(60):
        effects = np.repeat(rng.normal(0, 1, (8, 1)), 3, axis=0) + rng.normal(0, 0.1, (24, 20))
        for seeds in covered:
            low, high = interval(crossed_medians(runs(effects, seeds=seeds), "mae", rng))[1:]
            covered[seeds] += low <= 0 <= high
    assert covered[3] >= 50
    assert covered[1] < 50  # as if all 24 were independent


def test_failed_runs_are_infinitely_bad() -> None:
    rng = np.random.default_rng(1)
    table = runs(np.ones((4, 10)), failed=0.6)
    assert interval(crossed_medians(table, "mae", rng))[0] == np.inf
    table = runs(np.ones((4, 10)), failed=0.2)
    assert interval(crossed_medians(table, "mae", rng))[0] == 1.0


def test_a_band_has_the_medians_in_it() -> None:
    rng = np.random.default_rng(1)
    parts = [runs(rng.lognormal(k, 1, (3, 8))).assign(N=k) for k in range(3)]
    band = median_band(pd.concat(parts), "N", "mae", rng)
    assert (band["low"] <= band["median"]).all()
    assert (band["median"] <= band["high"]).all()
    assert (band["count"] == 24).all()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1.1, 2, "confirmed"), (0.1, 0.9, "contradicted"), (0.5, 2, "open"), (np.nan, 2, "open"),
     (2, np.inf, "confirmed")],
)  # fmt: skip
def test_verdicts(low: float, high: float, expected: str) -> None:
    assert verdict(low, high, 1.0) == expected


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_the_area_is_scikit_learn_s(items: list[tuple[bool, int]]) -> None:
    bad = np.array([b for b, _ in items])
    score = np.array([float(s) for _, s in items])
    found, area = receiver_curve(bad, score)
    if bad.all() or not bad.any():
        assert np.isnan(area)
        return
    assert area == pytest.approx(roc_auc_score(bad, score))
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize(("by_row", "by_column"), [(0.0, 1.0), (0.1, 1.0), (0.5, 0.5), (1.0, 0.1)])
def test_the_share_of_columns_is_the_planted_one_under_the_noise_of_drawing(
    by_row: float, by_column: float
) -> None:
    rng = np.random.default_rng(1)
    rows, columns = np.linspace(-1, 1, 5) * by_row, np.linspace(-1, 1, 7) * by_column
    spread = rows.var(ddof=1), columns.var(ddof=1)
    truth = spread[1] / (spread[0] + spread[1])
    found, covered, naive = [], 0, []
    for _ in range(60):
        sampled = rows[:, None] + columns + rng.normal(0, 0.2, (5, 7))
        models = rng.normal(0, 1, 400)  # that a draw has in all cells
        drawn = sampled[..., None] + models + rng.normal(0, 0.2, (5, 7, 400))
        medians = np.concatenate([sampled[..., None], drawn], axis=-1)
        value, low, high = interval(share_of_columns(medians))
        found.append(value)
        covered += low <= truth <= high
        naive.append(drawn.var(1, ddof=1).mean() / drawn.var(0, ddof=1).mean())
    assert abs(np.mean(found) - truth) < 0.03
    assert covered >= 52
    if by_row < by_column:  # a plain quotient of draws lies below the truth
        assert np.median(naive) < spread[1] / max(spread[0], 1e-9)


def test_models_are_drawn_together_for_all_tables() -> None:
    """Tables that differ by a factor differ by it in every draw, if all graphs are alike."""
    rng = np.random.default_rng(1)
    matrix = np.repeat(rng.lognormal(0, 1, (4, 1)), 6, axis=1)
    one, two = shared_medians([runs(matrix), runs(3 * matrix)], "mae", rng)
    assert np.unique(one).size > 3
    np.testing.assert_allclose(two, 3 * one)


def test_a_cell_without_runs_leaves_no_share_and_no_error() -> None:
    rng = np.random.default_rng(1)
    full = runs(np.ones((3, 4)))
    unknown = full.assign(status="failed", reason="true system: too many steps", mae=np.nan)
    medians = shared_medians([full, unknown, full, full], "mae", rng)
    assert np.isnan(medians[1]).all()
    assert (medians[[0, 2, 3]] == 1).all()
    assert np.isnan(interval(share_of_columns(medians.reshape(2, 2, -1)))).all()


def planted_tests(system: str, growth: float) -> pd.DataFrame:
    """Runs whose error grows with N by `growth` at γ = 2.1 and not at 3.9, and little with β."""
    rng = np.random.default_rng(1)
    parts = []
    cells = [(1.1, g, n) for g in (2.1, 3.9) for n in (64, 1024)]
    cells += [(b, g, 1024) for b in (0.6, 3.1) for g in (2.1, 3.9)]
    for beta, gamma, size in cells:
        for trained in {(1.1, gamma), (1.1, 2.1)} if size == 1024 else {(1.1, gamma)}:
            if beta != 1.1 and trained != (1.1, 2.1):
                continue
            level = growth if (gamma, size) == (2.1, 1024) else 1.0
            table = runs(level * (1 + 0.02 * beta) * rng.lognormal(0, 0.05, (3, 10)))
            parts.append(
                table.assign(
                    system=system, variant="plain", trained_beta=trained[0],
                    trained_gamma=trained[1], N=size, beta=beta, gamma=gamma,
                    mae_hubs=5 * table["mae"], mae_mean_field=30 * table["mae"],
                    mae_persistence=50.0, mae_inside=table["mae"] / level,
                    outside_hubs=0.9 if level > 1 else 0.0,
                )
            )  # fmt: skip
    covering = parts[1].assign(variant="covering")
    covering[["mae", "mae_hubs"]] /= growth
    return pd.concat([*parts, covering], ignore_index=True).assign(method="neural ODE")


def planted(system: str, growth: float) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    models: dict[str, Any] = {
        "method": "neural ODE", "system": system, "variant": "plain", "trained_beta": 1.1,
    }  # fmt: skip
    points, hidden, noise = [], [], []
    for gamma in (2.1, 3.9):
        table = runs(rng.lognormal(0, 0.1, (3, 10))).assign(**models, trained_gamma=gamma)
        points.append(
            table.assign(
                mae_giant=table["mae"], mae_hubs=table["mae"], size=5.0, rightmost=-1.0,
                rightmost_true=-1.0, rightmost_giant=-1.0, rightmost_giant_true=-1.0,
                mae_mean_field=2.0, mae_persistence=4.0,
            )
        )  # fmt: skip
        for removed in (4, 64):
            hidden.append(
                table.assign(
                    removed=removed, share=removed / 1024, mae=removed * table["mae"],
                    mae_floor=removed * table["mae"], mae_whole=table["mae"],
                    mae_persistence=1000.0, mae_mean_field=500.0,
                )
            )  # fmt: skip
    for training in (0.0, 0.1):
        for test in (0.0, 0.1):
            noise.append(
                table.assign(
                    training_noise=training, test_noise=test, mae=table["mae"] * (1 + training),
                    mae_floor=0.1, mae_observed=table["mae"] + test, mae_observed_floor=0.1 + test,
                    mae_persistence=10.0, mae_mean_field=5.0,
                )
            )  # fmt: skip
    return {
        "tests": planted_tests(system, growth),
        "fixed_points": pd.concat(points),
        "hidden": pd.concat(hidden),
        "noise": pd.concat(noise),
        "areas": pd.concat(
            [
                pd.DataFrame({"graph": range(-1, 10), "area": area, "signal": signal})
                for signal, area in (("spread", 0.6 + 0.01 * growth), ("degree", 0.7))
            ]
        ).assign(**models, trained_gamma=2.1, N=1024, bad=0.1),
        "trust": planted_trust(growth).assign(**models),
    }


def planted_trust(growth: float) -> pd.DataFrame:
    """Bands that cover at N = 64 and, but for flagged nodes, at 1024; flags that tell `growth`."""
    rng = np.random.default_rng(3)
    parts = []
    for size in (64, 1024):
        cover = {64: 0.0, 1024: -0.3}[size] + 0.01 * rng.normal(size=10)
        parts.append(
            pd.DataFrame(
                {"N": size, "graph": range(10), "method": "neural ODE", "training_graph": -1,
                 "status": "ok", "coverage_50": 0.5 + cover,
                 "coverage_90": 0.9 + cover, "coverage_50_unflagged": 0.5,
                 "coverage_90_unflagged": 0.9, "recall": 0.4 + 0.02 * growth, "bad": 0.1,
                 "precision": 0.05 * growth, "mae_flagged": growth, "mae_unflagged": 1.0,
                 "error_flagged": growth, "error_unflagged": 1.0, "flagged": 0.2}
            )
        )  # fmt: skip
    failed = parts[1].assign(status="failed", graph=np.arange(10, 20), coverage_90=np.nan)
    other = parts[0].assign(gamma=3.9, coverage_90=0.0)  # of another cell of the structure grid
    return pd.concat([*parts, failed, other]).fillna({"gamma": 2.1}).assign(
        beta=1.1, trained_gamma=2.1
    )  # fmt: skip


SIZES: dict[str, Any] = {
    "training_size": 64, "detail_size": 1024, "structure_size": 1024,
    "structure_trained": [1.1, 2.1], "seed": 1,
}  # fmt: skip


def judged(system: str, growth: float) -> dict[str, str]:
    claims = judge_claims(**planted(system, growth), **SIZES)
    assert list(claims.columns) == list(CLAIMS.columns)
    assert (claims["low"] <= claims["value"]).all()
    assert (claims["value"] <= claims["high"]).all()
    return {
        f"{claim} {statistic[-3:]}": verdict
        for claim, statistic, verdict in zip(
            claims["claim"], claims["statistic"], claims["verdict"], strict=True
        )
    }  # the end of the statistic tells γ


def test_planted_effects_are_confirmed_and_planted_contrary_ones_contradicted() -> None:
    grows = judged("MM", 20.0)
    assert grows["errors grow with size on heterogeneous graphs 2.1"] == "confirmed"
    assert grows["errors grow more where degrees are more heterogeneous 3.9"] == "confirmed"
    assert grows["errors concentrate at hubs 024"] == "confirmed"
    assert grows["fixed points are mostly stable 2.1"] == "confirmed"
    assert grows["fixed points are displaced 2.1"] == "confirmed"
    assert grows["errors grow with unobserved nodes 2.1"] == "confirmed"
    assert grows["the model adds to what the missing nodes cost 3.9"] == "contradicted"
    gap = "conjecture: training on the hubs' states closes the gap (hubs) 2.1"
    assert grows[gap] == "confirmed"
    assert grows["conjecture: hubs leave the states seen in training 024"] == "confirmed"
    inside = "conjecture: nodes that stay among the states seen are predicted as before 2.1"
    assert grows[inside] == "confirmed"
    assert grows["the spread of models warns of badly predicted nodes 2.1"] == "confirmed"
    assert grows["the spread of models warns better than degree 2.1"] == "confirmed"
    flat = judged("MM", 1.0)
    assert flat["conjecture: hubs leave the states seen in training 024"] == "contradicted"
    assert flat["the spread of models warns better than degree 2.1"] == "contradicted"
    assert flat["errors grow with size on heterogeneous graphs 2.1"] == "contradicted"
    assert flat[gap] == "contradicted"
    assert judged("SIS", 20.0)["errors barely grow with size 2.1"] == "contradicted"
    assert judged("SIS", 1.0)["errors barely grow with size 2.1"] == "confirmed"


@pytest.mark.parametrize(("growth", "verdict"), [(20.0, "confirmed"), (1.0, "contradicted")])
def test_bands_and_flags_are_judged_on_graphs_of_their_own_cell(
    growth: float, verdict: str
) -> None:
    claims = judge_claims(**planted("MM", growth), **SIZES)
    verdicts = claims.set_index(["claim", "statistic"])["verdict"]
    for level in (50, 90):
        inside = f"share of states inside the {level} % band"
        for which, large in (("all nodes", "contradicted"), ("nodes without a flag", "confirmed")):
            claim = f"bands of an ensemble cover what they say ({which})"
            assert verdicts[claim, f"{inside}, N = 64, γ = 2.1"] == "confirmed"
            assert verdicts[claim, f"{inside}, N = 1024, γ = 2.1"] == large
    flags = [claim for claim in verdicts.index.get_level_values(0) if "flag" in claim][-3:]
    assert [verdicts[claim].tolist() for claim in flags] == [[verdict]] * 3


@pytest.mark.parametrize(
    ("growth", "level", "keeps", "beats"),
    [(1.0, 0.01, "confirmed", "confirmed"), (20.0, 1.0, "contradicted", "open")],
)
def test_laws_are_judged_beside_models_and_change_nothing_about_these(
    growth: float, level: float, keeps: str, beats: str
) -> None:
    tables = planted("MM", 20.0)
    before = judge_claims(**tables, **SIZES)
    laws = planted_tests("MM", growth).query("variant == 'plain'").assign(method="law")
    laws["mae"] *= level
    noisy = laws.assign(variant="noise~0.1", mae=99.0)  # not judged
    everything = {**tables, "tests": pd.concat([tables["tests"], laws, noisy])}
    claims = judge_claims(**everything, **SIZES)
    ours = claims["claim"].str.startswith("a law ")
    pd.testing.assert_frame_equal(claims[~ours].reset_index(drop=True), before)
    here = claims[ours & claims["statistic"].str.contains("γ = 2.1")]
    assert here["verdict"].tolist() == [keeps, beats]
    assert here["value"].iloc[0] == pytest.approx(2 / growth, rel=0.1)


@pytest.mark.parametrize(("growth", "verdict"), [(20.0, "confirmed"), (0.2, "contradicted")])
def test_systems_are_compared(growth: float, verdict: str) -> None:
    parts = [planted("MM", growth), planted("SIS", 1.0)]
    tables = {name: pd.concat([x[name] for x in parts]) for name in parts[0]}
    claims = judge_claims(**tables, **SIZES)
    [row] = claims[claims["system"] == "all"].to_dict("records")
    assert row["verdict"] == verdict
    assert row["value"] == pytest.approx(growth, rel=0.2)


def look_at(figures: list[Figure]) -> None:
    for figure in figures:
        figure.set_dpi(40)
        figure.canvas.draw()
        assert sum(axis.has_data() for axis in figure.axes) >= 1
        plt.close(figure)


def test_every_figure_can_be_drawn() -> None:
    tables = planted("MM", 20.0)
    claims = judge_claims(**tables, **SIZES)
    x = np.linspace(0, 1, 5)
    functions = pd.DataFrame(
        {"method": "neural ODE", "x": np.tile(x, 2),
         "learned": 1.1, "true": 1.0, "inside": np.tile(x < 0.5, 2),
         "function": np.repeat(["f", "product"], 5), "replicate": 0, "system": "MM",
         "trained_gamma": 2.1}
    )  # fmt: skip
    errors = pd.DataFrame(
        {"method": "neural ODE", "system": "MM",
         "variant": np.repeat(["plain", "covering"], 5), "gamma": 2.1, "N": 1024,
         "degree": np.tile(np.arange(5.0), 2), "mae_low": 1.0, "mae": 2.0, "mae_high": 3.0,
         "mae_persistence": 9.0, "mae_mean_field": 5.0, "beta": 1.1, "trained_beta": 1.1,
         "trained_gamma": 2.1, "outside": 0.5, "spread": 1.0, "nodes": 7}
    )  # fmt: skip
    shared: dict[str, Any] = {"system": "MM", "trained_gamma": 2.1}
    curves = pd.DataFrame({"false_alarms": x, "found": x, "signal": "spread"}).assign(**shared)
    areas = pd.DataFrame({"graph": [-1, 0], "bad": 0.1, "area": 0.5, "signal": "spread"})
    history = pd.DataFrame(
        {"step": x + 1, "loss": x + 1, "loss_persistence": 3.0, "loss_mean_field": 2.0,
         "variant": "plain", "trained_beta": 1.1, "replicate": 0, "attempt": 0}
    ).assign(**shared)  # fmt: skip
    tests = tables["tests"].assign(outside=0.1)
    laws = pd.DataFrame(
        {"system": "MM", "trained_gamma": 2.1, "variant": ["plain", "noise~0.1", "times~16"],
         "status": ["ok", "ok", "none"], "undetermined": [False, True, True],
         "error_seen": [1e-4, 0.1, np.nan], "error_beyond": [1e-3, 0.3, np.nan]}
    )  # fmt: skip
    whole = {"noise": 0.0, "times": 64}
    trained: dict[str, Any] = {"size": 1024, "trained_beta": 1.1, "trained_gamma": 2.1}
    with drawing():
        figures = [
            draw_fixed_points(tables["fixed_points"]), draw_hidden(tables["hidden"]),
            draw_noise(tables["noise"]), draw_conjecture(errors, 1024), draw_functions(functions),
            draw_warning(curves, areas.assign(**shared)), draw_claims(claims),
            draw_size_errors(tests, 1.1), draw_structure_errors(tests, **trained),
            draw_degree_errors(errors, **trained), draw_training(history),
            draw_trust(tables["trust"], 1.1), draw_law_recovery(laws, 2.1, whole),
        ]  # fmt: skip
        look_at(figures)
        # The same with laws beside the neural ODEs, and what is drawn of laws alone.
        tests, errors, functions, points, hidden, noise = (
            pd.concat([table, table.assign(method="law")], ignore_index=True)
            for table in (
                tests, errors, functions, tables["fixed_points"], tables["hidden"], tables["noise"]
            )
        )  # fmt: skip
        figures = [
            draw_fixed_points(points), draw_hidden(hidden), draw_noise(noise),
            draw_conjecture(errors, 1024), draw_functions(functions), draw_size_errors(tests, 1.1),
            draw_structure_errors(tests, **trained), draw_degree_errors(errors, **trained),
            draw_law_errors(tests, 1.1), draw_law_functions(functions),
        ]  # fmt: skip
        look_at(figures)
