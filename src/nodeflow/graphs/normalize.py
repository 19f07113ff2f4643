"""The adjacency matrix with its entries divided by how much acts on a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, dia_array

from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import Graph

__all__ = ["NORMALIZATIONS", "normalized_adjacency"]

Floats = NDArray[np.float64]


def normalized_adjacency(graph: Graph, normalization: str = "none") -> csr_array:
    """The matrix A, shape (n, n), where A_ij is what j does to i, divided by strengths.

    The strength of i as a target is Σ_j |A_ij|, and of j as a source Σ_i |A_ij|.

    Args:
        graph: undirected or directed, weighted or not.
        normalization: "none" keeps A; "row" divides each row by the strength of its target, so
            that all that acts on a node has the sum 1; "symmetric" divides A_ij by the square root
            of the product of both strengths, of i as a target and of j as a source. Rows and
            columns without entries stay empty.

    Raises:
        GraphProblem: there is no such normalization.
    """
    if normalization not in NORMALIZATIONS:
        raise GraphProblem(
            f'normalization is "{normalization}"; allowed are {", ".join(NORMALIZATIONS)}.'
        )
    matrix = graph.adjacency()
    size = abs(matrix)
    target, source = (np.asarray(size.sum(axis=k), dtype=np.float64) for k in (1, 0))
    left, right = NORMALIZATIONS[normalization](target, source)
    normalized = csr_array(_diagonal(left) @ matrix @ _diagonal(right))
    normalized.sort_indices()
    return normalized


def _inverse(strengths: Floats, power: float) -> Floats:
    return np.where(strengths > 0, np.where(strengths > 0, strengths, 1.0) ** -power, 0.0)


def _diagonal(values: Floats) -> dia_array:
    return dia_array((values[None], [0]), shape=(len(values), len(values)))


NORMALIZATIONS: Mapping[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "none": lambda target, source: (np.ones_like(target), np.ones_like(source)),
    "row": lambda target, source: (_inverse(target, 1.0), np.ones_like(source)),
    "symmetric": lambda target, source: (_inverse(target, 0.5), _inverse(source, 0.5)),
}
"""Factors of rows and of columns, from the strengths of nodes as targets and as sources."""
