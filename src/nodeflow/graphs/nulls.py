"""Null models: graphs that keep a graph's density or degrees and are random otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit
from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import Graph, build_graph

__all__ = ["erdos_renyi", "rewire"]

ATTEMPTS_PER_EDGE = 20
"""Switches tried for each edge: with 1 to 10 successes for each, structure has long been lost
(Milo et al., arXiv:cond-mat/0312028)."""


def erdos_renyi(graph: Graph, rng: np.random.Generator) -> Graph:
    """A uniformly random graph G(n, M) with the numbers of nodes and edges of `graph`.

    Raises:
        GraphProblem: the graph is directed or weighted.
    """
    pairs = graph.simple().n * (graph.n - 1) // 2
    chosen = rng.choice(pairs, size=len(graph.edges), replace=False, shuffle=False)
    # Pair v (v−1)/2 + u, u < v: the root may be off by one for large numbers.
    v = np.floor((1 + np.sqrt(1 + 8 * chosen.astype(np.float64))) / 2).astype(np.int64)
    v -= v * (v - 1) // 2 > chosen
    v += v * (v + 1) // 2 <= chosen
    return build_graph(graph.n, np.stack([chosen - v * (v - 1) // 2, v], axis=1))


def rewire(
    graph: Graph, rng: np.random.Generator, attempts_per_edge: int = ATTEMPTS_PER_EDGE
) -> Graph:
    """A random simple graph in which every node keeps its degree (configuration model).

    Repeatedly two edges (a, b), (c, d) are drawn and become (a, d), (c, b), unless that gives a
    self-loop or an edge that is there already. An attempt that fails leaves the graph as it is and
    counts, which makes the uniform distribution over all such graphs the stationary one (Maslov
    and Sneppen, Science 296, 910 (2002); Fosdick et al., SIAM Rev. 60, 315 (2018)). κ and x are
    dropped: the new edges have nothing to do with them.

    Raises:
        GraphProblem: `attempts_per_edge` is below 1, or the graph is directed or weighted.
    """
    if attempts_per_edge < 1:
        raise GraphProblem(f"attempts_per_edge = {attempts_per_edge}: it must be at least 1.")
    if len(graph.simple().edges) < 2:
        return build_graph(graph.n, graph.edges)
    edges = graph.edges.copy()
    # Every node keeps its degree, so its neighbours keep their places in one long list.
    starts = np.concatenate([[0], np.cumsum(graph.degrees)])
    order = np.argsort(edges.ravel(), kind="stable")
    places = np.empty(2 * len(edges), np.int64)
    places[order] = np.arange(2 * len(edges))
    neighbours = edges[:, ::-1].ravel()[order]
    _switch(edges, starts, neighbours, places, attempts_per_edge * len(edges), rng)
    return build_graph(graph.n, edges)


@njit()
def _switch(
    edges: NDArray[np.int32],
    starts: NDArray[np.int64],
    neighbours: NDArray[np.int32],
    places: NDArray[np.int64],
    attempts: int,
    rng: np.random.Generator,
) -> None:
    """Switch edges in place.

    Args:
        edges: shape (M, 2).
        starts: node u's neighbours are `neighbours[starts[u] : starts[u + 1]]`.
        neighbours: shape (2M,).
        places: where in `neighbours` the other end of `edges.ravel()[e]` stands, shape (2M,).
        attempts: how many switches to try.
        rng: source of the choices.
    """
    for _ in range(attempts):
        one = rng.integers(0, len(edges))
        two = rng.integers(0, len(edges))
        turned = rng.integers(0, 2)
        a, b = edges[one, 0], edges[one, 1]
        c, d = edges[two, turned], edges[two, 1 - turned]
        if a in (c, d) or b in (c, d):
            continue
        if _linked(a, d, starts, neighbours) or _linked(c, b, starts, neighbours):
            continue
        # The places follow their own end: that of b now names c, and b stands in edge two.
        of_b, of_d = places[2 * one + 1], places[2 * two + 1 - turned]
        neighbours[places[2 * one]] = d
        neighbours[of_b] = c
        neighbours[places[2 * two + turned]] = b
        neighbours[of_d] = a
        edges[one, 0], edges[one, 1] = a, d
        edges[two, 0], edges[two, 1] = c, b
        places[2 * one + 1] = of_d
        places[2 * two], places[2 * two + 1] = places[2 * two + turned], of_b


@njit()
def _linked(u: int, v: int, starts: NDArray[np.int64], neighbours: NDArray[np.int32]) -> bool:
    if starts[u + 1] - starts[u] > starts[v + 1] - starts[v]:
        u, v = v, u
    return v in neighbours[starts[u] : starts[u + 1]]
