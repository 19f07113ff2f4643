"""Degree bins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.graphs.bins import degree_bins, hubs


@given(st.integers(1, 10**6), st.integers(1, 12))
def test_a_centre_lies_in_its_own_bin(degree: int, per_decade: int) -> None:
    centre = degree_bins(degree, per_decade)
    assert degree / 10 ** (1 / per_decade) <= centre * (1 + 1e-9)
    assert centre <= degree * 10 ** (1 / per_decade) * (1 + 1e-9)


def test_bins_are_ordered_and_isolated_nodes_stand_apart() -> None:
    centres = degree_bins(np.arange(5000), 6)
    assert centres[0] == 0
    assert (np.diff(centres) >= 0).all()
    assert centres[1] == 1
    assert len(np.unique(centres)) < 25


@given(st.lists(st.integers(0, 50), min_size=1, max_size=1000))
def test_hubs_are_the_hundredth_with_the_highest_degrees(degrees: list[int]) -> None:
    found = hubs(degrees)
    assert len(found) == len(set(found)) == max(1, len(degrees) // 100)
    others = np.delete(degrees, found)
    assert len(others) == 0 or min(np.array(degrees)[found]) >= max(others)
    assert (np.diff(np.array(degrees)[found]) <= 0).all()


def test_equal_degrees_are_told_apart_by_number() -> None:
    assert hubs([3] * 250).tolist() == [0, 1]
    assert hubs(np.arange(8192)).tolist() == list(range(8191, 8110, -1))  # ⌊81.92⌋ of them
