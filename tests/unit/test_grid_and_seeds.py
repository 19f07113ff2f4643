"""Names of cells and streams: one text per value, one stream per name."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.grid import NUMBER, Cell, cells, number, place_of
from nodeflow.seeds import derive_seed, numpy_generator, torch_generator

positive = st.floats(min_value=1e-12, max_value=1e30, allow_nan=False)


@given(N=st.integers(2, 10**7), beta=positive, gamma=positive)
def test_a_cell_survives_its_path(N: int, beta: float, gamma: float) -> None:
    cell = Cell(N, beta, gamma)
    assert Cell.from_path(f"results/x/{cell.path}/edges.parquet") == cell


@given(positive)
def test_numbers_are_exact_and_fit_the_wildcard(value: float) -> None:
    text = number(value)
    assert float(text) == value
    assert re.fullmatch(NUMBER, text)


def test_a_path_without_a_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no"):
        Cell.from_path("results/tables/runs.parquet")


@pytest.mark.parametrize(
    ("path", "name", "value", "fits"),
    [
        ("results/graphs/test/N~64/beta~1.1/gamma~2.1/edges.parquet", "N", 64, True),
        ("results/graphs/test/N~64/beta~1.1/gamma~2.1/edges.parquet", "N", 128, False),
        ("results/graphs/test/N~64/beta~1.1/gamma~2.1/edges.parquet", "beta", 1, False),
        ("results/graphs/test/N~64/beta~1.1/gamma~2.1/edges.parquet", "role", "training", False),
        ("results/trajectories/test/SIS/N~64/beta~1.1/gamma~2.1.parquet", "gamma", 2.1, True),
        ("results/trajectories/test/SIS/N~64/beta~1.1/gamma~2.1.parquet", "gamma", 2.0, False),
        ("results/trajectories/test/SIS/N~64/beta~1.1/gamma~2.1.parquet", "system", "BD", False),
        ("results/trajectories/test/SIS/N~64/beta~1.1/gamma~2.1.parquet", "system", None, False),
        ("results/neural_ode/noise/SIS/noise~0.05.parquet", "variant", "noise~0.05", True),
        ("results/neural_ode/noise/SIS/noise~0.05.parquet", "variant", "plain", False),
        ("results/neural_ode/noise/SIS/noise~0.05.parquet", "trained_beta", 1.1, True),
        ("results/neural_ode/hidden/SIS/trained_beta~1.1.parquet", "variant", "plain", True),
        ("/home/test/results/zoo/iris/raw/block~1.metrics.parquet", "role", "training", True),
        ("/home/test/results/zoo/iris/raw/block~1.metrics.parquet", "block", 0, False),
        ("/home/test/results/zoo/iris/raw/block~1.metrics.parquet", "alignment", "aligned", False),
        ("/home/test/results/zoo/iris/raw/block~1.metrics.parquet", "data", "digits", True),
    ],
)  # fmt: skip
def test_a_path_and_a_value_fit_or_do_not(path: str, name: str, value: object, fits: bool) -> None:
    assert (place_of(path, name, value) is None) == fits


def test_the_grid_is_a_product_without_repeats() -> None:
    grid = cells([64, 128, 64], [1.1, 2.1], [3, 3.0])
    assert len(grid) == 4
    assert grid == sorted(grid)


def test_seeds_are_golden() -> None:
    # These numbers are the contract: if they change, every stored result changes meaning.
    assert derive_seed(2026, "graph", "test", 64, 2.1, 3.0, 0) == 7179353794956422918
    assert numpy_generator(1, "a").integers(0, 1000, 3).tolist() == [443, 302, 545]


def test_streams_differ_in_every_label() -> None:
    base = ("graph", "test", 64, 2.1, 3.0, 0)
    others = [
        ("initial", *base[1:]),
        ("graph", "training", *base[2:]),
        ("graph", "test", 65, 2.1, 3.0, 0),
        ("graph", "test", 64, 3.0, 2.1, 0),
        ("graph", "test", 64, 2.1, 3.0, 1),
        ("graph", "test64", 2.1, 3.0, 0),
    ]
    seeds = {derive_seed(1, *labels) for labels in [base, *others]}  # type: ignore[arg-type]
    assert len(seeds) == len(others) + 1
    assert derive_seed(1, "a") != derive_seed(2, "a")


def test_streams_are_uncorrelated() -> None:
    draws = np.array([numpy_generator(7, "test", i).standard_normal(2000) for i in range(20)])
    correlation = np.corrcoef(draws) - np.eye(20)
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)


def test_torch_streams_repeat() -> None:
    import torch

    first, second = (torch.rand(5, generator=torch_generator(3, "x", 1)) for _ in range(2))
    assert torch.equal(first, second)
