"""What series cannot tell does not depend on the unit of states or weights."""

import numpy as np
import pytest

from nodeflow import graphs
from nodeflow.data.limits import limits, receives, same_strength
from nodeflow.data.series import Run, Series

UNITS = [1e-12, 1.0, 1e9]


def series(states: np.ndarray, graph: graphs.Graph) -> Series:
    return Series(graph.labels, (Run("a", np.arange(len(states), dtype=float), states),))


def ring(unit: float, *others: tuple[int, int, float]) -> graphs.Graph:
    matrix = unit * (np.roll(np.eye(6), 1, axis=1) + np.roll(np.eye(6), -1, axis=1))
    for i, j, weight in others:
        matrix[i, j] += unit * weight
    return graphs.from_matrix(matrix)


@pytest.mark.parametrize("unit", UNITS)
def test_equal_strengths_are_seen_in_every_unit_of_weights(unit: float) -> None:
    assert same_strength(ring(unit)) == pytest.approx(2 * unit)
    assert same_strength(ring(unit, (0, 2, 0.01))) is None
    assert receives(ring(unit, (0, 2, 0.01)), 2 * unit).tolist() == [False] + [True] * 5
    # Weights that cancel out leave nothing, but for rounding.
    cancelled = ring(unit, *((i, (i + 2) % 6, -2.0) for i in range(6)))
    assert same_strength(cancelled) == pytest.approx(0.0, abs=1e-12 * unit)


@pytest.mark.parametrize("unit", UNITS)
def test_one_state_of_all_nodes_is_seen_in_every_unit_of_states(unit: float) -> None:
    graph = ring(1.0, (0, 2, 0.5))
    same = unit * np.repeat(np.arange(1.0, 42.0)[:, None], 6, axis=1)
    same[1, 3] = np.nan
    [note] = limits(graph, series(same, graph))
    assert "always in the same state" in note.text
    assert not [*limits(graph, series(same * np.linspace(1, 1.1, 6), graph))]


def test_few_times_are_said_whatever_runs_they_are_of() -> None:
    graph, states = ring(1.0, (0, 2, 0.5)), np.arange(246, dtype=float).reshape(41, 6) ** 1.5
    assert not [*limits(graph, series(states, graph))]
    [note] = limits(graph, series(states[:40], graph))
    assert note.topic == "few observations" and note.text.startswith("There are only 40 times")
    two = Series(graph.labels, 2 * series(states[:20], graph).runs)
    assert [note.text for note in limits(graph, two)] == [note.text]


def test_what_limits_is_that_of_the_nodes_with_a_series() -> None:
    # Without node 5 nothing is left of a star around it.
    star = graphs.build_graph(6, [(k, 5) for k in range(5)])
    states = np.arange(246, dtype=float).reshape(41, 6)
    states[:, 5] = np.nan
    states[:, 4] = 3.0
    notes = {note.topic: note for note in limits(star, series(states, star))}
    assert [*notes] == ["unobserved nodes", "interaction", "constant series"]
    assert "no series of node 5" in notes["unobserved nodes"].text
    assert "of the observed nodes has no edges" in notes["interaction"].text
    assert "never change of node 4;" in notes["constant series"].text
    assert [note.limits for note in notes.values()] == [True, True, False]
