"""Formats of networks that are no edge lists: which they are, and those that are read."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["FORMATS", "Format", "format_by_head", "format_by_name", "without_prolog"]


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


def _by_networkx(reader: str) -> Callable[[Path], nx.Graph[Any]]:
    def read(path: Path) -> nx.Graph[Any]:
        import networkx as nx

        graph: nx.Graph[Any] = getattr(nx, reader)(path)
        return graph

    return read


def _read_matrix_market(path: Path) -> nx.Graph[Any]:
    """A square matrix: an entry in row i and column j is an edge from i to j, numbered from 1."""
    import networkx as nx
    import scipy.io
    import scipy.sparse as sp

    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        symmetric = b"symmetric" in file.readline().lower()
        file.seek(0)
        matrix = sp.coo_array(scipy.io.mmread(cast("IO[bytes]", file)))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"the matrix is {matrix.shape[0]} × {matrix.shape[1]} and not square")
    graph: nx.Graph[Any] = nx.from_scipy_sparse_array(
        matrix, create_using=nx.Graph if symmetric else nx.DiGraph
    )
    return nx.relabel_nodes(graph, {node: node + 1 for node in graph})


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
        _by_networkx("read_pajek"),
    ),
    Format(
        "a GML",
        (".gml",),
        r'graph\s*(\[|$)|creator\s*"|version\s+\d',
        _by_networkx("read_gml"),
    ),
    Format("a GraphML", (".graphml",), r"<graphml", _by_networkx("read_graphml")),
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
