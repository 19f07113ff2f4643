"""Edge lists of the user's: what is read, and how bad ones are refused in one sentence."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeflow.graphs.files import EdgeListProblem, read_edge_list


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
        ("0 1 0.5\n", ["line 1", "3 columns", "weights"]),
        ("0 1\n7\n", ["line 2", "1 columns"]),
        ("source target\n", ["no edges"]),
        ("", ["no edges"]),
        (b"\xff\xfe\x00", ["cannot be read", "UTF-8"]),
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
