"""Networks that a user brings along: edge lists, and files of a few other formats."""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.graphs.formats import (
    Format,
    format_by_head,
    format_by_name,
    is_gzip,
    no_text,
    without_prolog,
)
from nodeflow.graphs.graph import WEIGHTS, Graph, GraphProblem, build_graph, from_networkx
from nodeflow.problems import Problem

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "Directions",
    "EdgeListProblem",
    "directions",
    "read_edge_list",
    "read_network",
    "read_nodes",
]

COMMENTS = ("#", "%")
LARGEST_ID = np.iinfo(np.int32).max - 1


class EdgeListProblem(Problem):
    """An edge list cannot be used; the text names the file, the line and the cure."""


_KONECT = re.compile(r"%\s*(sym|asym|bip)\b\s*(\w*)")
"""The first line of a file of KONECT: whether it is directed or bipartite, and its weights."""

_UNWEIGHTED = ("", "unweighted", "positive")
"""KONECT's words for edges without weights; those of `positive` may be repeated."""

_DENIED = r"(?!\"?\s*[:=]\s*\"?(no|false|0)\b)"
_DIRECTED = re.compile(rf"(?<!non-)(?<!non )(?<!not )\bdirected\b{_DENIED}")
_UNDIRECTED = re.compile(rf"\bundirected\b{_DENIED}")

_SOURCES = {"source", "from", "fromnodeid", "src", "sourcenode", "sourceid", "fromnode", "fromid"}
_TARGETS = {"target", "to", "tonodeid", "dst", "targetnode", "targetid", "tonode", "toid"}
_HEADER = _SOURCES | _TARGETS | {"node1", "node2"}
"""Words by which a first line of names is known to be a header and not an edge; without blanks,
underscores and the like."""

_PAIR = re.compile(r"(id|node|vertex|name|species|gene|protein|person|interactor)(1|2|a|b|i|j)")
"""A header that numbers the two columns of nodes, where no node is called so."""


@dataclass(frozen=True)
class Directions:
    """Whether a file's edges have directions.

    Attributes:
        directed: as the file says, or else as it suggests.
        why: how one can tell, as the end of a sentence.
    """

    directed: bool
    why: str


@dataclass(frozen=True)
class _Rows:
    """The lines of an edge list.

    Attributes:
        pairs: (M, 2) node ids, whole numbers or texts.
        weights: (M,) what the third column says, NaN where it says nothing.
        numbers: (M,) the line of each.
        head: comments above the first edge, with their lines.
        names: of the columns, in lower case and without blanks, if there is a line of them.
    """

    pairs: np.ndarray
    weights: NDArray[np.float64]
    numbers: np.ndarray
    head: Sequence[tuple[int, str]]
    names: Sequence[str] | None


def read_network(
    path: str | Path,
    nodes: int | Sequence[Hashable] | None = None,
    *,
    directed: bool | None = None,
    weighted: bool | None = None,
    simplify: bool = False,
) -> Graph:
    """Read a network from an edge list or from a Matrix Market, Pajek, GML or GraphML file.

    The format is known by the file's name, or by its first line. Nothing that a file says is left
    out in silence: what the arguments do not ask for is refused with the cure. In Matrix Market an
    entry in row i and column j is an edge from i to j; its nodes are named from 1. Those of GML and
    GraphML go by their labels or names where ids only number them. Weights are what the attribute
    of edges holds that is called so (weight, value, strength, …).

    Args:
        path: the file.
        nodes: of an edge list, as in `read_edge_list`.
        directed: keep directions: the first node of an edge acts on the second one. By default, as
            in `read_edge_list`; those of other formats have to be asked for.
        weighted: as in `read_edge_list`.
        simplify: as in `read_edge_list`.

    Raises:
        EdgeListProblem: the file is missing, unreadable or of a format that is not read; or as in
            `read_edge_list`.
        GraphProblem: what a file of another format holds is not what the arguments ask for, or
            does not fit (see `from_networkx`); the text names the file.
    """
    path = _path(path)
    _there(path)
    known = format_by_name(path) or _format_of_first_line(path)
    if known is None:
        return read_edge_list(path, nodes, directed=directed, weighted=weighted, simplify=simplify)
    graph = _networkx(path, known)
    if nodes is not None:
        raise EdgeListProblem(
            f"{path} is {known.name} file, which names its nodes; leave out nodes."
        )
    if graph.is_directed() and not (directed or simplify):
        raise GraphProblem(
            f"{path}: its edges are directed; read it with directed=True to keep directions, or "
            "with simplify=True if they may be left out."
        )
    kept, weight = bool(directed), None if weighted is False else _weight_of(path, graph)
    single = _single(path, graph, kept, simplify, weight)
    if weight is not None:
        _check_weights(path, single, weight, asked=bool(weighted))
    try:
        return from_networkx(single, weight=weight, directed=kept)
    except GraphProblem as problem:
        raise GraphProblem(f"{path}: {problem}") from problem


def directions(path: str | Path) -> Directions:
    """Whether the edges of a file have directions, for whoever does not say so.

    A format that knows directions says it, so does the head of an edge list of SNAP or KONECT. An
    edge list without such a head suggests it: by columns that are called source and target, or by
    two nodes that are linked in both directions.

    Args:
        path: the file, as in `read_network`.

    Raises:
        EdgeListProblem: the file is missing, unreadable, or of a format that is not read.
    """
    path = _path(path)
    _there(path)
    known = format_by_name(path) or _format_of_first_line(path)
    if known is not None:
        directed = _networkx(path, known).is_directed()
        return Directions(directed, f"{known.name} file says so")
    rows = _parse(path)
    for number, line in rows.head:
        said = _said_directions(line)
        if said is not None:
            return Directions(said, f"line {number} of the file says so")
    if rows.names is not None and (_SOURCES | _TARGETS) & set(rows.names[:2]):
        return Directions(True, f"its columns are called {rows.names[0]} and {rows.names[1]}")
    pairs = {
        (u, v): n for (u, v), n in zip(rows.pairs.tolist(), rows.numbers.tolist(), strict=True)
    }
    both = next((n for (u, v), n in pairs.items() if u != v and (v, u) in pairs), None)
    if both is not None:
        return Directions(True, f"line {both} links two nodes that are also linked the other way")
    return Directions(False, "nothing in the file says that edges have a direction")


def read_nodes(path: str | Path) -> list[Hashable]:
    """Read all nodes of a network, one a line, for the argument `nodes` of `read_network`.

    Blank lines and lines that begin with # or % are skipped. Nodes are whole numbers if all of them
    are, and none begins with 0 unless it is 0; else they are names.

    Args:
        path: the file.

    Raises:
        EdgeListProblem: the file is missing, unreadable or empty, or a node is there twice.
    """
    path = _path(path)
    _there(path)
    lines = [(number, line) for number, line in _lines(path) if not line.startswith(COMMENTS)]
    if not lines:
        raise EdgeListProblem(f"{path} holds no nodes; give one a line.")
    plain = all(x.isascii() and x.isdecimal() and str(int(x)) == x for _, x in lines)
    first: dict[Hashable, int] = {}
    for number, line in lines:
        node: Hashable = int(line) if plain else line.strip('"')
        if node in first:
            raise EdgeListProblem(
                f"{path}, line {number}: node {node} is already on line {first[node]}; keep each "
                "node once."
            )
        first[node] = number
    return list(first)


def _networkx(path: Path, known: Format) -> nx.Graph[Any]:
    """What a file of another format than an edge list holds."""
    if known.read is None:
        raise EdgeListProblem(
            f"{path} is {known.name} file, which is not read; save its edges as text, two nodes a "
            "line, or as GraphML."
        )
    try:
        return known.read(path)
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise _no_text_in(path, error) from error
    except Exception as error:  # readers of networkx raise all kinds
        raise EdgeListProblem(
            f"{path} cannot be read as {known.name} file ({' '.join(str(error).split())}); save it "
            "again, or save its edges as text, two nodes a line."
        ) from error


def _weight_of(path: Path, graph: nx.Graph[Any]) -> str:
    """The attribute of edges that holds weights: one that is called so and is not 1 everywhere."""
    names = dict.fromkeys(
        name
        for *_, attributes in graph.edges(data=True)
        for name, value in attributes.items()
        if str(name).lower() in WEIGHTS and value != 1
    )
    if len(names) > 1:
        raise GraphProblem(
            f"{path}: edges have the attributes {' and '.join(map(repr, names))}, each of which "
            "may be a weight; delete all but one, or leave weights out with weighted=False."
        )
    return next(iter(names), "weight")


def _check_weights(path: Path, graph: nx.Graph[Any], weight: str, *, asked: bool) -> None:
    """Refuse edges without a weight where others have one, or it is asked for."""
    edges = list(graph.edges(data=True))
    bare = next(((u, v) for u, v, data in edges if weight not in data), None)
    if bare and (asked or any(data.get(weight, 1) != 1 for *_, data in edges)):
        raise GraphProblem(
            f"{path}: edge {bare[0]!r}-{bare[1]!r} has no attribute {weight!r}; give each edge "
            "one, or leave weights out with weighted=False."
        )


def _single(
    path: Path, graph: nx.Graph[Any], directed: bool, simplify: bool, weight: str | None
) -> nx.Graph[Any]:
    """The graph with one edge for each pair of nodes and without self-loops, in networkx."""
    import networkx as nx

    single: nx.Graph[Any] = nx.DiGraph() if directed and graph.is_directed() else nx.Graph()
    single.add_nodes_from(graph)
    for u, v, attributes in graph.edges(data=True):
        if u == v and not simplify:
            raise GraphProblem(
                f"{path}: Node {u!r} is linked to itself; remove self-loops, or read the file with "
                "simplify=True."
            )
        if u == v:
            continue
        weights = {weight: attributes[weight]} if weight in attributes else {}
        if single.has_edge(u, v):
            if not simplify:
                raise GraphProblem(
                    f"{path}: edge {u!r}-{v!r} is there more than once; keep each edge once, or "
                    "read the file with simplify=True."
                )
            if single.edges[u, v] != weights:
                raise GraphProblem(
                    f"{path}: edge {u!r}-{v!r} is there with another weight; give each edge one "
                    "weight, keep directions with directed=True, or leave weights out with "
                    "weighted=False."
                )
        single.add_edge(u, v, **weights)
    return single


def read_edge_list(
    path: str | Path,
    nodes: int | Sequence[Hashable] | None = None,
    *,
    directed: bool | None = None,
    weighted: bool | None = None,
    simplify: bool = False,
) -> Graph:
    """Read an edge list: two nodes a line, and perhaps a weight.

    Fields are separated by a semicolon, a comma, or white space, as in the first line; names with a
    separator in them stand in double quotes. Blank lines and lines that begin with # or % are
    skipped; so is a line of column names above the first edge: one without numbers where nodes are
    numbers, or with words such as source and target, which also say which column is which; and so
    is a first column without a name that counts the rows. The file may be compressed with gzip.
    Nodes are whole numbers, or names if the first edge has names or a number begins with 0.

    Nothing that a file says is left out in silence. A file whose head calls it directed or
    bipartite (as those of SNAP and KONECT do), a third column that may hold weights or times,
    repeated edges, self-loops and files of other formats are refused unless the arguments say what
    to do with them.

    Args:
        path: the file.
        nodes: all nodes, some of which may have no edge: their number, with ids 0 … nodes − 1, or
            a list of them. By default the nodes are those that occur, numbers in ascending order,
            names as they come.
        directed: keep directions: the first node of an edge, or the one in the column called
            source, acts on the other one. By default they are kept where two nodes are linked both
            ways with weights that differ, which an undirected network cannot have; False refuses
            that.
        weighted: whether the third column holds weights; False leaves it out. By default it does
            where the column is called so, or the head of a KONECT file says so.
        simplify: an edge that is there more than once (in either direction, unless `directed`) is
            one edge, and self-loops are dropped; their nodes are kept.

    Raises:
        EdgeListProblem: the file is missing, unreadable, empty or of another format, its head says
            what the arguments do not cover, or a line does not hold two nodes, has a third column
            of unknown meaning or a weight that is none, is a self-loop, repeats an edge, or names
            a node that is not one of `nodes`.
    """
    path = _path(path)
    known = format_by_name(path)
    if known is not None:
        raise EdgeListProblem(
            f"{path} has the name of {known.name} file, which is no edge list; "
            f"{_cure(path, known)}{known.unless}."
        )
    rows = _parse(path)
    if nodes is None and not len(rows.pairs):
        raise EdgeListProblem(
            f"{path} holds no edges; give one line 'source target' for each, or name all nodes if "
            "there are none."
        )
    _check_head(path, rows.head, bool(directed), simplify)
    weights = _weights(path, rows, weighted)
    if directed is None:
        directed = not simplify and weights is not None and _differ_both_ways(rows, weights)
        _check_head(path, rows.head, directed, simplify)
    labels = _labels(path, rows, nodes)
    index = {label: i for i, label in enumerate(labels)}
    pairs = np.array([(index[u], index[v]) for u, v in rows.pairs.tolist()], dtype=np.int64)
    pairs = pairs.reshape(-1, 2)
    ends = pairs if directed else np.sort(pairs, axis=1)
    if simplify:
        kept = _kept(path, rows, ends, weights)
        ends, weights = ends[kept], None if weights is None else weights[kept]
    else:
        _check_simple(path, rows, ends, directed)
    plain = list(labels) == list(range(len(labels)))
    return build_graph(
        len(labels), ends, weights=weights, directed=directed, names=None if plain else labels
    )


def _differ_both_ways(rows: _Rows, weights: NDArray[np.float64]) -> bool:
    """Whether two nodes are linked in both directions, with another weight in each."""
    of = {(u, v): w for (u, v), w in zip(rows.pairs.tolist(), weights.tolist(), strict=True)}
    return any(of.get((v, u), w) != w for (u, v), w in of.items())


def _format_of_first_line(path: Path) -> Format | None:
    for _, line in _lines(path):
        says = without_prolog(line)
        if says:
            return format_by_head(says)
    return None


def _cure(path: Path, known: Format) -> str:
    if known.read is None:
        return "save its edges as text, two nodes a line"
    return f"use graphs.read_network({str(path)!r}), or save its edges as text, two nodes a line"


def _parse(path: Path) -> _Rows:
    lines: list[tuple[int, list[str]]] = []
    head: list[tuple[int, str]] = []
    separator: str | None = None
    for number, line in _lines(path):
        is_comment = line.startswith(COMMENTS)
        if not lines and not (is_comment and head):
            says = without_prolog(line)
            if not says:
                continue
            known = format_by_head(says)
            if known is not None:
                raise EdgeListProblem(
                    f"{path}, line {number}: this is {known.name} file and no edge list; "
                    f"{_cure(path, known)}."
                )
        if not is_comment:
            if not lines:
                separator = _separator(line)
            lines.append((number, _fields(line, separator)))
        elif not lines:
            head.append((number, line))
    if _counts_rows(lines):
        lines = [(number, fields[1:]) for number, fields in lines]
    names = None
    if lines and _is_header(lines):
        names = [_word(field) for field in lines.pop(0)[1]]
        if len(names) > 1 and names[0] in _TARGETS and names[1] in _SOURCES:
            lines = [(number, [*fields[1::-1], *fields[2:]]) for number, fields in lines]
    width = len(lines[0][1]) if lines else 2
    third = [_third(path, number, fields, width) for number, fields in lines]
    numbers = np.array([number for number, _ in lines], dtype=np.int64)
    return _Rows(_ids(path, lines), np.array(third, dtype=np.float64), numbers, head, names)


def _counts_rows(lines: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first column has no name and counts the rows from 0 or 1, as pandas writes it."""
    if len(lines) < 2 or lines[0][1][0] not in ("", "Unnamed: 0"):
        return False
    first = [fields[0] for _, fields in lines[1:]]
    return any(first == [str(k + i) for i in range(len(first))] for k in (0, 1))


def _is_header(lines: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first line names columns: never in doubt, for an edge would be lost."""
    first = lines[0][1]
    words = [_word(field) for field in first]
    if _HEADER & set(words) or (len(words) == 3 and words[2] in WEIGHTS):
        return True
    pair = [_PAIR.fullmatch(word) for word in words[:2]]
    if len(pair) == 2 and pair[0] and pair[1] and pair[0][1] == pair[1][1]:
        return not any(_word(x).startswith(pair[0][1]) for _, line in lines[1:] for x in line[:2])
    rest = lines[1][1] if len(lines) > 1 else first
    return not any(map(_is_number, first)) and all(map(_is_number, rest[:2]))


def _third(path: Path, number: int, fields: Sequence[str], width: int) -> float:
    """What the third column says; NaN if nothing."""
    where = f"{path}, line {number}"
    if len(fields) != width:
        raise EdgeListProblem(
            f"{where}: {len(fields)} columns after {width} above; give every line the same "
            "columns: two nodes, and perhaps a weight."
        )
    if width == 2 or (width == 3 and fields[2] == "{}"):
        return math.nan
    if width == 1:
        raise EdgeListProblem(
            f"{where}: one column, {fields[0]!r}; give two nodes a line, separated by a comma, a "
            "semicolon, a tab or blanks."
        )
    if width != 3:
        raise EdgeListProblem(
            f"{where}: {len(fields)} columns; keep the two of nodes, and perhaps one of weights "
            "(times are not used); of a matrix, give a line for each entry that is not 0."
        )
    if not _is_number(fields[2]):
        raise EdgeListProblem(
            f"{where}: 3 columns, {fields[2]!r} in the third; it holds weights, which are numbers "
            "with a decimal point, so keep the two columns of nodes if it may be left out."
        )
    return float(fields[2])


def _ids(path: Path, lines: Sequence[tuple[int, Sequence[str]]]) -> NDArray[Any]:
    """Node ids (M, 2): whole numbers, or texts if the first edge has a name, or to keep zeros."""
    padded = any(
        field.startswith("0") and field != "0" and field.isdecimal()
        for _, fields in lines
        for field in fields[:2]
    )
    if not lines:
        return np.empty((0, 2), dtype=np.int64)
    if all(map(_is_number, lines[0][1][:2])) and not padded:
        pairs = [(_node(path, i, x[0]), _node(path, i, x[1])) for i, x in lines]
        return np.array(pairs, dtype=np.int64)
    for number, fields in lines:
        if not fields[0] or not fields[1]:
            raise EdgeListProblem(f"{path}, line {number}: a node has no name; give it one.")
        if fields[0][0] in "([" and fields[1][-1] in ")]":
            raise EdgeListProblem(
                f"{path}, line {number}: {fields[0]!r} and {fields[1]!r} are in brackets; write "
                "the two nodes alone."
            )
    return np.array([x[:2] for _, x in lines], dtype=object)


def _labels(path: Path, rows: _Rows, nodes: int | Sequence[Hashable] | None) -> Sequence[Hashable]:
    """All nodes, in order."""
    if nodes is None:
        if rows.pairs.dtype == object:
            return list(dict.fromkeys(rows.pairs.ravel().tolist()))
        found: list[Hashable] = np.unique(rows.pairs).tolist()
        return found
    if isinstance(nodes, np.integer):
        nodes = int(nodes)
    labels = range(nodes) if isinstance(nodes, int) else list(nodes)
    known = set(labels)
    for (u, v), number in zip(rows.pairs.tolist(), rows.numbers.tolist(), strict=True):
        for node in (u, v):
            if node not in known:
                fit = (
                    f"{nodes} nodes, numbered 0 … {nodes - 1}; renumber them or give a larger "
                    "number of nodes"
                    if isinstance(nodes, int)
                    else f"the {len(labels)} nodes given; add it to them"
                )
                raise EdgeListProblem(f"{path}, line {number}: node {node} does not fit {fit}.")
    return labels


def _weights(path: Path, rows: _Rows, weighted: bool | None) -> NDArray[np.float64] | None:
    """The weights of all edges; None if there are none, or none are wanted."""
    if rows.names is not None and _HEADER & set(rows.names[2:]):
        raise EdgeListProblem(
            f"{path}: the third column is called {rows.names[2]}; put the two columns of nodes "
            "first, and weights third."
        )
    konect = [_KONECT.match(line.lower()) for _, line in rows.head]
    says = any(found and found[2] not in _UNWEIGHTED for found in konect)
    if weighted is None:
        called = rows.names is not None and len(rows.names) > 2 and rows.names[2] in WEIGHTS
        weighted = says or called
        other = np.isfinite(rows.weights) & (rows.weights != 1)
        if not weighted and other.any():
            row = int(np.argmax(other))
            raise EdgeListProblem(
                f"{path}, line {rows.numbers[row]}: 3 columns, {rows.weights[row]:g} in the third; "
                "pass weighted=True if these are weights, or weighted=False (or delete the column) "
                "if they may be left out."
            )
    if not weighted:
        return None
    bad = ~np.isfinite(rows.weights) | (rows.weights == 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise EdgeListProblem(
            f"{path}, line {rows.numbers[row]}: the weight is missing, 0 or not finite; give every "
            "edge a weight in the third column, and leave out edges without."
        )
    return rows.weights


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """All lines but blank ones, with their numbers."""
    _there(path)
    what = no_text(path)
    if what is not None:
        raise EdgeListProblem(f"{path} {what}; save its edges as text in UTF-8, two nodes a line.")
    opened = gzip.open if is_gzip(path) else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                text = line.strip()
                if text:
                    yield number, text
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise _no_text_in(path, error) from error


def _no_text_in(path: Path, error: Exception) -> EdgeListProblem:
    return EdgeListProblem(
        f"{path} cannot be read as text ({error}); save it as plain text in UTF-8."
    )


def _path(path: str | Path) -> Path:
    if not isinstance(path, str | Path):
        raise EdgeListProblem(
            f"Networks are read from the path of a file, not from a {type(path).__name__}; use "
            "graphs.from_networkx (with networkx.from_pandas_edgelist for a table of edges) or "
            "graphs.from_matrix."
        )
    return Path(path)


def _there(path: Path) -> None:
    if path.is_dir():
        raise EdgeListProblem(f"{path} is a folder; give the file in it.")
    if not path.is_file():
        raise EdgeListProblem(f"{path} is missing; check the path.")


def _separator(line: str) -> str | None:
    """What separates the fields of a file with such a first line; None for white space."""
    # Files of KONECT have blanks and tabs side by side; names may hold blanks.
    if "\t" in line and not all(map(_is_number, line.split())):
        return "\t"
    return next((x for x in (";", ",") if x in line), None)


def _fields(line: str, separator: str | None) -> list[str]:
    if separator is None and '"' not in line:
        return line.split()
    if '"' in line:
        text = line if separator else " ".join(line.split())
        fields = next(csv.reader([text], delimiter=separator or " ", skipinitialspace=True))
    else:
        fields = line.split(separator)
    return [field.strip() for field in fields]


def _word(field: str) -> str:
    """The name of a column in lower case, without blanks, underscores and the like."""
    return re.sub(r"[\W_]+", "", field.lower())


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _node(path: Path, number: int, field: str) -> int:
    if field.isascii() and field.isdecimal() and int(field) <= LARGEST_ID:
        return int(field)
    if "." in field and _is_number(field):  # whole numbers as numpy.savetxt writes them
        value = float(field)
        if value.is_integer() and 0 <= value <= LARGEST_ID:
            return int(value)
    reason = f"node ids are integers from 0 to {LARGEST_ID}"
    if field.startswith("-"):
        reason = "node ids must not be negative; number the nodes from 0"
    elif not _is_number(field):
        reason += " like those above, or names from the first line on"
    raise EdgeListProblem(f"{path}, line {number}: {field!r}: {reason}.")


def _check_head(
    path: Path, head: Sequence[tuple[int, str]], directed: bool, simplify: bool
) -> None:
    """Refuse what the head says and the arguments do not cover."""
    for number, line in head:
        where = f"{path}, line {number}"
        konect = _KONECT.match(line.lower())
        if konect and konect[1] == "bip":
            raise EdgeListProblem(
                f"{where}: the file is bipartite, so that 1 in one column and 1 in the other are "
                "two nodes; add the largest id of the first column to all ids of the second, "
                "and delete this line."
            )
        said = _said_directions(line)
        if directed and said is False:
            raise EdgeListProblem(
                f"{where}: the file says that its edges are undirected; leave out directed=True, "
                "or delete this line if it is wrong."
            )
        if said and not (directed or simplify):
            raise EdgeListProblem(
                f"{where}: the file says that its edges are directed; read it with directed=True "
                "to keep directions, or with simplify=True if they may be left out."
            )


def _said_directions(line: str) -> bool | None:
    """Whether a line of a file's head calls its edges directed; None if it does not say."""
    text = line.lower()
    konect = _KONECT.match(text)
    if konect and konect[1] in ("sym", "asym"):
        return konect[1] == "asym"
    if _DIRECTED.search(text):
        return True
    return False if _UNDIRECTED.search(text) else None


def _kept(
    path: Path, rows: _Rows, ends: NDArray[np.int64], weights: NDArray[np.float64] | None
) -> NDArray[np.int64]:
    """Rows of a simple graph: no self-loops, the first of equal edges."""
    apart = np.flatnonzero(ends[:, 0] != ends[:, 1])
    _, first, which = np.unique(ends[apart], axis=0, return_index=True, return_inverse=True)
    if weights is not None:
        mine = weights[apart]
        differs = mine != mine[first][which.ravel()]
        if differs.any():
            row = int(apart[int(np.argmax(differs))])
            u, v = rows.pairs[row]
            raise EdgeListProblem(
                f"{path}, line {rows.numbers[row]}: edge {u}-{v} is there with another weight; "
                "give each edge one weight, keep directions with directed=True, or leave weights "
                "out with weighted=False."
            )
    return apart[np.sort(first)]


def _check_simple(path: Path, rows: _Rows, ends: NDArray[np.int64], directed: bool) -> None:
    low, high, numbers = ends[:, 0], ends[:, 1], rows.numbers
    loop = np.flatnonzero(low == high)
    if len(loop):
        row = loop[0]
        raise EdgeListProblem(
            f"{path}, line {numbers[row]}: node {rows.pairs[row, 0]} is linked to itself; remove "
            "self-loops, or read the file with simplify=True."
        )
    order = np.lexsort((numbers, high, low))
    same = (np.diff(low[order]) == 0) & (np.diff(high[order]) == 0)
    if same.any():
        later = order[1:][same]
        place = int(np.argmin(numbers[later]))
        row, first = int(later[place]), int(order[:-1][same][place])
        u, v = rows.pairs[first] if directed else sorted(rows.pairs[first].tolist())
        how = "once" if directed else "once, in one direction"
        turned = rows.pairs[row].tolist() != rows.pairs[first].tolist()
        keep = " (or with directed=True to keep directions)" if turned else ""
        raise EdgeListProblem(
            f"{path}, line {numbers[row]}: edge {u}-{v} is already on line {numbers[first]}; keep "
            f"each {'' if directed else 'undirected '}edge {how}, or read the file with "
            f"simplify=True{keep}."
        )
