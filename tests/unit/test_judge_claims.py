"""Bootstrap over graphs and models, verdicts, and receiver curves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from nodeflow.judge.bootstrap import crossed_medians, interval, median_band
from nodeflow.judge.claims import verdict
from nodeflow.judge.warning import receiver_curve


def runs(matrix: np.ndarray, failed: float = 0.0) -> pd.DataFrame:
    models, graphs = matrix.shape
    table = pd.DataFrame(
        {
            "replicate": np.repeat(np.arange(models), graphs),
            "graph": np.tile(np.arange(graphs), models),
            "mae": matrix.ravel(),
            "status": "ok",
        }
    )
    table.loc[: int(failed * len(table)) - 1, ["status", "mae"]] = ["failed", np.nan]
    return table


def test_the_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        effects = rng.normal(0, 0.3, (6, 1)) + rng.normal(0, 1, (1, 20))
        low, high = interval(crossed_medians(runs(effects), "mae", rng))[1:]
        covered += low <= 0 <= high
    assert covered >= 50


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
