"""Errors by degree."""

import numpy as np
import pandas as pd

from nodeflow.judge.degree import errors_by_degree
from nodeflow.judge.error_schemas import ERRORS_BY_DEGREE


def test_a_planted_growth_with_degree_is_found() -> None:
    generator = np.random.default_rng(2)
    degree = generator.integers(0, 2000, 20_000)
    errors = pd.DataFrame(
        {
            "degree": degree,
            "mae": 1e-3 * (1 + degree) * generator.uniform(0.5, 1.5, len(degree)),
            "mae_persistence": 2.0,
            "mae_mean_field": 1e-2 * degree,
            "outside": (degree > 500).astype(float),
            "spread": 1e-3 * degree,
        }
    )
    table = errors_by_degree(errors)
    assert table["nodes"].sum() == len(errors)
    large = table[table["degree"] > 30]
    slope = np.polyfit(np.log(large["degree"]), np.log(large["mae"]), 1)[0]
    assert abs(slope - 1) < 0.05
    assert (table["mae_low"] <= table["mae"]).all()
    assert (table["mae"] <= table["mae_high"]).all()
    assert table["mae_persistence"].eq(2).all()
    np.testing.assert_allclose(table["mae_mean_field"], 10 * table["spread"])
    assert table.loc[table["degree"] > 700, "outside"].eq(1).all()
    assert table.loc[table["degree"] < 400, "outside"].eq(0).all()


def test_no_errors_give_an_empty_table() -> None:
    columns = ("degree", "mae", "mae_persistence", "mae_mean_field", "outside", "spread")
    empty = pd.DataFrame({name: [] for name in columns})
    assert list(errors_by_degree(empty).columns) == list(ERRORS_BY_DEGREE.columns)[3:]
