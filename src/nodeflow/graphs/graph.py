"""Simple undirected graphs as sorted edge arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.sparse import csr_array

from nodeflow.problems import Problem

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "WEIGHTS",
    "Graph",
    "GraphProblem",
    "build_graph",
    "check_graphs",
    "from_networkx",
    "to_networkx",
]

WEIGHTS = frozenset({"weight", "weights", "w", "value", "count", "strength", "sign"})
"""What weights of edges are called, in attributes of networkx and in headers of edge lists."""


class GraphProblem(Problem):
    """Given edges or coordinates that do not make a simple undirected graph."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A simple undirected graph on the nodes 0 … n−1; made by `build_graph`, which checks it.

    Attributes:
        n: number of nodes, at least 1.
        edges: shape (M, 2), u < v in each row, rows sorted lexicographically and unique.
        kappa: shape (n,), hidden degrees, where the graph has them.
        x: shape (n,), positions on the ring of circumference 1, where the graph has them.
    """

    n: int
    edges: NDArray[np.int32]
    kappa: NDArray[np.float64] | None = None
    x: NDArray[np.float64] | None = None

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Number of neighbours of each node, shape (n,)."""
        return np.bincount(self.edges.ravel(), minlength=self.n)

    def adjacency(self, dtype: DTypeLike = np.float64) -> csr_array:
        """The symmetric 0/1 adjacency matrix, shape (n, n), with sorted column indices."""
        u, v = self.edges[:, 0], self.edges[:, 1]
        ones = np.ones(2 * len(self.edges), dtype=dtype)
        rows, columns = np.concatenate([v, u]), np.concatenate([u, v])
        matrix = csr_array((ones, (rows, columns)), shape=(self.n, self.n))
        matrix.sort_indices()
        return matrix

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
        return build_graph(
            len(kept),
            renamed[(renamed >= 0).all(axis=1)],
            kappa=None if self.kappa is None else self.kappa[kept],
            x=None if self.x is None else self.x[kept],
        )


def build_graph(
    n: int,
    edges: ArrayLike,
    kappa: ArrayLike | None = None,
    x: ArrayLike | None = None,
) -> Graph:
    """Check and sort edges and coordinates.

    Args:
        n: number of nodes.
        edges: shape (M, 2), any order within and between rows; each edge once.
        kappa: hidden degrees, shape (n,), positive and finite.
        x: positions, shape (n,), in [0, 1).

    Raises:
        GraphProblem: no nodes, self-loops, duplicates, negative or too large ids, or coordinates
            of the wrong shape or range.
    """
    if not isinstance(n, int | np.integer) or n < 1 or n > np.iinfo(np.int32).max:
        raise GraphProblem(f"A graph has 1 to 2147483647 nodes, not {n!r}.")
    return Graph(
        int(n),
        _checked_edges(n, edges),
        _checked_coordinate(n, kappa, "kappa", low=0.0, low_included=False, high=np.inf),
        _checked_coordinate(n, x, "x", low=0.0, low_included=True, high=1.0),
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
    for place, graph in enumerate(graphs):
        if not isinstance(graph, Graph):
            raise GraphProblem(
                f"Graph {place} of the list is {type(graph).__name__}; make graphs with "
                "graphs.from_networkx, graphs.build_graph or graphs.read_edge_list."
            )


def _checked_edges(n: int, edges: ArrayLike) -> NDArray[np.int32]:
    try:
        pairs = np.asarray(edges)
    except ValueError as error:  # lists of different lengths
        raise GraphProblem("Edges are integer pairs of shape (M, 2), two in each.") from error
    if pairs.size == 0:
        return np.empty((0, 2), dtype=np.int32)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise GraphProblem(
            f"Edges are integer pairs of shape (M, 2), not {pairs.dtype} of shape {pairs.shape}; "
            "give two node ids for each, without weights."
        )
    if _in_order(n, pairs[:, 0], pairs[:, 1]):
        return np.ascontiguousarray(pairs, dtype=np.int32)
    low = np.minimum(pairs[:, 0], pairs[:, 1]).astype(np.int64)
    high = np.maximum(pairs[:, 0], pairs[:, 1]).astype(np.int64)
    if low.min() < 0 or high.max() >= n:
        row = int(np.argmax((low < 0) | (high >= n)))
        raise GraphProblem(
            f"Edge {row} ({pairs[row, 0]}, {pairs[row, 1]}): node ids must lie in 0 … {n - 1}."
        )
    if (low == high).any():
        row = int(np.argmax(low == high))
        raise GraphProblem(
            f"Edge {row} ({pairs[row, 0]}, {pairs[row, 1]}) is a self-loop; remove self-loops."
        )
    key = low * n + high
    if (key[1:] <= key[:-1]).any():
        key.sort()
        repeated = key[1:] == key[:-1]
        if repeated.any():
            u, v = divmod(int(key[int(np.argmax(repeated))]), n)
            raise GraphProblem(f"Edge ({u}, {v}) is there more than once; keep each edge once.")
        low, high = np.divmod(key, n)
    return np.stack([low, high], axis=1).astype(np.int32)


def _in_order(n: int, low: NDArray[np.integer], high: NDArray[np.integer]) -> bool:
    """Whether edges are already as a `Graph` has them; in a fraction of the memory of sorting."""
    later = low[1:] > low[:-1]
    later |= (low[1:] == low[:-1]) & (high[1:] > high[:-1])
    return bool(later.all() and low[0] >= 0 and high.max() < n and (low < high).all())


def _checked_coordinate(
    n: int, values: ArrayLike | None, name: str, *, low: float, low_included: bool, high: float
) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.array(values, dtype=np.float64)
    if array.shape != (n,):
        raise GraphProblem(f"{name} needs one value for each of {n} nodes, not {array.shape}.")
    inside = ((array >= low) if low_included else (array > low)) & (array < high)
    if not inside.all():
        node = int(np.argmin(inside))
        raise GraphProblem(
            f"{name} of node {node} is {array[node]}; it must be finite and lie in "
            f"{'[' if low_included else '('}{low:g}, {high:g})."
        )
    return array


def from_networkx(graph: nx.Graph[Any]) -> Graph:
    """A networkx graph's structure; node i is the i-th node in networkx's order.

    Edges have no weights here: an attribute `weight` (or another name in `WEIGHTS`) has to be 1
    wherever it stands. Other attributes do not count.

    Raises:
        GraphProblem: the graph is directed, has self-loops, parallel edges or weights, or is no
            networkx graph.
    """
    import networkx as nx  # which whoever has such a graph has loaded

    if not isinstance(graph, nx.Graph):
        raise GraphProblem(
            f"from_networkx takes a networkx graph, not {type(graph).__name__}; make one of a "
            "symmetric matrix with networkx.from_numpy_array or networkx.from_scipy_sparse_array."
        )
    if graph.is_directed():
        raise GraphProblem(
            "A directed graph does not fit; if directions may be left out, pass "
            "graph.to_undirected()."
        )
    index = {node: i for i, node in enumerate(graph)}
    seen: set[tuple[int, int]] = set()
    for u, v, attributes in graph.edges(data=True):
        if u == v:
            raise GraphProblem(
                f"Node {u!r} is linked to itself; remove self-loops: "
                "graph.remove_edges_from(list(networkx.selfloop_edges(graph)))."
            )
        pair = index[u], index[v]
        if pair in seen or pair[::-1] in seen:
            raise GraphProblem(
                f"There is more than one edge between {u!r} and {v!r}; keep one: "
                "networkx.Graph(graph)."
            )
        seen.add(pair)
        _check_unweighted(u, v, attributes)
    return build_graph(len(index), list(seen))


def _check_unweighted(u: Any, v: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if str(name).lower() in WEIGHTS and not _is_one(value):
            raise GraphProblem(
                f"The edge between {u!r} and {v!r} has {name} = {value!r}, and weights are not "
                "used; if they may be left out, set them to 1: "
                f"networkx.set_edge_attributes(graph, 1, {name!r})."
            )


def _is_one(value: Any) -> bool:
    try:
        return bool(float(value) == 1.0)
    except (TypeError, ValueError):
        return False


def to_networkx(graph: Graph) -> nx.Graph[int]:
    """The same structure as a networkx graph, with `kappa` and `x` as node attributes."""
    import networkx as nx  # a tenth of a second that jobs without such graphs need not spend

    result: nx.Graph[int] = nx.Graph()
    result.add_nodes_from(range(graph.n))
    result.add_edges_from(graph.edges.tolist())
    for name, values in (("kappa", graph.kappa), ("x", graph.x)):
        if values is not None:
            nx.set_node_attributes(result, dict(enumerate(values.tolist())), name)
    return result
