"""Networks that a user brings along, in files of all formats that are read."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.edge_heads import said_directions
from nodeflow.graphs.edge_lines import (
    COMMENTS,
    SOURCES,
    TARGETS,
    EdgeListProblem,
    check_there,
    lines_of,
    no_text_in,
    parse_edges,
    path_of,
)
from nodeflow.graphs.edge_list import read_edge_list
from nodeflow.graphs.formats import (
    Format,
    format_by_head,
    format_by_name,
    without_prolog,
)
from nodeflow.graphs.graph import WEIGHTS, Graph, from_networkx

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Directions", "directions", "read_network", "read_nodes"]


@dataclass(frozen=True)
class Directions:
    """Whether a file's edges have directions.

    Attributes:
        directed: as the file says, or else as it suggests.
        why: how one can tell, as the end of a sentence.
    """

    directed: bool
    why: str


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
    path = path_of(path)
    check_there(path)
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
    path = path_of(path)
    check_there(path)
    known = format_by_name(path) or _format_of_first_line(path)
    if known is not None:
        directed = _networkx(path, known).is_directed()
        return Directions(directed, f"{known.name} file says so")
    rows = parse_edges(path)
    for number, line in rows.head:
        said = said_directions(line)
        if said is not None:
            return Directions(said, f"line {number} of the file says so")
    if rows.names is not None and (SOURCES | TARGETS) & set(rows.names[:2]):
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
    path = path_of(path)
    check_there(path)
    lines = [(number, line) for number, line in lines_of(path) if not line.startswith(COMMENTS)]
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
        raise no_text_in(path, error) from error
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
    bare = next(((u, v) for u, v, attributes in edges if weight not in attributes), None)
    if bare and (asked or any(attributes.get(weight, 1) != 1 for *_, attributes in edges)):
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


def _format_of_first_line(path: Path) -> Format | None:
    for _, line in lines_of(path):
        says = without_prolog(line)
        if says:
            return format_by_head(says)
    return None
