"""Files of a user's own: what is decided for them is said, and each slip is one sentence."""

import re
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from nodeflow.data.check import data_notes, measure_table, observation_table
from nodeflow.data.check import observed_nodes as node_table
from nodeflow.data.observed import Observed, Source, note_table, read_observed
from nodeflow.data.series_files import SeriesProblem
from nodeflow.data.tables import MEASURES, NODES, NOTES, OBSERVATIONS
from nodeflow.graphs.edge_lines import EdgeListProblem
from nodeflow.graphs.files import directions, read_nodes
from nodeflow.tables import read_table, write_table

EDGES = "source,target,weight\na,b,2.0\nb,c,-1.0\nc,a,0.5\na,c,1.5\n"
RUNS = "run,time,a,b,c\nx,0,1,2,3\nx,1,1,,3\nx,3,2,1,3\ny,0,0,0,3\ny,2,1,1,3\n"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "net.csv").write_text(EDGES)
    (tmp_path / "runs.csv").write_text(RUNS)
    return Source(str(tmp_path / "net.csv"), str(tmp_path / "runs.csv"))


def changed(source: Source, network: str = EDGES, series: str = RUNS, **more: object) -> Source:
    Path(source.network).write_text(network)
    Path(source.series).write_text(series)
    return Source(source.network, source.series, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "directed", "why"),
    [
        ("source,target\n1,2\n2,3\n", True, "columns are called source and target"),
        ("1 2\n2 3\n", False, "nothing in the file says"),
        ("node1,node2\na,b\nb,c\n", False, "nothing in the file says"),
        ("1 2\n2 3\n2 1\n", True, "line 1 links two nodes that are also linked the other way"),
        ("# Directed graph: x\n1 2\n2 3\n", True, "line 1 of the file says so"),
        ("# Undirected graph: x\n1 2\n2 3\n", False, "line 1 of the file says so"),
        ("% asym unweighted\n1 2\n2 3\n", True, "line 1 of the file says so"),
        ("% sym unweighted\n1 2\n2 3\n", False, "line 1 of the file says so"),
    ],
)
def test_whether_edges_have_directions_is_read_off_an_edge_list(
    tmp_path: Path, text: str, directed: bool, why: str
) -> None:
    (tmp_path / "net.txt").write_text(text)
    found = directions(tmp_path / "net.txt")
    assert found.directed == directed
    assert why in found.why


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_formats_that_know_directions_say_them(tmp_path: Path, kind: type) -> None:
    nx.write_graphml(kind([("a", "b"), ("b", "c")]), tmp_path / "net.graphml")
    assert directions(tmp_path / "net.graphml").directed == (kind is nx.DiGraph)


def test_an_undirected_network_that_lists_both_directions_has_the_same_matrix(
    source: Source,
) -> None:
    once, twice = "1 2\n2 3\n", "1 2\n2 3\n2 1\n3 2\n"
    series = "time,1,2,3\n0,1,2,3\n1,2,3,4\n"
    a = read_observed(changed(source, once, series)).graph
    b = read_observed(changed(source, twice, series)).graph
    assert not a.directed and b.directed
    np.testing.assert_array_equal(a.adjacency().toarray(), b.adjacency().toarray())


def test_what_the_user_says_goes_before_what_the_file_suggests(source: Source) -> None:
    assert read_observed(source).graph.directed
    undirected = changed(source, EDGES.replace("a,c,1.5\n", ""), directed=False)
    observed = read_observed(undirected)
    assert not observed.graph.directed
    assert "as the configuration says" in observed.notes[0].text


def test_nodes_may_have_a_file_and_need_no_edge(source: Source, tmp_path: Path) -> None:
    (tmp_path / "nodes.txt").write_text("# all of them\na\nb\nc\nd\n")
    assert read_nodes(tmp_path / "nodes.txt") == ["a", "b", "c", "d"]
    observed = read_observed(
        Source(source.network, source.series, nodes=str(tmp_path / "nodes.txt"))
    )
    assert observed.graph.n == 4
    notes = {note.topic: note for note in data_notes(observed)}
    assert "no series of node d" in notes["unobserved nodes"].text
    assert notes["unobserved nodes"].limits
    assert "Nothing acts on node d" in notes["isolated nodes"].text
    (tmp_path / "nodes.txt").write_text("0\n1\n10\n")
    assert read_nodes(tmp_path / "nodes.txt") == [0, 1, 10]
    (tmp_path / "nodes.txt").write_text("a\nb\na\n")
    with pytest.raises(EdgeListProblem, match=r"line 3: node a is already on line 1"):
        read_nodes(tmp_path / "nodes.txt")


def test_tables_say_what_is_there_and_survive_their_files(source: Source, tmp_path: Path) -> None:
    observed = read_observed(source)
    values, nodes, measures = (x(observed) for x in (observation_table, node_table, measure_table))
    given = pd.read_csv(source.series).melt(["run", "time"], var_name="node").dropna()
    found = values.merge(given, on=["run", "time", "node"], suffixes=("", "_given"))
    assert len(found) == len(values) == len(given) == 14
    assert (found["value"] == found["value_given"]).all()
    nodes = nodes.set_index("node")
    assert nodes["degree"].to_dict() == {"a": 1, "b": 1, "c": 2}
    assert nodes["acts_on"].to_dict() == {"a": 2, "b": 1, "c": 1}
    assert nodes["strength"].to_dict() == {"a": 0.5, "b": 2.0, "c": 0.5}
    assert nodes["missing"].to_dict() == {"a": 0, "b": 1, "c": 0}
    assert nodes["mean"].to_dict() == {"a": 1.0, "b": 1.0, "c": 3.0}
    value = measures.set_index("measure")["value"]
    assert value["reciprocity"] == 0.5
    assert value["missing_share"] == pytest.approx(1 / 15)
    assert (value["shortest_step"], value["longest_step"]) == (1.0, 2.0)
    for name, table, schema in (
        ("series", values, OBSERVATIONS),
        ("nodes", nodes.reset_index(), NODES),
        ("measures", measures, MEASURES),
        ("notes", note_table(data_notes(observed)), NOTES),
    ):
        write_table(tmp_path / f"{name}.parquet", table, schema, {"own": "mine"})
        back = read_table(tmp_path / f"{name}.parquet", schema, {"own": "mine"})
        pd.testing.assert_frame_equal(
            back.drop(columns="own"), table[list(schema.columns)], check_dtype=False
        )


def texts(observed: Observed) -> str:
    return " ".join(note.text for note in data_notes(observed))


def test_what_limits_the_data_is_said(source: Source) -> None:
    found = texts(read_observed(source))
    assert "1 of 4 are negative" in found
    assert "6.7% of the values are missing" in found
    assert "never change of node c" in found
    assert "uneven: from 1 to 2" in found
    ring = "source,target\na,b\nb,c\nc,a\n"
    assert "Every node receives the same in all, 1," in texts(read_observed(changed(source, ring)))


SLIPS = {
    "no network": ("", RUNS, r"net.csv holds no edges"),
    "no line": ("source,target\na,b,c,d\n", RUNS, r"net.csv, line 2: .* columns"),
    "a self-loop": ("source,target\na,b\nb,b\n", RUNS, r"line 3: node b is linked to itself"),
    "an edge twice": ("source,target\na,b\nb,c\na,b\n", RUNS, r"line 4: edge a-b .* on line 2"),
    "no series": (EDGES, "", r"runs.csv is empty"),
    "an unknown node": (EDGES, RUNS.replace("c\n", "d\n", 1), r"column 'd', .* not a node"),
    "an unknown node in a long table": (
        EDGES,
        "time,node,value\n0,a,1\n1,z,2\n",
        r"runs.csv, line 3: 'z' is not a node of the network",
    ),
    "time going backwards": (
        EDGES,
        RUNS.replace("x,3", "x,0.5"),
        r"line 4: run x has the time 0.5",
    ),
    "a time twice": (EDGES, RUNS.replace("x,3", "x,1"), r"line 4: run x has the time 1 once more"),
    "no number": (
        EDGES,
        RUNS.replace("x,1,1", "x,1,one"),
        r"line 3, column a: 'one' is not a value",
    ),
    "no time": (EDGES, RUNS.replace("run,time", "run,when"), r"none of which is 'time'"),
    "names of columns": ("this,that\na,b\nb,c\n", RUNS, r"net.csv: 'this' and 'that', the first"),
    "a field too many": (EDGES, RUNS.replace("x,1,1", "x,1,1,1"), r"line 3: 6 fields under 5"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_each_slip_is_one_sentence_with_file_and_line(source: Source, slip: str) -> None:
    network, series, pattern = SLIPS[slip]
    with pytest.raises(SeriesProblem) as found:
        read_observed(changed(source, network, series), "own.mine")
    text = str(found.value)
    assert re.search(pattern, text), text
    assert "\n" not in text


def test_a_network_without_edges_is_one_if_its_nodes_are_named(
    source: Source, tmp_path: Path
) -> None:
    nodes = tmp_path / "nodes.txt"
    nodes.write_text("a\nb\nc\n")
    found = read_observed(changed(source, "source,target\n", nodes=str(nodes)))
    assert found.graph.n == 3 and not len(found.graph.edges)
    assert "only f, how nodes change by themselves, is learned" in texts(found)


def test_a_value_out_of_all_proportion_is_named(source: Source) -> None:
    assert "as far" not in texts(read_observed(source))
    said = texts(read_observed(changed(source, EDGES, RUNS.replace("x,1,1", "x,1,2e5"))))
    assert "Run x, node a, time 1: the value 200000 is more than 1000 times as far" in said


def test_cures_are_keys_where_there_is_a_configuration(source: Source) -> None:
    loop = changed(source, "source,target\na,b\nb,b\n")
    with pytest.raises(SeriesProblem, match=r"read the file with simplify=True"):
        read_observed(loop)
    with pytest.raises(SeriesProblem, match=r"read the file with own.mine.simplify: true"):
        read_observed(loop, "own.mine")
