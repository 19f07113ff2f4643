"""Directions and weights: A_ij is what j does to i, everywhere."""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from nodeflow import dynamics, graphs
from nodeflow.graphs.measures import assortativity, triangles


def directed(seed: int, n: int = 9, share: float = 0.4) -> graphs.Graph:
    """A random directed graph with positive and negative weights, its edges in random order."""
    rng = np.random.default_rng(seed)
    pairs = np.array(list(nx.gnp_random_graph(n, share, seed=seed, directed=True).edges))
    pairs = rng.permutation(pairs.reshape(-1, 2))
    weights = rng.normal(size=len(pairs)) + 0.1
    return graphs.build_graph(n, pairs, weights=weights, directed=True)


def dense(graph: graphs.Graph) -> NDArray[np.float64]:
    """A written out from its definition."""
    matrix = np.zeros((graph.n, graph.n))
    weights = np.ones(len(graph.edges)) if graph.weights is None else graph.weights
    for (j, i), weight in zip(graph.edges, weights, strict=True):
        matrix[i, j] = weight
        if not graph.directed:
            matrix[j, i] = weight
    return matrix


@given(st.integers(0, 10_000))
def test_a_row_of_edges_says_who_acts_on_whom(seed: int) -> None:
    graph = directed(seed)
    np.testing.assert_array_equal(graph.adjacency().toarray(), dense(graph))
    np.testing.assert_array_equal(graph.degrees, np.count_nonzero(dense(graph), axis=1))


@given(st.integers(0, 10_000))
def test_the_order_of_edges_does_not_matter_and_weights_go_with_them(seed: int) -> None:
    graph = directed(seed)
    order = np.random.default_rng(seed + 1).permutation(len(graph.edges))
    weights = graph.weights
    assert weights is not None
    again = graphs.build_graph(9, graph.edges[order], weights=weights[order], directed=True)
    np.testing.assert_array_equal(again.edges, graph.edges)
    np.testing.assert_array_equal(again.weights, weights)
    flipped = graphs.build_graph(9, np.array([[4, 1], [0, 2], [3, 0]]), weights=[1.5, 2.5, 3.5])
    assert flipped.edges.tolist() == [[0, 2], [0, 3], [1, 4]]
    assert flipped.weights is not None
    assert flipped.weights.tolist() == [2.5, 3.5, 1.5]


def test_networkx_and_back_is_the_same_graph() -> None:
    graph = graphs.build_graph(
        3, [(0, 1), (1, 0), (1, 2)], weights=[2.0, -1.0, 0.5], directed=True, names=["a", "b", "c"]
    )
    there = graphs.to_networkx(graph)
    assert there.is_directed()
    assert there["b"]["a"]["weight"] == -1
    matrix = nx.to_numpy_array(there, nodelist=["a", "b", "c"]).T
    np.testing.assert_array_equal(graph.adjacency().toarray(), matrix)


def test_a_part_keeps_directions_weights_and_names() -> None:
    graph = directed(3)
    named = graphs.build_graph(
        graph.n, graph.edges, weights=graph.weights, directed=True, names=list("abcdefghi")
    )
    part = named.subgraph([5, 0, 7])
    np.testing.assert_array_equal(
        part.adjacency().toarray(), dense(graph)[np.ix_([5, 0, 7], [5, 0, 7])]
    )
    assert part.names == ("f", "a", "h")


@pytest.mark.parametrize("system", ["SIS", "MM"])
def test_simulations_follow_directions_and_weights(system: str) -> None:
    rng = np.random.default_rng(0)
    some = [
        graphs.build_graph(g.n, g.edges, weights=np.abs(g.weights), directed=True)
        for g in (directed(1), directed(2, 5, 0.6))
        if g.weights is not None
    ] + [graphs.build_graph(4, [(0, 1), (1, 2), (2, 3)])]
    starts = [rng.uniform(0, 0.5, (2, graph.n)) for graph in some]
    times = np.linspace(0, 1, 5)
    field = dynamics.field(system)
    together = dynamics.simulate_graphs(field, some, starts, times)
    for graph, found, start in zip(some, together, starts, strict=True):
        alone = dynamics.simulate(field, graph.adjacency(), start, times)
        np.testing.assert_array_equal(found.states, alone.states)
        matrix = dense(graph)

        def velocity(_: float, x: Any, matrix: NDArray[np.float64] = matrix) -> Any:
            return field.f(x) + field.h_ego(x) * (matrix @ field.h_alt(x))

        true = solve_ivp(velocity, (0, 1), start[0], t_eval=times, rtol=1e-10, atol=1e-12).y.T
        np.testing.assert_allclose(found.states[0], true, atol=1e-5)


def test_what_is_defined_for_simple_graphs_refuses_others_with_the_cure() -> None:
    weighted = graphs.build_graph(3, [(0, 1), (1, 2)], weights=[2.0, 3.0])
    for graph in (directed(0), weighted):
        for function in (triangles, assortativity, lambda g: graphs.graph_table([g])):
            with pytest.raises(graphs.GraphProblem, match="skeleton"):
                function(graph)
        with pytest.raises(graphs.GraphProblem, match="skeleton"):
            graphs.rewire(graph, np.random.default_rng(0))
    plain = directed(0).skeleton()
    links = dense(directed(0)) != 0
    np.testing.assert_array_equal(plain.adjacency().toarray(), links | links.T)
    assert weighted.skeleton().weights is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": [1.0, np.nan]}, r"\('b', 'c'\) has the weight nan"),
        ({"weights": [0.0, 1.0]}, r"\('a', 'b'\) has the weight 0"),
        ({"weights": [1.0]}, "2 edges need as many weights"),
        ({"weights": ["strong", "weak"]}, "Weights are numbers"),
        ({"names": ["a", "b"]}, "3 nodes need 3 names"),
        ({"names": ["a", "b", "a"]}, "Two nodes have the name 'a'"),
    ],
)
def test_bad_weights_and_names_are_one_sentence(options: dict[str, Any], message: str) -> None:
    with pytest.raises(graphs.GraphProblem, match=message):
        graphs.build_graph(3, [(0, 1), (1, 2)], **{"names": ["a", "b", "c"], **options})


def test_repeated_edges_and_loops_are_named_as_the_user_knows_them() -> None:
    for pairs, message in (([(0, 1), (0, 1)], "'a', 'b'"), ([(1, 1)], "'b', 'b'")):
        with pytest.raises(graphs.GraphProblem, match=message):
            graphs.build_graph(2, pairs, directed=True, names=["a", "b"])
    both = graphs.build_graph(2, [(0, 1), (1, 0)], directed=True)
    assert len(both.edges) == 2
    assert graphs.build_graph(2, [(0, 1)], weights=[1.0]).weights is None


def test_directions_are_kept_where_an_undirected_network_cannot_be_meant(tmp_path: Path) -> None:
    """Weights that differ both ways in a file, and any weights of a directed networkx graph."""
    path = tmp_path / "edges.csv"
    path.write_text("source,target,weight\nAna,Bo,2\nBo,Ana,3\nBo,Cy,1\n")
    expected = [[0, 3, 0], [2, 0, 0], [0, 1, 0]]
    for read in (graphs.read_edge_list, graphs.read_network):
        assert read(path).adjacency().toarray().tolist() == expected
        with pytest.raises(graphs.EdgeListProblem, match="line 3: edge Ana-Bo is already on"):
            read(path, directed=False)
    table = pd.read_csv(path)
    graph = nx.from_pandas_edgelist(table, edge_attr="weight", create_using=nx.DiGraph)
    assert graphs.from_networkx(graph).adjacency().toarray().tolist() == expected
    options: list[dict[str, Any]] = [{"directed": False}, {"weight": None}]
    for option in options:
        with pytest.raises(graphs.GraphProblem, match="to_undirected"):
            graphs.from_networkx(graph, **option)
    with pytest.raises(graphs.GraphProblem, match="to_undirected"):
        graphs.from_networkx(nx.DiGraph([("Ana", "Bo"), ("Bo", "Ana")]))
    path.write_text("source,target,weight\nAna,Bo,2\nBo,Ana,2\n")
    with pytest.raises(graphs.EdgeListProblem, match="already on line 2"):
        graphs.read_edge_list(path)
