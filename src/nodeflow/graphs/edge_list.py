"""Edge lists: two nodes a line, and perhaps a weight."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodeflow.graphs.edge_heads import KONECT, UNWEIGHTED, check_head
from nodeflow.graphs.edge_lines import (
    HEADER,
    EdgeListProblem,
    EdgeRows,
    cure_of,
    parse_edges,
    path_of,
)
from nodeflow.graphs.formats import format_by_name
from nodeflow.graphs.graph import WEIGHTS, Graph, build_graph

__all__ = ["read_edge_list"]


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
    path = path_of(path)
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
