"""Simple graphs, undirected or directed, weighted or not, as sorted edge arrays."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.sparse import csr_array

from nodeflow.graphs.checked import GraphProblem, checked_coordinate, checked_edges, checked_names

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "WEIGHTS",
    "Graph",
    "build_graph",
    "check_graphs",
    "from_matrix",
    "from_networkx",
    "to_networkx",
]

WEIGHTS = frozenset({"weight", "weights", "w", "value", "count", "strength", "sign"})
"""What weights of edges are called, in attributes of networkx and in headers of edge lists."""

_NO_WEIGHT = object()


@dataclass(frozen=True, eq=False)
class Graph:
    """A simple graph on the nodes 0 … n−1; made by `build_graph`, which checks it.

    Attributes:
        n: number of nodes, at least 1.
        edges: shape (M, 2), rows sorted lexicographically and unique. Undirected: u < v in each
            row. Directed: a row (j, i) says that j acts on i.
        kappa: shape (n,), hidden degrees, where the graph has them.
        x: shape (n,), positions on the ring of circumference 1, where the graph has them.
        weights: shape (M,), finite and not zero, where edges are weighted; they may be negative.
        directed: whether edges have a direction.
        names: n names as the user has them, where there are some.
    """

    n: int
    edges: NDArray[np.int32]
    kappa: NDArray[np.float64] | None = None
    x: NDArray[np.float64] | None = None
    weights: NDArray[np.float64] | None = None
    directed: bool = False
    names: tuple[Hashable, ...] | None = None

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Number of neighbours, shape (n,); in a directed graph of those that act on the node."""
        ends = self.edges[:, 1] if self.directed else self.edges.ravel()
        return np.bincount(ends, minlength=self.n)

    @property
    def labels(self) -> tuple[Hashable, ...]:
        """The names of the nodes, or 0 … n−1 where they have none."""
        return tuple(range(self.n)) if self.names is None else self.names

    def adjacency(self, dtype: DTypeLike = np.float64) -> csr_array:
        """The matrix A, shape (n, n), with sorted column indices: A_ij is what j does to i.

        Entries are weights, or 1 without weights; undirected graphs have a symmetric one.
        """
        rows, columns = self.edges[:, 1], self.edges[:, 0]
        if not self.directed:
            rows, columns = np.concatenate([rows, columns]), np.concatenate([columns, rows])
        if self.weights is None:
            values = np.ones(len(rows), dtype=dtype)
        else:
            values = np.resize(self.weights, len(rows)).astype(dtype)
        matrix = csr_array((values, (rows, columns)), shape=(self.n, self.n))
        matrix.sort_indices()
        return matrix

    def skeleton(self) -> Graph:
        """Which nodes are linked at all: the graph without directions and weights."""
        if not self.directed and self.weights is None:
            return self
        pairs = np.unique(np.sort(self.edges, axis=1), axis=0)
        return build_graph(self.n, pairs, self.kappa, self.x, names=self.names)

    def simple(self) -> Graph:
        """The graph itself, for functions that are defined without directions and weights only.

        Raises:
            GraphProblem: it has one of them.
        """
        if self.directed or self.weights is not None:
            kind = "directed" if self.directed else "weighted"
            raise GraphProblem(
                f"This is defined for undirected graphs without weights, and the graph is {kind}; "
                "pass graph.skeleton() to look at which nodes are linked at all."
            )
        return self

    def subgraph(self, nodes: Sequence[int] | NDArray[np.integer]) -> Graph:
        """The induced subgraph; its node i is `nodes[i]`.

        Raises:
            GraphProblem: a node is out of range or named twice.
        """
        kept = np.asarray(nodes, dtype=np.int64)
        if kept.ndim != 1 or len(kept) == 0:
            raise GraphProblem("A subgraph needs a list of at least one node.")
        if kept.min() < 0 or kept.max() >= self.n:
            raise GraphProblem(f"Nodes of a subgraph must lie in 0 … {self.n - 1}.")
        new_name = np.full(self.n, -1, dtype=np.int64)
        new_name[kept] = np.arange(len(kept))
        if np.count_nonzero(new_name >= 0) != len(kept):
            raise GraphProblem("A subgraph cannot hold a node twice; name each node once.")
        renamed = new_name[self.edges]
        inside = (renamed >= 0).all(axis=1)
        return build_graph(
            len(kept),
            renamed[inside],
            kappa=None if self.kappa is None else self.kappa[kept],
            x=None if self.x is None else self.x[kept],
            weights=None if self.weights is None else self.weights[inside],
            directed=self.directed,
            names=None if self.names is None else [self.names[node] for node in kept],
        )


def build_graph(
    n: int,
    edges: ArrayLike,
    kappa: ArrayLike | None = None,
    x: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    directed: bool = False,
    names: Sequence[Hashable] | None = None,
) -> Graph:
    """Check and sort edges, with their weights, and coordinates.

    Args:
        n: number of nodes.
        edges: shape (M, 2), rows in any order, each edge once. Undirected: ends in any order.
            Directed: (j, i) where j acts on i.
        kappa: hidden degrees, shape (n,), positive and finite.
        x: positions, shape (n,), in [0, 1).
        weights: of the edges, shape (M,), finite and not zero. Weights that are all 1 are none.
        directed: whether edges have a direction.
        names: n different names of the nodes.

    Raises:
        GraphProblem: no nodes, self-loops, duplicates, negative or too large ids, or weights,
            names or coordinates of the wrong shape or range.
    """
    if not isinstance(n, int | np.integer) or n < 1 or n > np.iinfo(np.int32).max:
        raise GraphProblem(f"A graph has 1 to 2147483647 nodes, not {n!r}.")
    labels = checked_names(n, names)
    pairs, strengths = checked_edges(n, edges, weights, directed, labels)
    return Graph(
        int(n),
        pairs,
        checked_coordinate(n, kappa, "kappa", low=0.0, low_included=False, high=np.inf),
        checked_coordinate(n, x, "x", low=0.0, low_included=True, high=1.0),
        strengths,
        directed,
        labels,
    )


def check_graphs(graphs: Sequence[Graph]) -> None:
    """Check that these are graphs, and not one graph or graphs of another library.

    Raises:
        GraphProblem: they are not.
    """
    if isinstance(graphs, Graph) or not isinstance(graphs, Sequence):
        raise GraphProblem(
            f"A list of graphs is needed, not {type(graphs).__name__}; put a single one in "
            "brackets, [graph]."
        )
    for index, graph in enumerate(graphs):
        if not isinstance(graph, Graph):
            raise GraphProblem(
                f"Graph {index} of the list is {type(graph).__name__}; make graphs with "
                "graphs.from_networkx, graphs.build_graph or graphs.read_edge_list."
            )


def from_networkx(
    graph: nx.Graph[Any], *, weight: str | None = "weight", directed: bool | None = None
) -> Graph:
    """A networkx graph with its weights and names; node i is the i-th node in networkx's order.

    Args:
        graph: the graph.
        weight: the edge attribute that holds weights; None leaves weights out. Without such an
            attribute edges have none. Attributes that do not weigh edges do not count.
        directed: True keeps the directions of a directed graph: an edge goes from the node that
            acts to the one that it acts on. By default those of a weighted one are kept, for a
            weight says what one node does to the other; without weights they are often but the
            order in which a file names two ends, so that they have to be asked for. False keeps
            none: a directed graph is refused.

    Raises:
        GraphProblem: the graph is directed and its directions are not kept; it has self-loops or
            parallel edges; some edges have no weight and others do, or a weight is no number; an
            attribute of another name that usually holds weights (see `WEIGHTS`) is not 1
            everywhere; or it is no networkx graph.
    """
    import networkx as nx  # which whoever has such a graph has loaded

    if not isinstance(graph, nx.Graph):
        raise GraphProblem(
            f"from_networkx takes a networkx graph, not {type(graph).__name__}; use "
            "graphs.from_matrix for an array or a sparse matrix."
        )
    if graph.is_directed() and not (directed or (directed is None and _weighted(graph, weight))):
        raise GraphProblem(
            "The graph is directed; pass directed=True to keep directions, or, if they may be left "
            "out, graph.to_undirected()."
        )
    index = {node: i for i, node in enumerate(graph)}
    pairs: dict[tuple[int, int], Any] = {}
    for u, v, attributes in graph.edges(data=True):
        if u == v:
            raise GraphProblem(
                f"Node {u!r} is linked to itself; remove self-loops: "
                "graph.remove_edges_from(list(networkx.selfloop_edges(graph)))."
            )
        pair = index[u], index[v]
        if pair in pairs or (not graph.is_directed() and pair[::-1] in pairs):
            kind = "networkx.DiGraph(graph)" if graph.is_directed() else "networkx.Graph(graph)"
            raise GraphProblem(
                f"There is more than one edge between {u!r} and {v!r}; keep one: {kind}."
            )
        pairs[pair] = _NO_WEIGHT
        if weight is not None:
            pairs[pair] = attributes.get(weight, _NO_WEIGHT)
            _refuse_other_weights(u, v, attributes, weight)
    return build_graph(
        len(index),
        list(pairs),
        weights=_weights_of(pairs, list(index), weight),
        directed=graph.is_directed(),
        names=None if list(index) == list(range(len(index))) else list(index),
    )


def from_matrix(adjacency: Any, names: Sequence[Hashable] | None = None) -> Graph:
    """A graph from its adjacency matrix A: A_ij, in row i and column j, is what j does to i.

    Args:
        adjacency: (n, n) numbers, dense or of scipy.sparse. If it is not symmetric the graph is
            directed; entries other than 0 and 1 are weights.
        names: n different names of the nodes.

    Raises:
        GraphProblem: the matrix is not square, holds something that is no finite real number, links
            a node to itself, or is a table of pandas, whose names might be in another order.
    """
    import scipy.sparse as sp

    if isinstance(adjacency, Graph) or hasattr(adjacency, "is_directed"):
        raise GraphProblem("from_matrix takes a matrix; use graphs.from_networkx for a graph.")
    if hasattr(adjacency, "columns"):
        raise GraphProblem(
            "from_matrix takes a matrix without names of its own; pass table.to_numpy() and "
            "names=table.columns, with rows in the same order."
        )
    try:
        given = sp.coo_array(adjacency)
        if given.dtype.kind == "c":
            raise GraphProblem("An adjacency matrix holds real numbers; this one is complex.")
        matrix = sp.csr_array(given.astype(np.float64))
    except (TypeError, ValueError) as error:
        raise GraphProblem(
            f"An adjacency matrix holds numbers in two axes, not {type(adjacency).__name__}."
        ) from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise GraphProblem(f"An adjacency matrix has to be square, not {matrix.shape}.")
    matrix.eliminate_zeros()
    directed = bool(sp.csr_array(matrix - matrix.T).count_nonzero())
    entries = sp.coo_array(matrix if directed else sp.triu(matrix))
    edges = np.stack([entries.col, entries.row], axis=1).astype(np.int64)
    return build_graph(matrix.shape[0], edges, weights=entries.data, directed=directed, names=names)


def _weighted(graph: nx.Graph[Any], weight: str | None) -> bool:
    """Whether edges have weights, and not all of them 1."""
    return weight is not None and not all(
        _is_one(value) for *_, value in graph.edges.data(weight, default=1)
    )


def _refuse_other_weights(u: Any, v: Any, attributes: Mapping[str, Any], weight: str) -> None:
    for name, value in attributes.items():
        if name != weight and str(name).lower() in WEIGHTS and not _is_one(value):
            raise GraphProblem(
                f"The edge between {u!r} and {v!r} has {name} = {value!r}; pass weight={name!r} to "
                "graphs.from_networkx if these are weights, or weight=None to leave weights out."
            )


def _weights_of(
    pairs: Mapping[tuple[int, int], Any], names: Sequence[Any], weight: str | None
) -> list[float] | None:
    if all(value is _NO_WEIGHT or _is_one(value) for value in pairs.values()):
        return None
    weights = []
    for (u, v), value in pairs.items():
        try:
            weights.append(float(value))
        except (TypeError, ValueError):
            what = "no" if value is _NO_WEIGHT else f"{value!r} as its"
            raise GraphProblem(
                f"The edge between {names[u]!r} and {names[v]!r} has {what} {weight}; give every "
                "edge a number, or pass weight=None to leave weights out."
            ) from None
    return weights


def _is_one(value: Any) -> bool:
    try:
        return bool(float(value) == 1.0)
    except (TypeError, ValueError):
        return False


def to_networkx(graph: Graph) -> nx.Graph[Any]:
    """The same graph in networkx, with its names.

    Weights are the edge attribute `weight`, `kappa` and `x` are node attributes. A directed edge
    goes from the node that acts to the one that it acts on.
    """
    import networkx as nx  # a tenth of a second that jobs without such graphs need not spend

    labels = graph.labels
    converted: nx.Graph[Any] = nx.DiGraph() if graph.directed else nx.Graph()
    converted.add_nodes_from(labels)
    ends = [(labels[u], labels[v]) for u, v in graph.edges.tolist()]
    if graph.weights is None:
        converted.add_edges_from(ends)
    else:
        weighted = [(*pair, w) for pair, w in zip(ends, graph.weights.tolist(), strict=True)]
        converted.add_weighted_edges_from(weighted)
    for name, values in (("kappa", graph.kappa), ("x", graph.x)):
        if values is not None:
            nx.set_node_attributes(converted, dict(zip(labels, values.tolist(), strict=True)), name)
    return converted
