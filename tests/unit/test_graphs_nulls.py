"""Null models keep what they promise and nothing else, and draw uniformly."""

import itertools
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.graph import Graph, build_graph, from_networkx
from nodeflow.graphs.measures import graph_table
from nodeflow.graphs.nulls import erdos_renyi, rewire
from nodeflow.grid import Cell


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 40), share=st.floats(0, 1), seed=st.integers(0, 10**6))
def test_degrees_and_density_are_kept(n: int, share: float, seed: int) -> None:
    graph = from_networkx(nx.gnp_random_graph(n, share, seed=seed))
    rng = np.random.default_rng(seed)
    np.testing.assert_array_equal(rewire(graph, rng).degrees, graph.degrees)
    random = erdos_renyi(graph, rng)
    assert (random.n, len(random.edges)) == (graph.n, len(graph.edges))


def graphs_with(degrees: list[int]) -> list[frozenset[tuple[int, int]]]:
    """All simple graphs with these degrees, by looking at every set of edges."""
    n, m = len(degrees), sum(degrees) // 2
    pairs = list(itertools.combinations(range(n), 2))
    return [
        frozenset(edges)
        for edges in itertools.combinations(pairs, m)
        if Counter(itertools.chain(*edges)) == Counter(dict(enumerate(degrees)))
    ]


def drawn(graphs: list[Graph]) -> Counter[frozenset[tuple[int, int]]]:
    return Counter(frozenset((int(u), int(v)) for u, v in graph.edges) for graph in graphs)


def test_rewiring_reaches_every_graph_equally_often() -> None:
    # A chain of switches needs refused ones to stay: with them left out this test fails.
    path = build_graph(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 2)])
    possible = graphs_with(path.degrees.tolist())
    rng = np.random.default_rng(1)
    counts = drawn([rewire(path, rng, attempts_per_edge=30) for _ in range(20 * len(possible))])
    assert set(counts) == set(possible)
    assert chisquare([counts[edges] for edges in possible]).pvalue > 1e-4


def test_random_graphs_are_drawn_equally_often() -> None:
    triangle = build_graph(5, [(0, 1), (1, 2), (0, 2)])
    rng = np.random.default_rng(2)
    counts = drawn([erdos_renyi(triangle, rng) for _ in range(6000)])
    assert len(counts) == 120
    assert chisquare(list(counts.values())).pvalue > 1e-4


def test_rewiring_destroys_clustering_and_spares_heterogeneity() -> None:
    graph = sample_cell(Cell(1000, 3.1, 3.0), mean_degree=10, role="t", graphs=1, root_seed=1)[0]
    rng = np.random.default_rng(3)
    rows = graph_table([graph, rewire(graph, rng), erdos_renyi(graph, rng)])
    assert rows["clustering"][0] > 5 * rows["clustering"][1] > 5 * rows["clustering"][2]
    assert rows["heterogeneity"][0] == rows["heterogeneity"][1] > 1.3 * rows["heterogeneity"][2]


def test_large_pair_numbers_are_exact() -> None:
    big = build_graph(200_000, [(u, u + 1) for u in range(2000)])
    random = erdos_renyi(big, np.random.default_rng(4))
    assert len(random.edges) == 2000
    assert random.edges.max() > 190_000


def test_bad_input_and_edge_cases() -> None:
    one = build_graph(3, [(0, 1)])
    np.testing.assert_array_equal(rewire(one, np.random.default_rng(0)).edges, one.edges)
    with pytest.raises(GraphProblem, match="at least 1"):
        rewire(one, np.random.default_rng(0), attempts_per_edge=0)
