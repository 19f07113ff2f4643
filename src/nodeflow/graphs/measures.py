"""Tables that describe graphs, node by node and as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.compiled import njit
from nodeflow.graphs.graph import Graph, check_graphs
from nodeflow.graphs.schemas import GRAPHS, NODES

__all__ = [
    "assortativity",
    "giant_component",
    "graph_table",
    "local_clustering",
    "node_table",
    "triangles",
]


def node_table(graphs: Sequence[Graph]) -> pd.DataFrame:
    """One row for each node of each graph, with the columns of `NODES`."""
    check_graphs(graphs)
    return pd.concat([_nodes(index, graph) for index, graph in enumerate(graphs)] or [_no_nodes()])


def graph_table(graphs: Sequence[Graph]) -> pd.DataFrame:
    """One row for each graph, with the columns of `GRAPHS`."""
    check_graphs(graphs)
    rows = [_facts(index, graph) for index, graph in enumerate(graphs)]
    return pd.DataFrame(rows, columns=list(GRAPHS.columns))


def triangles(graph: Graph) -> NDArray[np.int64]:
    """Number of triangles through each node, shape (n,), in O(M^(3/2)) at worst.

    Edges are directed from lower to higher degree; each triangle is then found once, as a common
    target of both ends of an edge (Chiba and Nishizeki 1985). No hub's list is ever scanned for
    its many neighbours, which is what makes the sparse product A² slow.

    Raises:
        GraphProblem: the graph is directed or weighted.
    """
    degrees = graph.simple().degrees
    rank = np.empty(graph.n, dtype=np.int32)
    rank[np.argsort(degrees, kind="stable")] = np.arange(graph.n, dtype=np.int32)
    ends = np.sort(rank[graph.edges], axis=1)
    order = np.argsort(ends[:, 0], kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(ends[:, 0], minlength=graph.n))])
    return _triangles_by_rank(starts, ends[order, 1])[rank]


def local_clustering(graph: Graph) -> NDArray[np.float64]:
    """Triangles over pairs of neighbours, shape (n,); NaN below two neighbours."""
    return _clustering(graph.degrees, triangles(graph))


def giant_component(graph: Graph) -> NDArray[np.bool_]:
    """Whether each node is in the largest component (of equal ones, that of the lowest id)."""
    # It loads scipy's linear algebra, which jobs that measure nothing need not wait for.
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(graph.adjacency(np.int8), directed=False)
    giant: NDArray[np.bool_] = label == np.argmax(np.bincount(label))
    return giant


def assortativity(graph: Graph) -> float:
    """Pearson correlation of the degrees at the two ends of an edge; NaN where it is undefined.

    Raises:
        GraphProblem: the graph is directed or weighted.
    """
    ends = graph.simple().degrees[graph.edges].astype(np.float64)
    if len(ends) == 0:
        return float("nan")
    centred = ends - ends.mean()
    spread = np.square(centred).mean()
    return float((centred[:, 0] * centred[:, 1]).mean() / spread) if spread > 0 else float("nan")


def _nodes(index: int, graph: Graph) -> pd.DataFrame:
    degrees, corners = graph.degrees, triangles(graph)
    unknown = np.full(graph.n, np.nan)
    return pd.DataFrame(
        {
            "graph": np.full(graph.n, index, dtype=np.int32),
            "node": np.arange(graph.n, dtype=np.int32),
            "kappa": unknown if graph.kappa is None else graph.kappa,
            "x": unknown if graph.x is None else graph.x,
            "degree": degrees.astype(np.int32),
            "clustering": _clustering(degrees, corners),
            "triangles": corners,
            "giant": giant_component(graph),
        }
    )


def _no_nodes() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in NODES.columns})


def _facts(index: int, graph: Graph) -> dict[str, float]:
    degrees = graph.degrees
    clustering = local_clustering(graph)
    defined = clustering[~np.isnan(clustering)]
    mean = float(degrees.mean())
    return {
        "graph": index,
        "nodes": graph.n,
        "edges": len(graph.edges),
        "mean_degree": mean,
        "clustering": float(defined.mean()) if len(defined) else float("nan"),
        "assortativity": assortativity(graph),
        "giant_share": float(giant_component(graph).mean()),
        "heterogeneity": float(np.square(degrees).mean()) / mean if mean > 0 else float("nan"),
        "k_max": int(degrees.max()),
        "isolated_share": float((degrees == 0).mean()),
    }


def _clustering(degrees: NDArray[np.int64], corners: NDArray[np.int64]) -> NDArray[np.float64]:
    pairs = degrees * (degrees - 1) / 2
    shares: NDArray[np.float64] = np.full(len(degrees), np.nan)
    np.divide(corners, pairs, out=shares, where=pairs > 0)
    return shares


@njit()
def _triangles_by_rank(starts: NDArray[np.int64], targets: NDArray[np.int32]) -> NDArray[np.int64]:
    n = len(starts) - 1
    count = np.zeros(n, np.int64)
    marked_by = np.full(n, -1, np.int32)
    for u in range(n):
        for a in range(starts[u], starts[u + 1]):
            marked_by[targets[a]] = u
        for a in range(starts[u], starts[u + 1]):
            v = targets[a]
            for e in range(starts[v], starts[v + 1]):
                w = targets[e]
                if marked_by[w] == u:
                    count[u] += 1
                    count[v] += 1
                    count[w] += 1
    return count
