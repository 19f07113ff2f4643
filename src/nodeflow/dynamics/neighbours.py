"""Compiled sums over the neighbours of all nodes, on many graphs at once.

State vectors lie flat: the m-th trajectory of those that advance together occupies
`start[m] : start[m + 1]`. Its graph g has the rows `offset[g] : offset[g + 1]` of the concatenated
CSR arrays; nodes are numbered within their graph. So any set of trajectories on any set of graphs
is one block-diagonal system, without building the block matrix anew when a trajectory ends.

Every loop works on one trajectory at a time, in an order that depends on its size alone: no number
depends on which other trajectories are present.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit

__all__ = ["Unsigned", "rows_by_degree", "velocity"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Unsigned = NDArray[np.uint32]  # spares numba the check for negative indices: twice as fast


@njit(error_model="numpy")
def rows_by_degree(
    edges: NDArray[np.int32], first: int, order: Unsigned, indptr: Unsigned, indices: Unsigned
) -> None:
    """Rows of a graph's adjacency matrix in the order that `velocity` visits them.

    Args:
        edges: shape (M, 2), u < v, sorted.
        first: where the graph's entries start in `indices`.
        order: shape (n,), becomes the nodes by falling degree.
        indptr: shape (n,), becomes where the rows of these nodes start.
        indices: neighbours by row, each row sorted.
    """
    n = len(order)
    degrees = np.zeros(n, np.int64)
    for e in range(len(edges)):
        degrees[edges[e, 0]] += 1
        degrees[edges[e, 1]] += 1
    next_row = np.zeros(degrees.max() + 2, np.int64)
    for i in range(n):
        next_row[degrees[i]] += 1
    total = 0
    for k in range(len(next_row) - 1, -1, -1):
        count = next_row[k]
        next_row[k] = total
        total += count
    for i in range(n):
        order[next_row[degrees[i]]] = i
        next_row[degrees[i]] += 1
    write = np.empty(n, np.int64)
    p = first
    for position in range(n):
        i = order[position]
        indptr[position] = p
        write[i] = p
        p += degrees[i]
    for e in range(len(edges)):
        u = edges[e, 0]
        v = edges[e, 1]
        indices[write[u]] = v
        write[u] += 1
        indices[write[v]] = u
        write[v] += 1


@njit(error_model="numpy")
def velocity(
    graph: Ints,
    start: Ints,
    offset: Ints,
    order: Unsigned,
    indptr: Unsigned,
    indices: Unsigned,
    weights: Floats,
    f: Floats,
    h_ego: Floats,
    h_alt: Floats,
    received: Floats,
    out: Floats,
) -> None:
    """out_i = f_i + h_ego_i received_i, received_i = Σ_j A_ij h_alt_j, from the functions' values.

    More than eight parameters, because compiled code takes arrays one by one.

    Nodes are visited by falling degree (`order`; `indptr` follows it): loops of equal length in a
    row spare the processor half of the time. Empty `weights` stand for ones.
    """
    weighted = len(weights) > 0
    for m in range(len(graph)):
        low, high = start[m], start[m + 1]
        first = offset[graph[m]]
        self_part, ego, alter = f[low:high], h_ego[low:high], h_alt[low:high]
        total, to = received[low:high], out[low:high]
        for position in range(first, first + high - low):
            p = indptr[position]
            end = indptr[position + 1]
            even = 0.0
            odd = 0.0
            if weighted:
                while p + 1 < end:
                    even += weights[p] * alter[indices[p]]
                    odd += weights[p + 1] * alter[indices[p + 1]]
                    p += 2
                if p < end:
                    even += weights[p] * alter[indices[p]]
            else:
                while p + 1 < end:
                    even += alter[indices[p]]
                    odd += alter[indices[p + 1]]
                    p += 2
                if p < end:
                    even += alter[indices[p]]
            i = order[position]
            total[i] = even + odd
            to[i] = self_part[i] + ego[i] * total[i]
