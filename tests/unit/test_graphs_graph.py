"""Graphs as sorted edge arrays."""

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import Graph, build_graph, from_matrix, from_networkx, to_networkx
from nodeflow.graphs.measures import graph_table, node_table


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    n = draw(st.integers(1, 12))
    pairs = [(u, v) for u in range(n) for v in range(u + 1, n)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    turned = [draw(st.sampled_from([(u, v), (v, u)])) for u, v in chosen]
    return build_graph(n, turned, kappa=np.arange(1.0, n + 1), x=np.arange(n) / n)


@given(graphs())
def test_edges_are_sorted_unique_and_low_to_high(graph: Graph) -> None:
    edges = [tuple(edge) for edge in graph.edges.tolist()]
    assert graph.edges.dtype == np.int32
    assert graph.edges.shape == (len(edges), 2)
    assert edges == sorted(set(edges))
    assert all(0 <= u < v < graph.n for u, v in edges)


@given(graphs())
def test_degrees_and_adjacency_agree_with_networkx(graph: Graph) -> None:
    other = to_networkx(graph)
    assert graph.degrees.sum() == 2 * len(graph.edges)
    assert graph.degrees.tolist() == [k for _, k in other.degree()]
    expected = nx.to_numpy_array(other)
    assert np.array_equal(graph.adjacency().toarray(), expected)
    assert graph.adjacency(np.float32).dtype == np.float32
    assert graph.adjacency().has_sorted_indices


@given(graphs(), st.randoms(use_true_random=False))
def test_subgraph_agrees_with_networkx(graph: Graph, random: object) -> None:
    kept = list(range(graph.n))
    random.shuffle(kept)  # type: ignore[attr-defined]
    kept = kept[: max(1, graph.n // 2)]
    part = graph.subgraph(kept)
    expected = to_networkx(graph).subgraph(kept)
    named = {frozenset((kept[u], kept[v])) for u, v in part.edges.tolist()}
    assert named == {frozenset(edge) for edge in expected.edges}
    assert part.kappa is not None and graph.kappa is not None
    assert part.kappa.tolist() == graph.kappa[kept].tolist()


@given(graphs())
def test_networkx_round_trip(graph: Graph) -> None:
    back = from_networkx(to_networkx(graph))
    assert back.n == graph.n
    assert np.array_equal(back.edges, graph.edges)
    assert to_networkx(graph).nodes[0]["kappa"] == 1.0


@pytest.mark.parametrize(
    ("n", "edges", "text"),
    [
        (3, [(0, 1), (2, 2)], "self-loop"),
        (3, [(0, 1), (1, 0)], "more than once"),
        (3, [(0, 1), (0, 2), (0, 1)], "more than once"),
        (3, [(0, 3)], "0 … 2"),
        (3, [(-1, 2)], "0 … 2"),
        (0, [], "1 to"),
        (3, [(0.0, 1.0)], "integer"),
        (3, [(0, 1, 2)], "shape"),
    ],
)
def test_bad_edges_are_refused(n: int, edges: list[tuple[float, ...]], text: str) -> None:
    with pytest.raises(GraphProblem, match=text):
        build_graph(n, edges)


@pytest.mark.parametrize(
    ("kappa", "x", "text"),
    [
        ([1.0, np.nan], None, "kappa of node 1"),
        ([0.0, 1.0], None, "kappa of node 0"),
        ([1.0, np.inf], None, "kappa of node 1"),
        (None, [0.5, 1.0], "x of node 1"),
        ([1.0], None, "one value for each"),
    ],
)
def test_bad_coordinates_are_refused(
    kappa: list[float] | None, x: list[float] | None, text: str
) -> None:
    with pytest.raises(GraphProblem, match=text):
        build_graph(2, [(0, 1)], kappa, x)


def test_bad_subgraphs_and_directed_graphs_are_refused() -> None:
    graph = build_graph(3, [(0, 1)])
    for nodes in ([0, 0], [3], [-1], []):
        with pytest.raises(GraphProblem):
            graph.subgraph(nodes)
    with pytest.raises(GraphProblem, match="directed=True"):
        from_networkx(nx.DiGraph([(0, 1)]))
    with pytest.raises(GraphProblem, match="self-loop"):
        from_networkx(nx.Graph([(0, 0)]))
    with pytest.raises(GraphProblem, match="a networkx graph, not ndarray"):
        from_networkx(np.eye(3))  # type: ignore[arg-type]


def test_messages_name_the_nodes_as_the_user_does_and_the_cure_works() -> None:
    graph: Any = nx.MultiGraph([("Ana", "Bo"), ("Bo", "Cy"), ("Cy", "Bo"), ("Cy", "Cy")])
    with pytest.raises(GraphProblem, match=r"(?s)'Bo'.*'Cy'.*networkx\.Graph\(graph\)"):
        from_networkx(graph)
    graph = nx.Graph(graph)
    with pytest.raises(GraphProblem, match=r"'Cy'.*selfloop_edges"):
        from_networkx(graph)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    assert from_networkx(graph).edges.tolist() == [[0, 1], [1, 2]]
    directed: Any = nx.DiGraph([("Ana", "Bo"), ("Bo", "Ana")])
    with pytest.raises(GraphProblem, match="to_undirected"):
        from_networkx(directed)
    assert from_networkx(directed.to_undirected()).edges.tolist() == [[0, 1]]


@pytest.mark.parametrize("value", [0.5, -1, np.float32(2), "3"])
def test_weights_of_networkx_are_used(value: object) -> None:
    graph: Any = nx.Graph([("Bo", "Ana"), ("Bo", "Cy")])
    with pytest.raises(GraphProblem, match=r"'Bo' and 'Ana' has no weight; .*weight=None"):
        graph["Bo"]["Cy"]["weight"] = value
        from_networkx(graph)
    graph["Bo"]["Ana"]["weight"] = 7
    weights = from_networkx(graph).adjacency().toarray()
    assert weights.tolist() == [[0, 7, float(value)], [7, 0, 0], [float(value), 0, 0]]  # type: ignore[arg-type]
    assert from_networkx(graph, weight=None).weights is None


@pytest.mark.parametrize("name", ["Weight", "value"])
def test_weights_of_another_name_are_never_dropped_unasked(name: str) -> None:
    graph = nx.Graph([("Ana", "Bo"), ("Bo", "Cy")])
    nx.set_edge_attributes(graph, dict.fromkeys(graph.edges, 2.0), name)
    with pytest.raises(GraphProblem, match=rf"'Ana' and 'Bo' has {name} = 2.0; pass weight="):
        from_networkx(graph)
    weights = from_networkx(graph, weight=name).weights
    assert weights is not None
    assert weights.tolist() == [2, 2]
    nx.set_edge_attributes(graph, dict.fromkeys(graph.edges, 1), name)
    assert from_networkx(graph).weights is None


@pytest.mark.parametrize("value", [0, np.nan, np.inf, "strong", None])
def test_weights_of_networkx_that_are_none_are_refused(value: object) -> None:
    graph = nx.Graph([("Ana", "Bo")])
    graph["Ana"]["Bo"]["weight"] = value
    with pytest.raises(GraphProblem, match=r"'Ana'.*'Bo'.* has .*weight"):
        from_networkx(graph)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_matrices_and_networkx_say_the_same(seed: int, directed: bool, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    matrix = (rng.random((6, 6)) < 0.4) * (rng.normal(size=(6, 6)) if weighted else 1.0)
    np.fill_diagonal(matrix, 0)
    if not directed:
        matrix = np.triu(matrix) + np.triu(matrix).T
    names = list("abcdef")
    found = from_matrix(matrix, names)
    np.testing.assert_array_equal(found.adjacency().toarray(), matrix)
    np.testing.assert_array_equal(from_matrix(sp.csr_matrix(matrix)).edges, found.edges)
    again = from_networkx(to_networkx(found), directed=True)
    np.testing.assert_array_equal(again.adjacency().toarray(), matrix)
    assert again.names == found.names


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)), "square"),
        (np.eye(2), "self-loop"),
        ([[0, np.nan], [np.nan, 0]], "weight nan"),
        ([["a", "b"], ["c", "d"]], "holds numbers"),
        (nx.path_graph(3), "from_networkx"),
        (pd.DataFrame([[0, 1], [1, 0]]), r"to_numpy\(\)"),
        ([[0, 1j], [1j, 0]], "complex"),
    ],
)
@pytest.mark.parametrize("names", [None, ("a", "b")])
def test_matrices_that_are_no_graph_are_one_sentence(
    matrix: object, message: str, names: tuple[str, ...] | None
) -> None:
    with pytest.raises(GraphProblem, match=message):
        from_matrix(matrix, names)


def test_unit_weights_and_other_attributes_do_not_matter() -> None:
    graph: Any = nx.Graph()
    graph.add_edge("a", "b", weight=1.0, colour="red", id=7)
    graph.add_edge("b", "c", weight="1")
    assert from_networkx(graph).edges.tolist() == [[0, 1], [1, 2]]


def test_one_graph_instead_of_a_list_is_a_sentence() -> None:
    graph = build_graph(2, [(0, 1)])
    for make in (node_table, graph_table):
        with pytest.raises(GraphProblem, match=r"\[graph\]"):
            make(graph)  # type: ignore[arg-type]
        with pytest.raises(GraphProblem, match="Graph 1 of the list is Graph"):
            make([graph, nx.Graph([(0, 1)])])  # type: ignore[list-item]
