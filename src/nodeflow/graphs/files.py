"""Edge lists that a user brings along."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nodeflow.graphs.graph import WEIGHTS, Graph, build_graph
from nodeflow.problems import Problem

__all__ = ["EdgeListProblem", "read_edge_list"]

COMMENTS = ("#", "%")
LARGEST_ID = np.iinfo(np.int32).max - 1


class EdgeListProblem(Problem):
    """An edge list cannot be used; the text names the file, the line and the cure."""


@dataclass(frozen=True)
class _Format:
    """A format of graphs that is no edge list.

    Attributes:
        name: as its users call it.
        suffixes: how its files' names end.
        head: pattern of the first line that says something, in lower case.
        reader: what makes a networkx graph of it; empty if networkx has no reader.
        condition: of the reader, that it loses nothing.
        unless: what may be wrong about recognizing the file by its name.
    """

    name: str
    suffixes: tuple[str, ...]
    head: str
    reader: str = ""
    condition: str = ""
    unless: str = " (if it holds nothing but two node ids a line, let its name end in .txt)"


_FORMATS = (
    _Format(
        "a Matrix Market",
        (".mtx",),
        r"%%?\s*matrixmarket",
        "networkx.from_scipy_sparse_array(scipy.io.mmread({path!r}))",
        condition="if the matrix is symmetric, ",
        unless=" (its first line of numbers is the size of the matrix, not an edge)",
    ),
    _Format(
        "a Pajek",
        (".net", ".paj"),
        r"\*(vertices|network|arcs|edges|matrix)",
        "networkx.read_pajek({path!r})",
    ),
    _Format(
        "a GML",
        (".gml",),
        r'graph\s*(\[|$)|creator\s*"|version\s+\d',
        "networkx.read_gml({path!r})",
    ),
    _Format("a GraphML", (".graphml",), r"<graphml", "networkx.read_graphml({path!r})"),
    _Format("a GEXF", (".gexf",), r"<gexf", "networkx.read_gexf({path!r})"),
    _Format("an XML", (".xml",), r"<"),
    _Format(
        "a DOT",
        (".dot", ".gv"),
        r"(strict\s+)?(di)?graph\b[^\[]*\{|(strict\s+)?digraph\b",
        "networkx.nx_pydot.read_dot({path!r})",
    ),
    _Format("a UCINET", (".dl",), r"dl\b"),
    _Format("a LEDA", (".lgr",), r"leda\.graph", "networkx.read_leda({path!r})"),
    _Format("a graph6", (".g6",), r">>graph6<<", "networkx.read_graph6({path!r})"),
    _Format("a sparse6", (".s6",), r">>sparse6<<|:", "networkx.read_sparse6({path!r})"),
    _Format("a METIS", (".metis", ".graph"), r"(?!)"),
    _Format("a DIMACS", (".dimacs", ".clq", ".col"), r"p\s+(edge|col|sp|max|tw)\b|c\s|c$"),
    _Format("a JSON", (".json",), r"[{\[]", "networkx.node_link_graph(json.load(open({path!r})))"),
)

_KONECT = re.compile(r"%\s*(sym|asym|bip)\b\s*(\w*)")
"""The first line of a file of KONECT: whether it is directed or bipartite, and its weights."""

_UNWEIGHTED = ("", "unweighted", "positive")
"""KONECT's words for edges without weights; those of `positive` may be repeated."""

_DIRECTED = re.compile(r"(?<!non-)(?<!non )(?<!not )\bdirected\b(?!\"?\s*[:=]\s*\"?(no|false|0)\b)")


@dataclass(frozen=True)
class _Rows:
    """The lines of an edge list.

    Attributes:
        pairs: (M, 2) node ids.
        numbers: (M,) the line of each.
        head: comments above the first edge, with their lines.
    """

    pairs: np.ndarray
    numbers: np.ndarray
    head: Sequence[tuple[int, str]]


def read_edge_list(path: str | Path, nodes: int | None = None, *, simplify: bool = False) -> Graph:
    """Read an undirected edge list: two node ids a line.

    Ids are separated by a comma, a semicolon, or white space. Blank lines and lines that begin
    with # or % are skipped; so is a first line without a number (a header). The file may be
    compressed with gzip (name ending in .gz). A third column is allowed if it says that edges have
    no weights: 1 in every line, or the `{}` of networkx.

    Nothing that a file says is left out in silence. A file whose head calls it directed, weighted
    or bipartite (as those of SNAP and KONECT do) is refused, and so are repeated edges, self-loops
    and files of other formats (Matrix Market, Pajek, GML, GraphML …).

    Args:
        path: the file.
        nodes: number of nodes, with ids 0 … nodes − 1, some of which may have no edge. By default
            the nodes are the ids that occur, renumbered from 0 in ascending order.
        simplify: read the simple undirected graph behind the file: directions do not count, an edge
            that is there more than once (in either direction) is one edge, and self-loops are
            dropped; their nodes are kept.

    Raises:
        EdgeListProblem: the file is missing, unreadable, empty or of another format, its head says
            that it is more than an undirected graph, or a line is not a pair of non-negative
            integers, has a weight, is a self-loop, repeats an edge, or names a node that is not
            below `nodes`.
    """
    path = Path(path)
    _check_name(path)
    rows = _parse(path)
    _check_head(path, rows.head, simplify)
    _check_range(path, rows, nodes)
    pairs = rows.pairs
    if nodes is None:
        ids, renumbered = np.unique(pairs, return_inverse=True)
        nodes, pairs = len(ids), renumbered.reshape(-1, 2)
    if simplify:
        pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    else:
        _check_simple(path, rows)
    return build_graph(nodes, pairs)


def _check_name(path: Path) -> None:
    plain = path.name.lower().removesuffix(".gz")
    for known in _FORMATS:
        if plain.endswith(known.suffixes):
            raise EdgeListProblem(
                f"{path} has the name of {known.name} file, which is no edge list; "
                f"{_cure(path, known)}{known.unless}."
            )


def _check_format(path: Path, number: int, line: str) -> None:
    """Refuse a file whose first line, or first comment, is that of another format."""
    for known in _FORMATS:
        if re.match(known.head, line.lower()):
            raise EdgeListProblem(
                f"{path}, line {number}: this is {known.name} file and no edge list; "
                f"{_cure(path, known)}."
            )


def _cure(path: Path, known: _Format) -> str:
    if not known.reader:
        return "save its edges as text, two node ids a line"
    reader = known.reader.format(path=str(path))
    return (
        f"{known.condition}use graphs.from_networkx({reader}), or save its edges as text, two node "
        "ids a line"
    )


def _parse(path: Path) -> _Rows:
    pairs: list[tuple[int, int]] = []
    numbers: list[int] = []
    head: list[tuple[int, str]] = []
    names: list[str] | None = None
    width = 0
    for number, line in _lines(path):
        is_comment = line.startswith(COMMENTS)
        if not pairs and names is None and not (is_comment and head):
            says = _without_prolog(line)
            if not says:
                continue
            _check_format(path, number, says)
        if is_comment:
            if not pairs:
                head.append((number, line))
            continue
        fields = _fields(line)
        if not pairs and names is None and not any(_is_number(field) for field in fields):
            names = [field.lower() for field in fields]
            continue
        width = width or len(fields)
        if not len(fields) == width == 2:
            _check_columns(path, number, fields, width, names)
        pairs.append((_node(path, number, fields[0]), _node(path, number, fields[1])))
        numbers.append(number)
    if not pairs:
        raise EdgeListProblem(f"{path} holds no edges; give one line 'source target' for each.")
    return _Rows(np.array(pairs, dtype=np.int64), np.array(numbers, dtype=np.int64), head)


def _without_prolog(line: str) -> str:
    """A line of XML from its first element that is no declaration or comment."""
    return re.sub(r"<[?!][^>]*>\s*", "", line) if line.startswith("<") else line


def _check_columns(
    path: Path, number: int, fields: Sequence[str], width: int, names: Sequence[str] | None
) -> None:
    """Refuse all but two node ids, and perhaps a third column that says nothing."""
    where = f"{path}, line {number}"
    if len(fields) != width:
        raise EdgeListProblem(
            f"{where}: {len(fields)} columns after {width} above; give every line the same two "
            "columns of node ids."
        )
    if len(fields) != 3:
        raise EdgeListProblem(
            f"{where}: {len(fields)} columns; keep the two columns of node ids "
            "(weights and times are not used)."
        )
    named = names is None or (len(names) == 3 and names[2] in WEIGHTS)
    if not named or not (fields[2] == "{}" or (_is_number(fields[2]) and float(fields[2]) == 1)):
        raise EdgeListProblem(
            f"{where}: 3 columns, {fields[2]!r} in the third; weights other than 1 and times are "
            "not used, so keep the two columns of node ids if the third may be left out."
        )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """All lines but blank ones, with their numbers."""
    if not path.is_file():
        raise EdgeListProblem(f"{path} is missing; check the path in graphs.files.")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                text = line.strip()
                if text:
                    yield number, text
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise EdgeListProblem(
            f"{path} cannot be read as text ({error}); save it as plain UTF-8 text, or as gzip "
            "with a name ending in .gz."
        ) from error


def _fields(line: str) -> list[str]:
    for separator in (",", ";"):
        if separator in line:
            return [field.strip().strip('"') for field in line.split(separator)]
    return line.split()


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _node(path: Path, number: int, field: str) -> int:
    if field.isascii() and field.isdecimal() and int(field) <= LARGEST_ID:
        return int(field)
    reason = f"node ids are integers from 0 to {LARGEST_ID}"
    if field.startswith("-"):
        reason = "node ids must not be negative; number the nodes from 0"
    elif not _is_number(field):
        reason += "; number the nodes, or use graphs.from_networkx, which takes names"
    raise EdgeListProblem(f"{path}, line {number}: {field!r}: {reason}.")


def _check_head(path: Path, head: Sequence[tuple[int, str]], simplify: bool) -> None:
    """Refuse what the head says beyond an undirected graph and `simplify` does not cover."""
    for number, line in head:
        where = f"{path}, line {number}"
        konect = _KONECT.match(line.lower())
        if konect and konect[1] == "bip":
            raise EdgeListProblem(
                f"{where}: the file is bipartite, so that 1 in one column and 1 in the other are "
                "two nodes; add the largest id of the first column to all ids of the second, "
                "and delete this line."
            )
        if konect and konect[2] not in _UNWEIGHTED:
            raise EdgeListProblem(
                f"{where}: edges have weights ({konect[2]}), which are not used; if they may be "
                "left out, delete this line and keep the two columns of node ids."
            )
        if simplify:
            continue
        if (konect and konect[1] == "asym") or _DIRECTED.search(line.lower()):
            raise EdgeListProblem(
                f"{where}: the file says that its edges are directed, and directions are not used; "
                "if they may be left out, read it with simplify=True, or delete this line and keep "
                "each edge once."
            )


def _check_range(path: Path, rows: _Rows, nodes: int | None) -> None:
    high = rows.pairs.max(axis=1)
    if nodes is not None and high.max() >= nodes:
        row = int(np.argmax(high >= nodes))
        raise EdgeListProblem(
            f"{path}, line {rows.numbers[row]}: node {high[row]} does not fit {nodes} nodes, "
            f"numbered 0 … {nodes - 1}; renumber them or give a larger number of nodes."
        )


def _check_simple(path: Path, rows: _Rows) -> None:
    low, high, numbers = rows.pairs.min(axis=1), rows.pairs.max(axis=1), rows.numbers
    loop = np.flatnonzero(low == high)
    if len(loop):
        row = loop[0]
        raise EdgeListProblem(
            f"{path}, line {numbers[row]}: node {low[row]} is linked to itself; remove self-loops, "
            "or read the file with simplify=True."
        )
    order = np.lexsort((numbers, high, low))
    same = (np.diff(low[order]) == 0) & (np.diff(high[order]) == 0)
    if same.any():
        later = order[1:][same]
        row = int(np.argmin(numbers[later]))
        first = order[:-1][same][row]
        raise EdgeListProblem(
            f"{path}, line {numbers[later[row]]}: edge {low[first]}-{high[first]} is already on "
            f"line {numbers[first]}; keep each undirected edge once, in one direction, or read the "
            "file with simplify=True."
        )
