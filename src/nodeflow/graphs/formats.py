"""Formats of networks that are no edge lists: which they are, and those that are read."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from nodeflow.problems import repeated

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "FORMATS",
    "PARQUET",
    "Format",
    "format_by_head",
    "format_by_name",
    "is_gzip",
    "no_text",
    "starts_with",
    "without_prolog",
]

PARQUET = b"PAR1"
"""How a file of Parquet begins."""

_GZIP = b"\x1f\x8b"

_NO_TEXT = {
    b"PK\x03\x04": "is a workbook of Excel or a zip archive",
    b"\xd0\xcf\x11\xe0": "is a workbook of Excel",
    b"\xff\xfe": "is text in UTF-16",
    b"\xfe\xff": "is text in UTF-16",
    b"\x89HDF": "is an HDF5 file",
    PARQUET: "is a Parquet file",
}
"""Files that are no text in UTF-8, by how they begin."""


def starts_with(path: Path, head: bytes) -> bool:
    """Whether a file begins with these bytes."""
    with path.open("rb") as file:
        return file.read(len(head)) == head


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed by gzip, whatever its name."""
    return starts_with(path, _GZIP)


def no_text(path: Path) -> str | None:
    """What a file is if it is known to be no text, as part of a sentence."""
    return next((what for head, what in _NO_TEXT.items() if starts_with(path, head)), None)


@dataclass(frozen=True)
class Format:
    """A format of networks that is no edge list.

    Attributes:
        name: as its users call it.
        suffixes: how its files' names end.
        head: pattern of the first line that says something, in lower case.
        read: makes a networkx graph of a file; None if the format is not read.
        unless: what may be wrong about recognizing the file by its name.
    """

    name: str
    suffixes: tuple[str, ...]
    head: str
    read: Callable[[Path], nx.Graph[Any]] | None = None
    unless: str = " (if it holds nothing but two node ids a line, let its name end in .txt)"


def _read_gml(path: Path) -> nx.Graph[Any]:
    """Nodes by their labels, else by their names, as igraph writes them, else by their ids.

    Parallel edges are kept, whatever the file says of them.
    """
    import networkx as nx

    text = re.sub(r"\bmultigraph\s+[01]\b", "", "\n".join(_text(path)))
    text = re.sub(r"\bgraph\s*\[", "graph [ multigraph 1 ", text, count=1)
    graph: nx.Graph[Any] = nx.parse_gml(text.splitlines(), label="id")
    labels = nx.get_node_attributes(graph, "label")
    twice = repeated(labels.values())
    if twice:
        raise ValueError(f"two nodes are called {twice[0]!r}")
    return _called(graph, ("label", "name"))


def _read_graphml(path: Path) -> nx.Graph[Any]:
    """Nodes by their ids; where these only number them, by their names, if they have any."""
    import networkx as nx

    with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
        graph: nx.Graph[Any] = nx.read_graphml(cast("IO[bytes]", file))
    numbered = all(re.fullmatch(r"n?\d+", str(node)) for node in graph)
    return _called(graph, ("name", "label")) if numbered else graph


def _called(graph: nx.Graph[Any], attributes: Sequence[str]) -> nx.Graph[Any]:
    """The same with nodes called by the first attribute that tells all of them apart."""
    import networkx as nx

    for attribute in attributes:
        names = nx.get_node_attributes(graph, attribute)
        if len(set(names.values())) == len(graph):
            return nx.relabel_nodes(graph, names)
    return graph


def _read_matrix_market(path: Path) -> nx.Graph[Any]:
    """A square matrix: an entry in row i and column j is an edge from i to j, numbered from 1."""
    import networkx as nx
    import scipy.io
    import scipy.sparse as sp

    with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
        symmetric = file.readline().lower().split()[-1:] == [b"symmetric"]
        file.seek(0)
        matrix = sp.coo_array(scipy.io.mmread(cast("IO[bytes]", file)))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"the matrix is {matrix.shape[0]} × {matrix.shape[1]} and not square")
    cells, count = np.unique(np.ravel_multi_index(matrix.coords, matrix.shape), return_counts=True)
    if (count > 1).any():
        row, column = divmod(int(cells[int(np.argmax(count > 1))]), matrix.shape[1])
        raise ValueError(f"the entry in row {row + 1} and column {column + 1} is there twice")
    graph: nx.Graph[Any] = nx.from_scipy_sparse_array(
        matrix, create_using=nx.Graph if symmetric else nx.DiGraph
    )
    return nx.relabel_nodes(graph, {node: node + 1 for node in graph})


def _read_pajek(path: Path) -> nx.Graph[Any]:
    """Vertices by their labels or numbers, and what links them. Edges without a weight have 1.

    There are arcs, edges (each two arcs if there are any arcs), lists of either, and matrices,
    whose rows act on their columns. networkx's reader leaves out directions where a file has arcs
    and edges, and takes the second node of a list for a weight.
    """
    import networkx as nx

    names: dict[str, str] = {}
    links: dict[str, list[tuple[str, str, float]]] = {"arcs": [], "edges": []}
    section, row = "", 0
    for number, line in enumerate(_text(path), start=1):
        fields = [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]
        if not fields or line.startswith("%"):
            continue
        if line.startswith("*"):
            section, row = fields[0].lower().lstrip("*").rstrip(":"), 0
            if section == "vertices":
                names = {str(i + 1): str(i + 1) for i in range(_count(fields, number))}
            elif section not in ("network", *links, "arcslist", "edgeslist", "matrix"):
                raise ValueError(f"line {number}: *{section} is not read; delete that part")
        elif section == "vertices":
            _known(names, fields[:1], number)
            names[fields[0]] = fields[1] if len(fields) > 1 else fields[0]
        elif section in links:
            u, v = _known(names, fields[:2], number, 2)
            links[section].append((u, v, _weight(fields[2:])))
        elif section in ("arcslist", "edgeslist"):
            first, *others = _known(names, fields, number)
            links[section.removesuffix("list")] += [(first, other, 1.0) for other in others]
        elif section == "matrix":
            row += 1
            _known(names, [str(row), str(len(fields))], number)
            for column, field in enumerate(fields, start=1):
                if float(field):
                    links["arcs"].append((str(row), str(column), float(field)))
        else:
            raise ValueError(f"line {number}: there is no *Vertices above")
    twice = repeated(names.values())
    if twice:
        raise ValueError(f"two vertices are called {twice[0]!r}")
    graph: nx.Graph[Any] = nx.MultiDiGraph() if links["arcs"] else nx.MultiGraph()
    graph.add_nodes_from(names.values())
    both = [(v, u, w) for u, v, w in links["edges"] if u != v] if links["arcs"] else []
    for u, v, weight in (*links["arcs"], *links["edges"], *both):
        graph.add_edge(names[u], names[v], weight=weight)
    return graph


def _text(path: Path) -> list[str]:
    with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
        return file.read().decode("utf-8-sig").splitlines()


def _known(names: dict[str, str], vertices: list[str], number: int, count: int = 1) -> list[str]:
    bad = next((vertex for vertex in vertices if vertex not in names), None)
    if len(vertices) < count:
        raise ValueError(f"line {number}: an edge has two vertices")
    if bad is not None:
        raise ValueError(f"line {number}: there is no vertex {bad}; there are {len(names)}")
    return vertices


def _count(fields: list[str], number: int) -> int:
    if len(fields) < 2 or not fields[1].isdecimal():
        raise ValueError(f"line {number}: *Vertices stands without their number")
    return int(fields[1])


def _weight(fields: list[str]) -> float:
    """What stands behind the two nodes of an edge; 1 if that is how it is drawn, or nothing."""
    try:
        return float(fields[0])
    except (IndexError, ValueError):
        return 1.0


FORMATS = (
    Format(
        "a Matrix Market",
        (".mtx",),
        r"%%?\s*matrixmarket",
        _read_matrix_market,
        " (its first line of numbers is the size of the matrix, not an edge)",
    ),
    Format(
        "a Pajek",
        (".net", ".paj"),
        r"\*(vertices|network|arcs|edges|matrix)",
        _read_pajek,
    ),
    Format(
        "a GML",
        (".gml",),
        r'graph\s*(\[|$)|creator\s*"|version\s+\d',
        _read_gml,
    ),
    Format("a GraphML", (".graphml",), r"<graphml", _read_graphml),
    Format("a GEXF", (".gexf",), r"<gexf"),
    Format("an XML", (".xml",), r"<"),
    Format("a DOT", (".dot", ".gv"), r"(strict\s+)?(di)?graph\b[^\[]*\{|(strict\s+)?digraph\b"),
    Format("a UCINET", (".dl",), r"dl\b"),
    Format("a LEDA", (".lgr",), r"leda\.graph"),
    Format("a graph6", (".g6",), r">>graph6<<"),
    Format("a sparse6", (".s6",), r">>sparse6<<|:"),
    Format("a METIS", (".metis", ".graph"), r"(?!)"),
    Format("a DIMACS", (".dimacs", ".clq", ".col"), r"p\s+(edge|col|sp|max|tw)\b|c\s|c$"),
    Format("a JSON", (".json",), r"[{\[]"),
)


def format_by_name(path: Path) -> Format | None:
    """The format that a file's name says it has; None if it may be an edge list."""
    plain = path.name.lower().removesuffix(".gz")
    return next((known for known in FORMATS if plain.endswith(known.suffixes)), None)


def format_by_head(line: str) -> Format | None:
    """The format whose files begin with such a line; None if it may be that of an edge list."""
    return next((known for known in FORMATS if re.match(known.head, line.lower())), None)


def without_prolog(line: str) -> str:
    """A line of XML from its first element that is no declaration or comment."""
    return re.sub(r"<[?!][^>]*>\s*", "", line) if line.startswith("<") else line
