"""Calibration: the expected mean degree of the drawn coordinates is k̄."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nodeflow.graphs import geometric
from nodeflow.graphs.calibration import first_c, solve_c
from nodeflow.graphs.cells import build_tree
from nodeflow.graphs.exact import calibrate_exactly, exact_mean_degree
from nodeflow.graphs.s1 import (
    S1Problem,
    asymptotic_c,
    draw_hidden_degrees,
    draw_positions,
)
from tests.unit.connection import connection_probability, ring_distance

Coordinates = tuple[np.ndarray, np.ndarray]


def coordinates(n: int, gamma: float, mean_degree: float = 10.0, seed: int = 3) -> Coordinates:
    rng = np.random.default_rng([n, round(10 * gamma), seed])
    return draw_hidden_degrees(n, gamma, mean_degree, rng), draw_positions(n, rng)


def mean_degree_by_numpy(kappa: np.ndarray, x: np.ndarray, beta: float, c: float) -> float:
    """Independent of the compiled loops: the formula on the whole matrix."""
    p = connection_probability(
        ring_distance(x[:, None], x), kappa[:, None], kappa, n=len(x), beta=beta, c=c
    )
    return float((p.sum() - np.trace(p)) / len(x))


@pytest.mark.parametrize("n", [12, 64, 512])
@pytest.mark.parametrize("beta", [0.1, 0.6, 1.0, 1.1, 2.6, 4.1])
@pytest.mark.parametrize("gamma", [2.1, 3.0, 3.9])
def test_both_calibrations_give_the_mean_degree(n: int, beta: float, gamma: float) -> None:
    kappa, x = coordinates(n, gamma)
    c = calibrate_exactly(kappa, x, beta, 10.0)
    assert mean_degree_by_numpy(kappa, x, beta, c) == pytest.approx(10, rel=1e-8)
    fast = geometric.calibrate(build_tree(kappa, x, beta), 10.0)
    achieved = mean_degree_by_numpy(kappa, x, beta, fast)
    assert achieved == pytest.approx(10, rel=geometric.TOLERANCE)


@pytest.mark.parametrize("beta", [0.1, 0.6, 1.0, 1.1, 1.6, 2.6, 4.1, 9.0])
def test_fast_calibration_keeps_its_tolerance_when_cells_stand_for_pairs(beta: float) -> None:
    for gamma in (2.1, 3.9):
        kappa, x = coordinates(5000, gamma)
        c = geometric.calibrate(build_tree(kappa, x, beta), 10.0)
        achieved, _ = exact_mean_degree(kappa, x, beta, c)
        assert achieved == pytest.approx(10, rel=geometric.TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.1, 0.6, 1.1, 1.6, 2.1, 2.6, 3.1, 3.6, 4.1])
@pytest.mark.parametrize("gamma", [2.1, 2.4, 2.7, 3.0, 3.3, 3.6, 3.9])
def test_fast_calibration_keeps_its_tolerance_on_the_whole_grid(beta: float, gamma: float) -> None:
    for n in (64, 1024, 8192):
        kappa, x = coordinates(n, gamma)
        c = geometric.calibrate(build_tree(kappa, x, beta), 10.0)
        achieved, _ = exact_mean_degree(kappa, x, beta, c)
        assert achieved == pytest.approx(10, rel=geometric.TOLERANCE)


@pytest.mark.parametrize("beta", [0.1, 0.6, 1.0, 1.1, 2.6, 4.1])
@pytest.mark.parametrize("gamma", [2.1, 3.9])
def test_the_search_starts_near_its_end(beta: float, gamma: float) -> None:
    kappa, x = coordinates(4000, gamma)
    achieved, _ = exact_mean_degree(kappa, x, beta, first_c(np.log(kappa), beta, 10.0))
    assert achieved == pytest.approx(10, rel=0.02)


def test_a_tree_that_lost_a_cell_is_not_calibrated() -> None:
    kappa, x = coordinates(512, 3.0)
    tree = build_tree(kappa, x, 2.1)
    leaf = int(np.argmax((tree.cells["child"] < 0) & (tree.cells["stop"] > 300)))
    tree.cells["stop"][leaf] -= 1
    c = geometric.calibrate(tree, 10.0)
    achieved = mean_degree_by_numpy(kappa, x, 2.1, c)
    assert abs(achieved / 10 - 1) > 10 * geometric.TOLERANCE


def test_the_asymptotic_constant_is_far_off_at_small_size() -> None:
    values = []
    for seed in range(20):
        kappa, x = coordinates(64, 2.1, seed=seed)
        values.append(mean_degree_by_numpy(kappa, x, 1.1, asymptotic_c(64, 1.1, 10)))
    assert np.median(values) < 2


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 40),
    share=st.floats(0.01, 0.99),
    beta=st.floats(0.05, 12),
    spread=st.floats(0, 3),
    seed=st.integers(0, 10**6),
)
@example(n=11, share=0.9375, beta=3.0, spread=2.0, seed=2)
def test_any_mean_degree_within_reach_is_reached(
    n: int, share: float, beta: float, spread: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    kappa, x = np.exp(spread * rng.normal(size=n)), rng.random(n)
    goal = share * (n - 1)
    for c in (
        calibrate_exactly(kappa, x, beta, goal),
        geometric.calibrate(build_tree(kappa, x, beta), goal),
    ):
        assert mean_degree_by_numpy(kappa, x, beta, c) == pytest.approx(goal, rel=2e-5)


def test_slope_is_the_derivative() -> None:
    kappa, x = coordinates(300, 2.4)
    for beta in (0.5, 1.0, 3.0):
        c, step = 0.05, 1e-5
        above, _ = exact_mean_degree(kappa, x, beta, c * np.exp(step))
        below, _ = exact_mean_degree(kappa, x, beta, c * np.exp(-step))
        _, slope = exact_mean_degree(kappa, x, beta, c)
        assert slope == pytest.approx((above - below) / (2 * step), rel=1e-6)
        _, fast = geometric.mean_degree_at(build_tree(kappa, x, beta), c, 1e-6, 10)
        assert fast == pytest.approx(slope, rel=1e-4)


def test_shared_positions_and_equal_hidden_degrees_are_no_trouble() -> None:
    kappa, x = np.full(50, 4.0), np.repeat([0.0, 0.25, 0.5], [20, 20, 10])
    for beta in (0.5, 1.0, 3.0):
        c = calibrate_exactly(kappa, x, beta, 20.0)
        assert mean_degree_by_numpy(kappa, x, beta, c) == pytest.approx(20, rel=1e-8)
        fast = geometric.calibrate(build_tree(kappa, x, beta), 20.0)
        assert mean_degree_by_numpy(kappa, x, beta, fast) == pytest.approx(20, rel=2e-5)


@pytest.mark.parametrize("mean_degree", [9.0, 10.0, 0.0, -1.0, np.nan])
def test_mean_degrees_out_of_reach_are_refused(mean_degree: float) -> None:
    kappa, x = coordinates(10, 3.0)
    with pytest.raises(S1Problem, match="N - 1 = 9"):
        calibrate_exactly(kappa, x, 2.0, mean_degree)
    with pytest.raises(S1Problem, match="N - 1 = 9"):
        geometric.calibrate(build_tree(kappa, x, 2.0), mean_degree)


def test_a_search_that_does_not_converge_says_so() -> None:
    # All pairs share a position: every p is 1 whatever c, so no c gives a mean degree of 3.
    kappa, x = np.ones(10), np.zeros(10)
    with pytest.raises(S1Problem, match="did not converge"):
        calibrate_exactly(kappa, x, 2.0, 3.0)
    with pytest.raises(S1Problem, match="did not converge"):
        solve_c(
            lambda c, precision: (np.nan, np.nan),
            start=1.0,
            n=10,
            mean_degree=3.0,
            tolerance=1e-9,
            coarse=1e-3,
        )
