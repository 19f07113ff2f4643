"""Networks that a user brings along: edge lists, and files of a few other formats."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.edge_heads import KONECT, UNWEIGHTED, check_head, said_directions
from nodeflow.graphs.edge_lines import (
    COMMENTS,
    HEADER,
    SOURCES,
    TARGETS,
    EdgeListProblem,
    EdgeRows,
    check_there,
    cure_of,
    lines_of,
    no_text_in,
    parse_edges,
)
from nodeflow.graphs.formats import (
    Format,
    format_by_head,
    format_by_name,
    without_prolog,
)
from nodeflow.graphs.graph import WEIGHTS, Graph, build_graph, from_networkx

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Directions", "directions", "read_edge_list", "read_network", "read_nodes"]


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
    path = _path(path)
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
    path = _path(path)
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
    path = _path(path)
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
            f"{cure_of(path, known)}{known.unless}."
        )
    rows = parse_edges(path)
    if nodes is None and not len(rows.pairs):
        raise EdgeListProblem(
            f"{path} holds no edges; give one line 'source target' for each, or name all nodes if "
            "there are none."
        )
    check_head(path, rows.head, bool(directed), simplify)
    weights = _weights(path, rows, weighted)
    if directed is None:
        directed = not simplify and weights is not None and _differ_both_ways(rows, weights)
        check_head(path, rows.head, directed, simplify)
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


def _differ_both_ways(rows: EdgeRows, weights: NDArray[np.float64]) -> bool:
    """Whether two nodes are linked in both directions, with another weight in each."""
    of = {(u, v): w for (u, v), w in zip(rows.pairs.tolist(), weights.tolist(), strict=True)}
    return any(of.get((v, u), w) != w for (u, v), w in of.items())


def _format_of_first_line(path: Path) -> Format | None:
    for _, line in lines_of(path):
        says = without_prolog(line)
        if says:
            return format_by_head(says)
    return None


def _labels(
    path: Path, rows: EdgeRows, nodes: int | Sequence[Hashable] | None
) -> Sequence[Hashable]:
    """All nodes, in order."""
    if nodes is None:
        if rows.pairs.dtype == object:
            return list(dict.fromkeys(rows.pairs.ravel().tolist()))
        ids: list[Hashable] = np.unique(rows.pairs).tolist()
        return ids
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


def _weights(path: Path, rows: EdgeRows, weighted: bool | None) -> NDArray[np.float64] | None:
    """The weights of all edges; None if there are none, or none are wanted."""
    if rows.names is not None and HEADER & set(rows.names[2:]):
        raise EdgeListProblem(
            f"{path}: the third column is called {rows.names[2]}; put the two columns of nodes "
            "first, and weights third."
        )
    konect = [KONECT.match(line.lower()) for _, line in rows.head]
    says = any(declared and declared[2] not in UNWEIGHTED for declared in konect)
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


def _path(path: str | Path) -> Path:
    if not isinstance(path, str | Path):
        raise EdgeListProblem(
            f"Networks are read from the path of a file, not from a {type(path).__name__}; use "
            "graphs.from_networkx (with networkx.from_pandas_edgelist for a table of edges) or "
            "graphs.from_matrix."
        )
    return Path(path)


def _kept(
    path: Path, rows: EdgeRows, ends: NDArray[np.int64], weights: NDArray[np.float64] | None
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


def _check_simple(path: Path, rows: EdgeRows, ends: NDArray[np.int64], directed: bool) -> None:
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
        first_repeat = int(np.argmin(numbers[later]))
        row, first = int(later[first_repeat]), int(order[:-1][same][first_repeat])
        u, v = rows.pairs[first] if directed else sorted(rows.pairs[first].tolist())
        how = "once" if directed else "once, in one direction"
        turned = rows.pairs[row].tolist() != rows.pairs[first].tolist()
        keep = " (or with directed=True to keep directions)" if turned else ""
        raise EdgeListProblem(
            f"{path}, line {numbers[row]}: edge {u}-{v} is already on line {numbers[first]}; keep "
            f"each {'' if directed else 'undirected '}edge {how}, or read the file with "
            f"simplify=True{keep}."
        )
