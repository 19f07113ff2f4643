"""Degree bins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.graphs.bins import degree_bins


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
