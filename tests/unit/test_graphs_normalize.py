"""Normalized adjacency: what acts on a node has the sum 1, whatever unit weights are in."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow import graphs


def random_graph(seed: int, *, directed: bool = True, signed: bool = True) -> graphs.Graph:
    rng = np.random.default_rng(seed)
    drawn = nx.gnp_random_graph(8, 0.3, seed=seed, directed=directed)
    pairs = np.array(list(drawn.edges)).reshape(-1, 2)
    weights = rng.lognormal(size=len(pairs)) * (rng.choice([-1, 1], len(pairs)) if signed else 1)
    return graphs.build_graph(8, pairs, weights=weights, directed=directed)


@given(st.integers(0, 10_000))
def test_in_rows_what_acts_on_a_node_sums_to_one(seed: int) -> None:
    graph = random_graph(seed)
    matrix = graphs.normalized_adjacency(graph, "row").toarray()
    sums = np.abs(matrix).sum(axis=1)
    np.testing.assert_allclose(sums[graph.degrees > 0], 1)
    assert (sums[graph.degrees == 0] == 0).all()
    np.testing.assert_array_equal(np.sign(matrix), np.sign(graph.adjacency().toarray()))


@given(st.integers(0, 10_000))
def test_symmetric_is_symmetric_with_eigenvalues_up_to_one(seed: int) -> None:
    graph = random_graph(seed, directed=False, signed=False)
    matrix = graphs.normalized_adjacency(graph, "symmetric").toarray()
    np.testing.assert_allclose(matrix, matrix.T)
    values = np.linalg.eigvalsh(matrix)
    assert len(graph.edges) == 0 or np.isclose(values.max(), 1)
    assert values.min() >= -1 - 1e-12


@given(st.integers(0, 10_000), st.sampled_from(["row", "symmetric"]))
def test_the_unit_of_weights_does_not_count(seed: int, how: str) -> None:
    graph = random_graph(seed)
    assert graph.weights is not None
    scaled = graphs.build_graph(8, graph.edges, weights=4 * graph.weights, directed=True)
    a, b = (graphs.normalized_adjacency(x, how).toarray() for x in (graph, scaled))
    np.testing.assert_allclose(a, b, rtol=1e-14)


def test_a_directed_edge_is_divided_by_the_strengths_of_its_two_ends() -> None:
    graph = graphs.build_graph(3, [(0, 2), (1, 2), (0, 1)], weights=[1.0, 3.0, -2.0], directed=True)
    row = graphs.normalized_adjacency(graph, "row").toarray()
    expected = [[0.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.25, 0.75, 0.0]]
    np.testing.assert_allclose(row, expected)
    both = graphs.normalized_adjacency(graph, "symmetric").toarray()
    np.testing.assert_allclose(both[2], [1 / np.sqrt(4 * 3), 3 / np.sqrt(4 * 3), 0])
    np.testing.assert_array_equal(
        graphs.normalized_adjacency(graph).toarray(), graph.adjacency().toarray()
    )


def test_another_normalization_is_refused() -> None:
    with pytest.raises(graphs.GraphProblem, match="allowed are none, row, symmetric"):
        graphs.normalized_adjacency(random_graph(1), "column")
