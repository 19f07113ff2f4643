"""Graphs as sorted edge arrays."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.graphs.graph import Graph, GraphProblem, build_graph, from_networkx, to_networkx
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
    with pytest.raises(GraphProblem, match="directed"):
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


@pytest.mark.parametrize("name", ["weight", "Weight", "value"])
@pytest.mark.parametrize("value", [0.5, 0, -1, np.nan, "strong", None, np.float32(2)])
def test_weights_of_networkx_are_refused_by_the_edge_and_never_dropped(
    name: str, value: object
) -> None:
    graph: Any = nx.Graph([("Ana", "Bo"), ("Bo", "Cy")])
    graph["Bo"]["Cy"][name] = value
    with pytest.raises(GraphProblem, match=rf"'Bo' and 'Cy' has {name} = .*set_edge_attributes"):
        from_networkx(graph)
    nx.set_edge_attributes(graph, 1, name)  # type: ignore[call-overload]
    assert from_networkx(graph).edges.tolist() == [[0, 1], [1, 2]]


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
