"""Growth of errors in every cell, and what holds over all of them."""

import numpy as np
import pandas as pd
import pytest

from nodeflow.figures.bands import failures
from nodeflow.figures.cells import draw_growth, draw_size_curves
from nodeflow.judge.bootstrap import interval
from nodeflow.judge.cell_claims import cell_claims
from nodeflow.judge.cells import cell_growth
from nodeflow.judge.claims import verdict
from nodeflow.judge.topics import topic_of

BETAS, GAMMAS, SIZES = (0.1, 1.1, 2.1, 3.1, 4.1), (2.1, 2.4, 3.0, 3.3, 3.9), (64, 512)


def planted(growth: float = 8.0, clustering: float = 1.0) -> pd.DataFrame:
    """Runs whose errors grow as planted at γ = 2.1, not at γ = 3.9, and with β as planted."""
    random = np.random.default_rng(0)
    rows = []
    for beta in BETAS:
        for gamma in GAMMAS:
            steep = growth ** ((3.9 - gamma) / 1.8) * clustering ** ((beta - 0.1) / 4)
            for size in SIZES:
                for replicate in range(3):
                    for graph in range(5):
                        error = 1e-3 * (steep if size == 512 else 1) * random.lognormal(0, 0.02)
                        rows.append((beta, gamma, size, replicate, graph, error))
    runs = pd.DataFrame(rows, columns=["beta", "gamma", "N", "replicate", "graph", "mae"])
    return runs.assign(
        trained_beta=runs["beta"], trained_gamma=runs["gamma"], system="MM", variant="plain",
        method="neural ODE", status="ok", mae_hubs=3 * runs["mae"],
        mae_mean_field=0.5 * runs["mae"], training_graph=runs["replicate"],
    )  # fmt: skip


def judged(runs: pd.DataFrame) -> pd.DataFrame:
    """Claims over cells, by their names before the comma."""
    rows = []
    for claim, statistic, draws, threshold in cell_claims(runs, np.random.default_rng(1)):
        value, low, high = interval(draws)
        told = verdict(low, high, threshold)
        assert topic_of(claim) != "Other claims"
        rows.append((claim.removesuffix(", over cells"), statistic, value, low, high, told))
    names = ["claim", "statistic", "value", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=names)


def test_growth_of_each_cell_is_the_planted_one() -> None:
    table = cell_growth(planted(8.0)).pivot(index="beta", columns="gamma", values="growth")
    assert np.allclose(table[2.1], 8.0, rtol=0.05)
    assert np.allclose(table[3.0], np.sqrt(8.0), rtol=0.05)
    assert np.allclose(table[3.9], 1.0, rtol=0.05)


def test_other_cells_methods_and_variants_do_not_count() -> None:
    runs = planted()
    strays = [
        runs.assign(trained_beta=9.9, mae=1e9), runs.assign(variant="covering", mae=1e9),
        runs.assign(method="law", mae=1e9),
    ]  # fmt: skip
    pd.testing.assert_frame_equal(cell_growth(pd.concat([runs, *strays])), cell_growth(runs))


def test_curves_of_all_cells_show_the_planted_medians() -> None:
    figure = draw_size_curves(planted(8.0))
    axis = figure.axes[0]
    assert len(figure.axes) == len(GAMMAS) and len(axis.lines) == len(BETAS)
    for line in axis.lines:
        small, large = np.asarray(line.get_ydata(), dtype=float)
        assert large / small == pytest.approx(8.0, rel=0.05)


def test_curves_are_drawn_where_cells_are_missing_and_where_all_runs_failed() -> None:
    runs = planted()
    missing = (runs["beta"] == 0.1) & (runs["gamma"] == 2.1)
    lost = runs.assign(system="BD", status="failed", mae=np.nan)
    figure = draw_size_curves(pd.concat([runs[~missing], lost], ignore_index=True))
    assert len(figure.axes) == 2 * len(GAMMAS)
    drawn = [len(np.asarray(line.get_xdata())) for line in figure.axes[0].lines]
    assert drawn == [0, *[len(SIZES)] * (len(BETAS) - 1)]


def test_a_cell_of_failed_runs_has_grown_without_bound() -> None:
    runs = planted()
    gone = (runs["beta"] == 0.1) & (runs["gamma"] == 2.1) & (runs["N"] == 512)
    runs.loc[gone, ["status", "mae"]] = "failed", np.nan
    growths = cell_growth(runs)
    assert np.isinf(growths["growth"]).sum() == 1
    found = judged(runs).set_index("statistic")
    [row] = [x for x in found.index if x.endswith("γ = 2.1") and "N = 512" in x]
    assert np.isinf(found.loc[row, "value"])
    draw_growth(runs)


def test_runs_without_a_truth_are_no_failures_of_models() -> None:
    runs = planted().assign(reason="")
    gone = (runs["beta"] == 0.1) & (runs["gamma"] == 2.1) & (runs["graph"] < 3)
    runs.loc[gone, ["status", "mae", "reason"]] = "failed", np.nan, "true system: too many steps"
    assert np.isfinite(cell_growth(runs)["growth"]).all()
    assert failures(runs) == "of the true system: MM 2.4%"
    runs.loc[gone, "reason"] = "model: too many steps"
    assert np.isinf(cell_growth(runs)["growth"]).sum() == 0  # inf over inf is unknown
    assert failures(runs) == "failed integrations: MM 2.4%"


@pytest.mark.parametrize(
    ("clustering", "told"), [(4.0, "confirmed"), (0.25, "contradicted")]
)  # fmt: skip
def test_claims_over_cells_are_those_planted(clustering: float, told: str) -> None:
    found = judged(planted(8.0, clustering))
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()
    verdicts = found.set_index("claim")["verdict"]
    assert verdicts["errors grow more where clustering is higher"] == told
    assert verdicts["errors grow more where degrees are more heterogeneous"] == "confirmed"
    assert verdicts["errors concentrate at hubs"] == "confirmed"
    assert verdicts["a neural ODE beats the mean field on large graphs"] == "contradicted"
    by_gamma = found[found["claim"] == "errors grow with size"]
    assert len(by_gamma) == len(GAMMAS)


def test_no_effect_has_the_value_one() -> None:
    found = judged(planted(8.0, 1.0)).set_index("claim")
    value = found.loc["errors grow more where clustering is higher", "value"]
    assert value == pytest.approx(1.0, abs=0.05)


def test_failed_models_lose_against_the_mean_field_and_say_nothing_on_hubs() -> None:
    runs = planted().assign(mae_mean_field=lambda x: 2 * x["mae"])
    verdicts = judged(runs).set_index("claim")["verdict"]
    assert verdicts["a neural ODE beats the mean field on large graphs"] == "confirmed"
    gone = (runs["N"] == 512) & (runs["graph"] < 3)
    runs.loc[gone, ["status", "mae", "mae_hubs"]] = "failed", np.nan, np.nan
    found = cell_growth(runs)
    assert (found["mean_field"] == 0).all()
    assert np.allclose(found["hubs"], 3.0)


def test_few_cells_are_no_sample_of_cells() -> None:
    runs = planted()
    assert judged(runs[runs["beta"] < 4]).empty
    assert not judged(runs).empty
