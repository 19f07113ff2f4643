"""What is known of the nodes of a forecast: their network, exposure and covariates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from nodeflow.dynamics.given import by_node, first_bad
from nodeflow.graphs.graph import Graph, from_networkx
from nodeflow.graphs.normalize import normalized_adjacency
from nodeflow.neural_ode.forced.settings import ForecasterProblem

__all__ = ["Places", "as_places", "scaling"]

Floats = NDArray[np.float64]

_DENSE = 512
"""Nodes up to which a full matrix is faster than a sparse one."""


@dataclass(frozen=True, eq=False)
class Places:
    """The nodes of a network and what is known of them.

    Attributes:
        graph: the network.
        exposure: (n,), positive; observations are rate times exposure.
        names: of the C covariates.
        covariates: (n, C), in the user's units.
    """

    graph: Graph
    exposure: Floats
    names: tuple[str, ...]
    covariates: Floats

    def matrix(self, normalization: str, dtype: torch.dtype) -> Tensor:
        """The adjacency matrix; A_ij is what j does to i."""
        return _tensor(normalized_adjacency(self.graph, normalization), dtype)

    def neighbours(self, dtype: torch.dtype) -> Tensor:
        """Weights of neighbours in the start of a rollout: sizes of A's entries, rows of sum 1."""
        return _tensor(abs(normalized_adjacency(self.graph, "row")), dtype)


def as_places(
    graph: nx.Graph[Any] | Graph, exposure: Any = None, covariates: pd.DataFrame | None = None
) -> Places:
    """Check what a user knows of the nodes of a network.

    Args:
        graph: of networkx or nodeflow; directions and weights are kept.
        exposure: a positive number for each node, as a mapping or pandas Series by node or an array
            in the order of nodes; None is 1 everywhere.
        covariates: a row for each node, called by its name, or all in the order of nodes if the
            index is 0 … n−1; a column for each covariate.

    Raises:
        GraphProblem: this is no graph.
        ForecasterProblem: an exposure is not positive, a covariate not finite, or a node has none.
    """
    inner = graph if isinstance(graph, Graph) else from_networkx(graph, directed=True)
    people = np.ones(inner.n)
    if exposure is not None:
        people = by_node(exposure, inner.labels, "Exposures", ForecasterProblem).astype(np.float64)
        if people.shape != (inner.n,):
            raise ForecasterProblem(
                f"Exposures of shape {people.shape} do not fit {inner.n} nodes; give a number each."
            )
        bad = np.flatnonzero(~(np.isfinite(people) & (people > 0)))
        if len(bad):
            raise ForecasterProblem(
                f"The exposure of node {inner.labels[bad[0]]!r} is {people[bad[0]]:g}; exposures "
                "are positive numbers: population, area, time of observation."
            )
    if covariates is None:
        return Places(inner, people, (), np.empty((inner.n, 0)))
    if not isinstance(covariates, pd.DataFrame):
        raise ForecasterProblem(
            f"Covariates are a pandas table with a row for each node, not a "
            f"{type(covariates).__name__}; make one: pandas.DataFrame({{name: values}}, nodes)."
        )
    names = tuple(str(name) for name in covariates.columns)
    unnamed = isinstance(covariates.index, pd.RangeIndex) and len(covariates) == inner.n
    rows = covariates.to_numpy().T if unnamed else covariates.T
    values = by_node(rows, inner.labels, "Covariates", ForecasterProblem).astype(np.float64).T
    bad_cell = first_bad(values)
    if bad_cell is not None:
        raise ForecasterProblem(
            f"Covariate {names[bad_cell[1]]} of node {inner.labels[bad_cell[0]]!r} is "
            f"{values[bad_cell]:g}; give a finite number for each node."
        )
    return Places(inner, people, names, np.ascontiguousarray(values))


def scaling(covariates: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each covariate over nodes; 1 instead of 0."""
    extent = covariates.std(axis=0)
    return covariates.mean(axis=0), np.where(extent > 0, extent, 1.0)


def _tensor(matrix: Any, dtype: torch.dtype) -> Tensor:
    if matrix.shape[0] <= _DENSE:
        return torch.from_numpy(matrix.toarray()).to(dtype)
    entries = matrix.tocoo()
    index = torch.from_numpy(np.stack(entries.coords).astype(np.int64))
    return torch.sparse_coo_tensor(
        index, torch.from_numpy(entries.data).to(dtype), matrix.shape
    ).coalesce()
