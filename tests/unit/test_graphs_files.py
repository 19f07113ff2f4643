"""Edge lists of the user's: what is read, and how bad ones are refused in one sentence."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.edge_lines import EdgeListProblem
from nodeflow.graphs.edge_list import read_edge_list
from nodeflow.graphs.files import read_network
from nodeflow.problems import Problem


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "0 1\n1 2\n",
        "source,target\n1,0\n1,2\n",
        "# a comment\n% another\n\n0\t1\n2\t1\n",
        '"0";"1"\n"1";"2"',
        "\ufeff0 1\r\n1 2\r\n",
        "0 1  \n  2   1\n",
        "0 1 1\n1 2 1.0\n",
        "source;target;Weight\n0;1;1\n1;2;1\n",
        "0 1 {}\n1 2 {}\n",
        "% sym unweighted\n% 2 3 3\n1 2 \n2 3 \n",
        "# Undirected graph: mine.txt\n# Nodes: 3\n0\t1\n1\t2\n",
        "# directed: no\n0 1\n1 2\n",
    ],
)
def test_the_usual_forms_are_read(tmp_path: Path, text: str) -> None:
    graph = read_edge_list(write(tmp_path / "e.txt", text))
    assert graph.n == 3
    np.testing.assert_array_equal(graph.edges, [[0, 1], [1, 2]])


def test_gzip_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "e.txt.gz", gzip.compress(b"0 1\n1 2\n"))
    assert len(read_edge_list(path).edges) == 2


def test_ids_are_renumbered_unless_the_number_of_nodes_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "e.txt", "10 7\n7 1000\n")
    assert read_edge_list(path).n == 3
    np.testing.assert_array_equal(read_edge_list(path).edges, [[0, 1], [0, 2]])
    assert read_edge_list(path, nodes=1001).n == 1001


@settings(max_examples=30, deadline=None)
@given(
    edges=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=60),
    turn=st.booleans(),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, edges: list[tuple[int, int]], turn: bool
) -> None:
    simple = sorted({(min(e), max(e)) for e in edges if e[0] != e[1]})
    if not simple:
        return
    text = "".join(f"{v} {u}\n" if turn else f"{u} {v}\n" for u, v in simple)
    path = write(tmp_path_factory.mktemp("edges") / "e.txt", text)
    np.testing.assert_array_equal(read_edge_list(path, nodes=100).edges, simple)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 1\n1 1\n", ["line 2", "node 1", "self-loops"]),
        ("0 1\n2 3\n1 0\n", ["line 3", "0-1", "line 1", "once"]),
        ("0 1\n0 1\n", ["line 2", "already on line 1"]),
        ("0 1\n-1 2\n", ["line 2", "'-1'", "negative"]),
        ("0 1\n1 x\n", ["line 2", "'x'", "integers"]),
        ("0 1\n1 2.5\n", ["line 2", "'2.5'"]),
        ("0 1\n1 nan\n", ["line 2", "'nan'"]),
        ("0 1\n1 99999999999\n", ["line 2", "2147483646"]),
        ("0 1 0.5\n", ["line 1", "3 columns", "0.5", "weighted=True"]),
        ("0 1 1\n1 2 2\n", ["line 2", "3 columns", "2", "weighted=True"]),
        ("A|B|1\nB|C|2\n", ["line 1", "one column", "tab"]),
        ("0 1 strong\n", ["line 1", "'strong'"]),
        ("0 1 {'weight': 2.0}\n", ["line 1", "columns"]),
        ("source,target,weight\n0,1,0\n", ["line 2", "weight", "0"]),
        ("source,target,weight\n0,1,nan\n", ["line 2", "weight", "finite"]),
        ("source,target,since\n0,1,1990\n", ["line 2", "1990", "weighted=True"]),
        ("index,source,target\n0,5,1\n", ["third column", "target", "first"]),
        ("Ana Bo\nBo Ana\n", ["line 2", "Ana-Bo", "line 1"]),
        ("% sym signed\n1 2\n", ["line 2", "weight is missing"]),
        ("1 2 1 1138206644\n", ["line 1", "4 columns", "times"]),
        ("0 1\n1 2 1\n", ["line 2", "3 columns after 2"]),
        ("0 1\n7\n", ["line 2", "1 columns"]),
        ("source target\n", ["no edges"]),
        ("", ["no edges"]),
        (b"\xff\xfe\x00", ["UTF-16", "UTF-8"]),
        (b"\xc4a b\n", ["cannot be read", "UTF-8"]),
    ],
)
def test_bad_files_end_in_a_sentence(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    path = write(tmp_path / "bad.txt", text)
    with pytest.raises(EdgeListProblem) as problem:
        read_edge_list(path)
    message = str(problem.value)
    assert "\n" not in message
    for word in ["bad.txt", *words]:
        assert word in message


def test_missing_damaged_and_too_large(tmp_path: Path) -> None:
    with pytest.raises(EdgeListProblem, match="missing"):
        read_edge_list(tmp_path / "none.txt")
    with pytest.raises(EdgeListProblem, match="cannot be read"):
        read_edge_list(write(tmp_path / "e.gz", gzip.compress(b"0 1\n" * 999)[:-9]))
    with pytest.raises(EdgeListProblem, match="line 2: node 5 does not fit 3 nodes"):
        read_edge_list(write(tmp_path / "e.txt", "0 1\n1 5\n"), nodes=3)


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("% asym unweighted\n% 3 4 4\n", 1),
        ("% asym\n", 1),
        ("# Directed graph: wiki.txt\n# FromNodeId\tToNodeId\n", 1),
        ("# mine\n# Directed graph (each unordered pair of nodes is saved once)\n", 2),
        ("# graph: directed\n", 1),
    ],
)
def test_directions_that_the_head_claims_are_never_dropped_unasked(
    tmp_path: Path, head: str, line: int
) -> None:
    path = write(tmp_path / "e.txt", head + "1 2\n2 3\n3 4\n")
    with pytest.raises(EdgeListProblem, match=f"line {line}: .* directed.*simplify=True"):
        read_edge_list(path)
    asked = read_edge_list(path, simplify=True)
    np.testing.assert_array_equal(asked.edges, [[0, 1], [1, 2], [2, 3]])


def test_directions_are_kept_when_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "e.txt", "# Directed graph: wiki.txt\n3\t1\n1\t3\n1\t2\n")
    graph = read_edge_list(path, directed=True)
    assert graph.directed
    assert graph.names == (1, 2, 3)
    # Row i of A holds what acts on i: 3 on 1, 1 on 2 and on 3.
    assert graph.adjacency().toarray().tolist() == [[0, 0, 1], [1, 0, 0], [1, 0, 0]]
    with pytest.raises(
        EdgeListProblem, match=r"edge 1-2 is already on line 4; keep each edge once,"
    ):
        read_edge_list(write(path, path.read_text() + "1 2\n"), directed=True)


@pytest.mark.parametrize(
    "text",
    [
        "source,target,weight\na,b,0.5\nc,a,-2\n",
        "from;to;Value\na;b;0.5\nc;a;-2\n",
        "% asym posweighted\n% 2 3 3\na b 0.5\nc a -2\n",
    ],
)
def test_weights_and_names_are_read_where_the_file_says_so(tmp_path: Path, text: str) -> None:
    graph = read_edge_list(write(tmp_path / "e.txt", text), directed=True)
    assert graph.names == ("a", "b", "c")
    assert graph.adjacency().toarray().tolist() == [[0, 0, -2], [0.5, 0, 0], [0, 0, 0]]
    plain = read_edge_list(tmp_path / "e.txt", directed=True, weighted=False)
    assert plain.weights is None


def test_a_third_column_is_used_or_left_out_when_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "e.txt", "0 1 0.5\n1 2 3\n")
    weights = read_edge_list(path, weighted=True).weights
    assert weights is not None
    assert weights.tolist() == [0.5, 3]
    assert read_edge_list(path, weighted=False).weights is None
    both = write(tmp_path / "b.txt", "0 1 2\n1 0 2\n1 2 1\n2 1 3\n")
    with pytest.raises(EdgeListProblem, match="line 4: edge 2-1 is there with another weight"):
        read_edge_list(both, weighted=True, simplify=True)
    assert len(read_edge_list(both, weighted=False, simplify=True).edges) == 2


def test_names_without_a_header_lose_no_edge_and_isolated_nodes_are_given(tmp_path: Path) -> None:
    path = write(tmp_path / "e.txt", "Ana Bo\nBo Cy\n")
    assert read_edge_list(path).names == ("Ana", "Bo", "Cy")
    found = read_edge_list(path, nodes=["Di", "Cy", "Bo", "Ana"])
    assert found.degrees.tolist() == [0, 1, 2, 1]
    with pytest.raises(EdgeListProblem, match="line 1: node Ana does not fit the 2 nodes given"):
        read_edge_list(path, nodes=["Bo", "Cy"])


def test_two_kinds_of_nodes_that_the_head_claims_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "e.txt", "% bip unweighted\n1 2\n2 3\n")
    for simplify in (False, True):
        with pytest.raises(EdgeListProblem, match="line 1: the file is bipartite"):
            read_edge_list(path, simplify=simplify)


def written(graph: nx.Graph[Any], path: Path) -> Path:
    """A networkx graph in the format of the file's name."""
    if path.suffix == ".mtx":
        matrix = nx.to_scipy_sparse_array(graph, sorted(graph))
        scipy.io.mmwrite(path, matrix, symmetry="general" if graph.is_directed() else "symmetric")
    elif path.suffix == ".csv":
        lines = [f"{u},{v},{edge['weight']}\n" for u, v, edge in graph.edges(data=True)]
        path.write_text("source,target,weight\n" + "".join(lines))
    elif path.suffix == ".net":
        nx.write_pajek(graph, path)
    elif path.suffix == ".gml":
        nx.write_gml(graph, path)
    else:
        nx.write_graphml(graph, path)
    return path


@pytest.mark.parametrize("suffix", [".mtx", ".net", ".gml", ".graphml", ".csv"])
@pytest.mark.parametrize("directed", [False, True])
def test_every_format_that_is_read_says_the_same(
    tmp_path: Path, suffix: str, directed: bool
) -> None:
    graph: nx.Graph[Any] = nx.DiGraph() if directed else nx.Graph()
    names = [1, 2, 3, 4] if suffix == ".mtx" else ["a", "b", "c", "d"]
    for u, v, w in [(0, 1, 0.5), (1, 2, 2.0), (3, 0, 4.0)]:
        graph.add_edge(names[u], names[v], weight=w)
    path = written(graph, tmp_path / f"mine{suffix}")
    found = read_network(path, directed=directed)
    expected = nx.to_numpy_array(graph, list(found.labels)).T
    np.testing.assert_array_equal(found.adjacency().toarray(), expected)
    assert set(found.labels) == set(names)
    if directed and suffix != ".csv":
        with pytest.raises(GraphProblem, match="directed=True"):
            read_network(path)


def test_networks_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    cases = {
        "a.gml": "graph [ node [ id 0 ] edge [",
        "a.graphml": "<graphml><node",
        "a.mtx": "%%MatrixMarket matrix coordinate pattern general\n3 5 1\n1 2\n",
        "b.mtx": "3 3\n1 2\n",
        "a.gexf": "<gexf></gexf>",
        "a.dot": "graph G { 0 -- 1 }",
    }
    for name, text in cases.items():
        with pytest.raises(EdgeListProblem, match=name) as problem:
            read_network(write(tmp_path / name, text))
        assert "\n" not in str(problem.value)
    loops = written(nx.Graph([(1, 1), (1, 2)]), tmp_path / "loops.mtx")
    with pytest.raises(GraphProblem, match="Node 1 is linked to itself"):
        read_network(loops)
    assert read_network(loops, simplify=True).edges.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("target,source,weight\nBo,Ana,2\nCy,Bo,3\n", [("Ana", "Bo", 2), ("Bo", "Cy", 3)]),
        ("To\tFrom\nBo\tAna\nCy\tBo\n", [("Ana", "Bo", 1), ("Bo", "Cy", 1)]),
        ("Source Node;Target Node;w\nAna;Bo;2\nBo;Cy;3\n", [("Ana", "Bo", 2), ("Bo", "Cy", 3)]),
        ("node_1 node_2\nAna Bo\nBo Cy\n", [("Ana", "Bo", 1), ("Bo", "Cy", 1)]),
        ("TF,gene,weight\nAna,Bo,2\nBo,Cy,3\n", [("Ana", "Bo", 2), ("Bo", "Cy", 3)]),
        ('"Ray, A","Bo"\n"Bo","Cy; d"\n', [("Ray, A", "Bo", 1), ("Bo", "Cy; d", 1)]),
        (
            "New York\tArea 1\nArea 1\tArea 2\n",
            [("New York", "Area 1", 1), ("Area 1", "Area 2", 1)],
        ),
        ("01001 1001\n1001 02\n", [("01001", "1001", 1), ("1001", "02", 1)]),
        ("gene1 gene2\ngene2 gene3\n", [("gene1", "gene2", 1), ("gene2", "gene3", 1)]),
        ("% asym weighted\n1 2\t0.5\n2 3\t2\n", [(1, 2, 0.5), (2, 3, 2)]),
    ],
)
def test_columns_are_what_the_first_line_says(
    tmp_path: Path, text: str, edges: list[tuple[Any, Any, float]]
) -> None:
    found = read_network(write(tmp_path / "mine.txt", text), directed=True)
    expected: nx.DiGraph[Any] = nx.DiGraph()
    expected.add_weighted_edges_from(edges)
    assert set(found.labels) == set(expected)
    np.testing.assert_array_equal(
        found.adjacency().toarray(), nx.to_numpy_array(expected, list(found.labels)).T
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1;2;0,5\n2;3;1,5\n", "line 1: 3 columns, '0,5' in the third"),
        ("(0, 1)\n(1, 2)\n", "line 1: .* are in brackets"),
        ("% sym unweighted\n1 2\n2 3\n", "line 1: the file says that its edges are undirected"),
        ("# Undirected graph: a.txt\n1 2\n2 3\n", "line 1: the file says .* are undirected"),
    ],
)
def test_what_would_be_misread_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(EdgeListProblem, match=words):
        read_network(write(tmp_path / "mine.txt", text), directed=True)


MATRIX = "%%MatrixMarket matrix coordinate real "
VERTICES = '*Vertices 3\n1 "a"\n2 "b b"\n3 "c"\n'


@pytest.mark.parametrize(
    ("name", "text", "adjacency"),
    [
        ("a.mtx", MATRIX + "skew-symmetric\n2 2 1\n2 1 2\n", [[0, 2], [-2, 0]]),
        ("a.net", VERTICES + "*Arcs\n1 2 2\n*Edges\n2 3 4\n", [[0, 0, 0], [2, 0, 4], [0, 4, 0]]),
        ("b.net", VERTICES + "*Edges\n2 3 4\n*Arcs\n1 2 2\n", [[0, 0, 0], [2, 0, 4], [0, 4, 0]]),
        ("c.net", VERTICES + "*Arcslist\n1 2 3\n", [[0, 0, 0], [1, 0, 0], [1, 0, 0]]),
        ("d.net", VERTICES + "*Arcs\n*Edgeslist\n1 2 3\n", [[0, 1, 1], [1, 0, 0], [1, 0, 0]]),
        ("e.net", VERTICES + "*Matrix\n0 2 0\n0 0 0\n5 0 0\n", [[0, 0, 5], [2, 0, 0], [0, 0, 0]]),
        ("f.net", "*Vertices 3\n*Edges\n1 2 4 c Blue\n", [[0, 4, 0], [4, 0, 0], [0, 0, 0]]),
    ],
)  # fmt: skip
def test_matrices_and_pajek_files_say_what_acts_on_what(
    tmp_path: Path, name: str, text: str, adjacency: list[list[float]]
) -> None:
    found = read_network(write(tmp_path / name, text), directed=True)
    np.testing.assert_array_equal(found.adjacency().toarray(), adjacency)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.mtx", MATRIX + "general\n2 2 2\n1 2 1\n1 2 3\n", "row 1 and column 2 is there twice"),
        ("a.net", VERTICES + "*Edges\n1 4\n", "line 6: there is no vertex 4"),
        ("f.net", VERTICES + "*Edges\n1\n", "line 6: an edge has two vertices"),
        ("g.net", "*Vertices\n*Edges\n1 2\n", "line 1: .* without their number"),
        ("b.net", VERTICES.replace("b b", "a") + "*Edges\n1 2\n", "two vertices are called 'a'"),
        ("c.net", VERTICES + "*Partition x\n1\n", r"line 5: \*partition is not read"),
        ("d.net", VERTICES + "*Arcs\n1 2 2\n2 1 3\n", "edge .* is there with another weight"),
        ("e.net", VERTICES + "*Edges\n1 2 2\n2 1 2\n1 1 1\n", None),
    ],
)  # fmt: skip
def test_what_cannot_be_simplified_is_refused(
    tmp_path: Path, name: str, text: str, words: str | None
) -> None:
    path = write(tmp_path / name, text)
    if words is None:
        assert read_network(path, simplify=True).edges.tolist() == [[0, 1]]
    else:
        with pytest.raises(Problem, match=words) as problem:
            read_network(path, simplify=True)
        assert str(path) in str(problem.value)


def test_a_table_is_no_path_and_a_turned_edge_may_be_a_direction(tmp_path: Path) -> None:
    with pytest.raises(EdgeListProblem, match="from_pandas_edgelist"):
        read_network(pd.DataFrame({"source": [1], "target": [2]}))  # type: ignore[arg-type]
    with pytest.raises(EdgeListProblem, match=r"line 2: .*\(or with directed=True"):
        read_network(write(tmp_path / "mine.txt", "1 2\n2 1\n"))


def test_weights_that_are_asked_for_have_to_be_there(tmp_path: Path) -> None:
    graph: nx.Graph[Any] = nx.Graph([(1, 2, {"distance": 3.0})])
    path = written(graph, tmp_path / "mine.graphml")
    assert read_network(path).weights is None
    with pytest.raises(GraphProblem, match=r"mine\.graphml: edge '1'-'2' has no attribute"):
        read_network(path, weighted=True)


@pytest.mark.parametrize("name", ["value", "Weight", "strength"])
@pytest.mark.parametrize("suffix", [".gml", ".graphml"])
def test_an_attribute_that_is_called_so_holds_weights(
    tmp_path: Path, name: str, suffix: str
) -> None:
    graph: nx.Graph[Any] = nx.Graph([("a", "b", {name: 2.5}), ("b", "c", {name: 1.0})])
    path = written(graph, tmp_path / f"mine{suffix}")
    for weighted in (None, True):
        found = read_network(path, weighted=weighted).weights
        assert found is not None
        assert sorted(found) == [1.0, 2.5]
    assert read_network(path, weighted=False).weights is None
    graph.edges["a", "b"]["count"] = 7
    with pytest.raises(GraphProblem, match=rf"'{name}' and 'count', each of which may be"):
        read_network(written(graph, path))
    del graph.edges["a", "b"]["count"], graph.edges["b", "c"][name]
    with pytest.raises(GraphProblem, match=f"edge 'b'-'c' has no attribute '{name}'"):
        read_network(written(graph, path))


def numbered(suffix: str, attribute: str, names: list[str]) -> str:
    """A network in which 0 is linked to all others, with names in an attribute, as igraph has."""
    nodes = enumerate(names)
    if suffix == ".gml":
        lines = [f'node [ id {i} {attribute} "{name}" ]' for i, name in nodes]
        lines += [f"edge [ source 0 target {i} ]" for i in range(1, len(names))]
        return "\n".join(["graph [", *lines, "]"])
    lines = [f'<node id="n{i}"><data key="k">{name}</data></node>' for i, name in nodes]
    lines += [f'<edge source="n0" target="n{i}"/>' for i in range(1, len(names))]
    return (
        f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="k" for="node" '
        f'attr.name="{attribute}" attr.type="string"/><graph edgedefault="undirected">'
        f"{''.join(lines)}</graph></graphml>"
    )


@pytest.mark.parametrize("attribute", ["name", "label"])
@pytest.mark.parametrize("suffix", [".gml", ".graphml"])
@pytest.mark.parametrize("zipped", [False, True])
def test_nodes_that_are_only_numbered_go_by_their_names(
    tmp_path: Path, suffix: str, attribute: str, zipped: bool
) -> None:
    text = numbered(suffix, attribute, ["Ana", "Bo", "Zoë"])
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    found = read_network(path)
    assert found.labels == ("Ana", "Bo", "Zoë")
    assert found.edges.tolist() == [[0, 1], [0, 2]]


def test_nodes_without_names_of_their_own_go_by_their_ids(tmp_path: Path) -> None:
    bare = "graph [ node [ id 7 ] node [ id 9 ] edge [ source 7 target 9 ] ]"
    assert read_network(write(tmp_path / "a.gml", bare)).labels == (7, 9)
    alike = numbered(".graphml", "label", ["gene", "gene"])
    assert read_network(write(tmp_path / "a.graphml", alike)).labels == ("n0", "n1")
    own = alike.replace("n0", "Ana").replace("n1", "Bo").replace(">gene<", "><", 1)
    assert read_network(write(tmp_path / "b.graphml", own)).labels == ("Ana", "Bo")


def test_edges_that_gml_has_twice_are_merged_when_asked(tmp_path: Path) -> None:
    text = numbered(".gml", "label", ["a", "b"]).replace("edge", "edge [ source 1 target 0 ]\nedge")
    path = write(tmp_path / "mine.gml", text)
    with pytest.raises(GraphProblem, match=r"more than once; .*simplify=True"):
        read_network(path)
    assert read_network(path, simplify=True).edges.tolist() == [[0, 1]]


@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers_of_pandas_are_no_column(tmp_path: Path, first: int) -> None:
    table = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"], "weight": [0.5, 2.0]})
    table.index += first
    table.to_csv(tmp_path / "mine.csv")
    found = read_network(tmp_path / "mine.csv")
    assert found.labels == ("a", "b", "c")
    assert found.weights is not None
    assert found.weights.tolist() == [0.5, 2.0]
    table.index += 5
    table.to_csv(tmp_path / "mine.csv")
    with pytest.raises(EdgeListProblem, match="line 2: 4 columns"):
        read_network(tmp_path / "mine.csv")


def test_whole_numbers_with_a_point_are_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    np.savetxt(path, [[0, 3], [3, 5]])
    assert read_network(path).labels == (0, 3, 5)
    with pytest.raises(EdgeListProblem, match=r"line 1: '0\.5': node ids are integers"):
        read_network(write(path, "0.5 1.0\n"))
    with pytest.raises(EdgeListProblem, match="is a folder"):
        read_network(tmp_path)


@settings(max_examples=30, deadline=None)
@given(
    edges=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), min_size=1, max_size=60),
    given_nodes=st.booleans(),
)
def test_simplify_gives_the_simple_graph_of_networkx(
    tmp_path_factory: pytest.TempPathFactory, edges: list[tuple[int, int]], given_nodes: bool
) -> None:
    path = write(
        tmp_path_factory.mktemp("edges") / "e.txt", "".join(f"{u}\t{v}\n" for u, v in edges)
    )
    expected = nx.Graph(edges)
    expected.remove_edges_from(list(nx.selfloop_edges(expected)))
    ids = list(range(20)) if given_nodes else sorted(expected)
    expected.add_nodes_from(ids)
    found = read_edge_list(path, nodes=20 if given_nodes else None, simplify=True)
    assert found.n == len(ids)
    np.testing.assert_array_equal(found.adjacency().toarray(), nx.to_numpy_array(expected, ids))


MATRIX_MARKET = "%%MatrixMarket matrix coordinate pattern general\n3 5 4\n1 2\n2 3\n3 5\n1 4\n"
OTHERS = {
    "a Matrix Market": (".mtx", MATRIX_MARKET),
    "a Pajek": (".net", '*Vertices 2\n1 "a"\n2 "b"\n*Edges\n1 2\n'),
    "a GML": (".gml", "graph [\n  node [ id 0 ]\n  node [ id 1 ]\n]\n"),
    "a GraphML": (".graphml", '<?xml version="1.0"?>\n<graphml>\n</graphml>\n'),
    "a GEXF": (".gexf", '<?xml version="1.0"?><gexf>\n</gexf>\n'),
    "a DOT": (".dot", "graph G {\n 0 -- 1\n}\n"),
    "a UCINET": (".dl", "dl n=3 format=edgelist1\ndata:\n1 2\n2 3\n"),
    "a LEDA": (".lgr", "LEDA.GRAPH\nstring\nint\n-2\n"),
    "a DIMACS": (".clq", "p edge 3 2\ne 1 2\ne 2 3\n"),
    "a JSON": (".json", '{"nodes": [], "links": []}\n'),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_known_by_name_and_by_head_and_refused_with_the_cure(
    tmp_path: Path, name: str
) -> None:
    suffix, text = OTHERS[name]
    for place, path in enumerate((tmp_path / f"a{suffix}", tmp_path / "a.txt")):
        with pytest.raises(EdgeListProblem, match=name) as problem:
            read_edge_list(write(path, text), simplify=True)
        assert "two nodes a line" in str(problem.value)
        assert ("line" in str(problem.value).split(";")[0]) == bool(place)


def test_the_size_of_a_matrix_is_never_an_edge(tmp_path: Path) -> None:
    bare = MATRIX_MARKET.split("\n", 1)[1]
    for path in (tmp_path / "a.mtx", tmp_path / "a.MTX.gz"):
        with pytest.raises(EdgeListProblem, match=r"Matrix Market .* size of the matrix"):
            read_edge_list(write(path, bare.replace("3 5 4", "3 5")))
    for cut in (MATRIX_MARKET.replace("3 5 4", "3 5"), MATRIX_MARKET.replace("%%", "%")):
        with pytest.raises(EdgeListProblem, match="Matrix Market"):
            read_edge_list(write(tmp_path / "a.txt", cut))
