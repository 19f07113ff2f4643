"""The model's probability of an edge as a formula, and how often pairs are linked in graphs."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nodeflow.compiled import njit
from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import Graph


def ring_distance(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Distance 1/2 − |1/2 − |x − y|| on the ring of circumference 1, in [0, 1/2]; broadcasts."""
    return np.asarray(0.5 - np.abs(0.5 - np.abs(np.subtract(x, y))), dtype=np.float64)


def connection_probability(
    distance: ArrayLike,
    kappa_u: ArrayLike,
    kappa_v: ArrayLike,
    *,
    n: int,
    beta: float,
    c: float,
) -> NDArray[np.float64]:
    """Probability of the edge between nodes at a ring distance in [0, 1/2]; broadcasts."""
    with np.errstate(divide="ignore", over="ignore"):
        energy = beta * np.log(n * np.asarray(distance, dtype=np.float64))
        weight = max(1.0, beta) * (math.log(c) + np.log(kappa_u) + np.log(kappa_v))
        return np.asarray(1 / (1 + np.exp(energy - weight)), dtype=np.float64)


def effective_distance(
    distance: ArrayLike, kappa_u: ArrayLike, kappa_v: ArrayLike, *, n: int, beta: float
) -> NDArray[np.float64]:
    """χ = N d/(κ κ')^(max(1, β)/β), the one variable on which p depends; broadcasts.

    It is N d/(κ κ') for β ≥ 1, and θ^(1/β) with θ = (N d)^β/(κ κ') for β < 1.
    """
    weight = np.multiply(kappa_u, kappa_v, dtype=np.float64) ** (max(1.0, beta) / beta)
    return np.asarray(n * np.asarray(distance) / weight, dtype=np.float64)


def probability_at(chi: ArrayLike, *, beta: float, c: float) -> NDArray[np.float64]:
    """p(χ) = 1/(1 + χ^β/c^max(1, β))."""
    with np.errstate(divide="ignore", over="ignore"):
        t = beta * np.log(np.asarray(chi, dtype=np.float64)) - max(1.0, beta) * math.log(c)
        return np.asarray(1 / (1 + np.exp(t)), dtype=np.float64)


def connection_table(graph: Graph, beta: float, c: float, bins_per_decade: int = 4) -> pd.DataFrame:
    """Pairs and edges by χ, beside what the model expects for these very pairs; O(N²).

    Args:
        graph: with κ and x.
        beta: inverse temperature.
        c: the model's constant.
        bins_per_decade: bins of log₁₀ χ.

    Returns:
        A row for each bin that holds a pair, by χ: `chi` (middle of the bin), `pairs`, `edges`,
        `expected` (sum of p over the pairs) and `variance` (sum of p (1 − p)) of the number of
        edges.

    Raises:
        GraphProblem: the graph has no κ or x.
    """
    if graph.kappa is None or graph.x is None:
        raise GraphProblem("Only a graph with kappa and x has distances; pass a sampled S1 graph.")
    matrix = graph.adjacency(np.int8)
    counts = _count(
        np.log(graph.kappa), graph.x, matrix.indptr, matrix.indices, beta, math.log(c),
        bins_per_decade,
    )  # fmt: skip
    bins = np.flatnonzero(counts[:, 0])
    return pd.DataFrame(
        {
            "chi": 10 ** ((bins + 0.5) / bins_per_decade - OFFSET),
            "pairs": counts[bins, 0].astype(np.int64),
            "edges": counts[bins, 1].astype(np.int64),
            "expected": counts[bins, 2],
            "variance": counts[bins, 3],
        }
    )


OFFSET = 300
"""log₁₀ χ lies between −300 and 300; what is beyond goes into the outermost bins."""


@njit(error_model="numpy")
def _count(
    log_kappa: NDArray[np.float64],
    x: NDArray[np.float64],
    starts: NDArray[np.int32],
    neighbours: NDArray[np.int32],
    beta: float,
    log_c: float,
    bins_per_decade: int,
) -> NDArray[np.float64]:
    n = len(x)
    b = max(1.0, beta)
    counts = np.zeros((2 * OFFSET * bins_per_decade, 4))
    linked = np.zeros(n, np.bool_)
    for i in range(n):
        linked[neighbours[starts[i] : starts[i + 1]]] = True
        for j in range(i + 1, n):
            d = 0.5 - abs(0.5 - abs(x[i] - x[j]))
            log_chi = math.log(n * d) - b / beta * (log_kappa[i] + log_kappa[j])
            p = 1 / (1 + math.exp(beta * log_chi - b * log_c))
            place = bins_per_decade * (log_chi / math.log(10.0) + OFFSET)
            row = int(min(max(place, 0.0), len(counts) - 1.0))
            counts[row, 0] += 1
            counts[row, 1] += linked[j]
            counts[row, 2] += p
            counts[row, 3] += p * (1 - p)
        linked[neighbours[starts[i] : starts[i + 1]]] = False
    return counts
