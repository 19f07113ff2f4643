import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from nodeflow.canonical.assignment import assign


def value(scores: np.ndarray, columns: np.ndarray) -> np.ndarray:
    total: np.ndarray = np.take_along_axis(scores, columns[:, :, None], 2).sum((1, 2))
    return total


def best(scores: np.ndarray) -> np.ndarray:
    return np.array([s[linear_sum_assignment(s, maximize=True)].sum() for s in scores])


def assert_optimal(scores: np.ndarray, prices: np.ndarray) -> np.ndarray:
    columns, after = assign(scores, prices)
    members, size, _ = scores.shape
    assert np.array_equal(np.sort(columns, axis=1), np.tile(np.arange(size), (members, 1)))
    assert np.allclose(value(scores, columns), best(scores), rtol=1e-12, atol=1e-12)
    # The prices prove it: no row would rather have another column than its own.
    profit = scores - after[:, None, :]
    own = np.take_along_axis(profit, columns[:, :, None], 2)
    assert (profit <= own + 1e-9 * (1 + np.abs(scores).max() + np.abs(prices).max())).all()
    return after


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 40), seed=st.integers(0, 2**20), ties=st.booleans(),
       scale=st.sampled_from([1e-6, 1.0, 1e6]))  # fmt: skip
def test_assignments_are_optimal_from_any_prices(
    size: int, seed: int, ties: bool, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    shape = (5, size, size)
    scores = rng.integers(0, 4, shape).astype(float) if ties else rng.normal(size=shape) * scale
    kept = scores.copy()
    for prices in (np.zeros((5, size)), scores.max(1), rng.normal(size=(5, size)) * scale):
        given_prices = prices.copy()
        after = assert_optimal(scores, prices)
        assert np.array_equal(prices, given_prices) and np.array_equal(scores, kept)
        assert_optimal(scores + 0.1 * scale * rng.normal(size=shape), after)


def test_each_problem_is_solved_as_if_alone() -> None:
    rng = np.random.default_rng(1)
    scores, prices = rng.normal(size=(20, 12, 12)), rng.normal(size=(20, 12))
    together, after = assign(scores, prices)
    for k in range(20):
        alone, price = assign(scores[k : k + 1], prices[k : k + 1])
        assert np.array_equal(alone[0], together[k]) and np.array_equal(price[0], after[k])


def test_no_problems_have_no_solutions() -> None:
    columns, prices = assign(np.zeros((0, 4, 4)), np.zeros((0, 4)))
    assert columns.shape == (0, 4) == prices.shape
