"""What graphs are built of, checked: edges, weights, names, coordinates."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodeflow.problems import Problem, repeated

__all__ = ["GraphProblem", "checked_coordinate", "checked_edges", "checked_names"]


class GraphProblem(Problem):
    """Given edges, weights, names or coordinates that do not make a simple graph."""


def checked_names(n: int, names: Sequence[Hashable] | None) -> tuple[Hashable, ...] | None:
    """Names of all nodes; None where they are their numbers."""
    if names is None:
        return None
    labels = tuple(names)
    if len(labels) != n:
        raise GraphProblem(f"{n} nodes need {n} names, not {len(labels)}.")
    twice = repeated(labels)
    if twice:
        raise GraphProblem(
            f"Two nodes have the name {twice[0]!r}; give each node a name of its own."
        )
    return labels


def checked_edges(
    n: int,
    edges: ArrayLike,
    weights: ArrayLike | None,
    directed: bool,
    names: tuple[Hashable, ...] | None,
) -> tuple[NDArray[np.int32], NDArray[np.float64] | None]:
    """Edges in order, each once, and their weights in that order."""
    try:
        pairs = np.asarray(edges)
    except ValueError as error:  # lists of different lengths
        raise GraphProblem("Edges are integer pairs of shape (M, 2), two in each.") from error
    if pairs.size == 0:
        pairs = np.empty((0, 2), dtype=np.int32)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise GraphProblem(
            f"Edges are integer pairs of shape (M, 2), not {pairs.dtype} of shape {pairs.shape}; "
            "give two node ids for each, without weights."
        )

    def edge(u: int, v: int) -> str:
        return f"({u}, {v})" if names is None else f"({names[u]!r}, {names[v]!r})"

    low, high = pairs[:, 0], pairs[:, 1]
    ordered = len(pairs) == 0 or _in_order(n, low, high, directed)
    if not ordered:
        if not directed:
            low, high = np.minimum(low, high), np.maximum(low, high)
        low, high = low.astype(np.int64), high.astype(np.int64)
        outside = (np.minimum(low, high) < 0) | (np.maximum(low, high) >= n)
        if outside.any():
            row = int(np.argmax(outside))
            raise GraphProblem(
                f"Edge {row} ({pairs[row, 0]}, {pairs[row, 1]}): node ids must lie in 0 … {n - 1}."
            )
        if (low == high).any():
            row = int(np.argmax(low == high))
            raise GraphProblem(f"Edge {row} {edge(*pairs[row])} is a self-loop; remove self-loops.")
    strengths = _checked_weights(pairs, weights, edge)
    if not ordered:
        key = low * n + high
        if strengths is None:
            key.sort()
        else:
            order = np.argsort(key, kind="stable")
            key, strengths = key[order], strengths[order]
        repeated = key[1:] == key[:-1]
        if repeated.any():
            where = divmod(int(key[int(np.argmax(repeated))]), n)
            raise GraphProblem(f"Edge {edge(*where)} is there more than once; keep each edge once.")
        pairs = np.stack(np.divmod(key, n), axis=1)
    return np.ascontiguousarray(pairs, dtype=np.int32), strengths


def _in_order(n: int, low: NDArray[np.integer], high: NDArray[np.integer], directed: bool) -> bool:
    """Whether edges are already as a `Graph` has them; in a fraction of the memory of sorting."""
    later = low[1:] > low[:-1]
    later |= (low[1:] == low[:-1]) & (high[1:] > high[:-1])
    apart = (low != high).all() and high.min() >= 0 and low.max() < n
    apart = apart if directed else (low < high).all()
    return bool(later.all() and low[0] >= 0 and high.max() < n and apart)


def _checked_weights(
    pairs: NDArray[np.integer], weights: ArrayLike | None, edge: Callable[[int, int], str]
) -> NDArray[np.float64] | None:
    """Weights as float64; None if there are none, or if all are 1."""
    if weights is None:
        return None
    try:
        strengths = np.array(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise GraphProblem("Weights are numbers, one for each edge.") from None
    if strengths.shape != (len(pairs),):
        raise GraphProblem(f"{len(pairs)} edges need as many weights, not {strengths.shape}.")
    bad = ~np.isfinite(strengths) | (strengths == 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise GraphProblem(
            f"Edge {row} {edge(*pairs[row])} has the weight {strengths[row]:g}; weights have to be "
            "finite, and edges without weight are left out."
        )
    return None if (strengths == 1).all() else strengths


def checked_coordinate(
    n: int, values: ArrayLike | None, name: str, *, low: float, low_included: bool, high: float
) -> NDArray[np.float64] | None:
    """A coordinate of all nodes, inside its bounds."""
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
