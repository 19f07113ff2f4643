"""Measures of graphs against networkx and against graphs whose values are known."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeflow.graphs.graph import Graph, build_graph, from_networkx, to_networkx
from nodeflow.graphs.measures import (
    assortativity,
    giant_component,
    graph_table,
    local_clustering,
    node_table,
    triangles,
)
from nodeflow.graphs.schemas import GRAPHS, NODES


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    n = draw(st.integers(1, 30))
    share = draw(st.sampled_from([0.0, 0.05, 0.2, 0.6, 1.0]))
    return from_networkx(nx.gnp_random_graph(n, share, seed=draw(st.integers(0, 10**6))))


@settings(max_examples=60, deadline=None)
@given(graph=graphs())
def test_nodes_agree_with_networkx(graph: Graph) -> None:
    other = to_networkx(graph)
    corners, shares = nx.triangles(other), nx.clustering(other)
    assert isinstance(corners, dict)
    assert isinstance(shares, dict)
    np.testing.assert_array_equal(triangles(graph), list(corners.values()))
    expected = np.array(list(shares.values()), dtype=np.float64)
    expected[graph.degrees < 2] = np.nan
    np.testing.assert_allclose(local_clustering(graph), expected)
    largest = max(len(part) for part in nx.connected_components(other))
    giant = giant_component(graph)
    assert giant.sum() == largest
    assert nx.is_connected(other.subgraph(np.flatnonzero(giant).tolist()))


@settings(max_examples=40, deadline=None)
@given(graph=graphs())
def test_graphs_agree_with_networkx(graph: Graph) -> None:
    row = graph_table([graph]).iloc[0]
    degrees = graph.degrees
    assert row["nodes"] == graph.n
    assert row["edges"] == len(graph.edges)
    assert row["mean_degree"] == pytest.approx(2 * len(graph.edges) / graph.n)
    assert row["k_max"] == degrees.max()
    assert row["isolated_share"] == pytest.approx(np.mean(degrees == 0))
    if len(graph.edges):
        assert row["heterogeneity"] == pytest.approx((degrees**2).mean() / degrees.mean())
    else:
        assert math.isnan(row["heterogeneity"])
        assert math.isnan(row["assortativity"])
    ends = degrees[graph.edges]
    if len(np.unique(ends)) > 1:
        expected = nx.degree_pearson_correlation_coefficient(to_networkx(graph))
        assert assortativity(graph) == pytest.approx(expected, abs=1e-9)


def test_known_graphs() -> None:
    whole = build_graph(6, [(u, v) for u in range(6) for v in range(u)])
    np.testing.assert_array_equal(triangles(whole), np.full(6, 10))
    np.testing.assert_array_equal(local_clustering(whole), np.ones(6))
    assert math.isnan(assortativity(whole)), "all degrees are equal"
    star = build_graph(9, [(0, v) for v in range(1, 8)])
    assert assortativity(star) == pytest.approx(-1.0)
    assert local_clustering(star)[0] == 0.0
    assert np.isnan(local_clustering(star)[1:]).all()
    np.testing.assert_array_equal(giant_component(star), np.arange(9) < 8)


def test_tables_have_their_columns_and_a_row_for_every_node() -> None:
    some = [
        build_graph(4, [(0, 1)], kappa=[1.0, 2, 3, 4], x=[0.1, 0.2, 0.3, 0.4]),
        build_graph(1, []),
    ]
    nodes, whole = node_table(some), graph_table(some)
    assert list(nodes.columns) == list(NODES.columns)
    assert list(whole.columns) == list(GRAPHS.columns)
    assert nodes.groupby("graph").size().tolist() == [4, 1]
    assert nodes["kappa"].tolist()[:4] == [1.0, 2.0, 3.0, 4.0]
    assert math.isnan(nodes["kappa"].iloc[4])
    assert list(node_table([]).columns) == list(NODES.columns)
