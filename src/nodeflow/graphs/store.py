"""Files of graphs: one table of edges, one of nodes, one of whole graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.graphs.graph import Graph, build_graph
from nodeflow.graphs.schemas import COORDINATES, EDGES
from nodeflow.tables import TableWriter, read_columns, read_parameters

__all__ = [
    "read_graphs",
    "write_coordinates",
    "write_graphs",
]

_SIZES = "nodes_of_graphs"


def write_graphs(path: str | Path, graphs: Sequence[Graph], parameters: Mapping[str, Any]) -> None:
    """Write the structure of graphs as one edge table, a row group for each graph.

    The number of nodes of each graph stands in the stored parameters, so nodes without edges
    survive. κ and x are not stored here; see `write_coordinates`.

    Raises:
        GraphProblem: a graph is directed or weighted.
    """
    stored = {**parameters, _SIZES: [graph.simple().n for graph in graphs]}
    with TableWriter(path, EDGES, stored) as writer:
        for index, graph in enumerate(graphs):
            writer.write(
                {
                    "graph": np.full(len(graph.edges), index, dtype=np.int32),
                    "source": graph.edges[:, 0],
                    "target": graph.edges[:, 1],
                }
            )


def write_coordinates(
    path: str | Path, graphs: Sequence[Graph], parameters: Mapping[str, Any]
) -> None:
    """Write κ and x of every node of graphs that have both, a row group for each graph."""
    with TableWriter(path, COORDINATES, parameters) as writer:
        for index, graph in enumerate(graphs):
            writer.write(
                {
                    "graph": np.full(graph.n, index, dtype=np.int32),
                    "node": np.arange(graph.n, dtype=np.int32),
                    "kappa": graph.kappa,
                    "x": graph.x,
                }
            )


def read_graphs(
    path: str | Path,
    parameters: Mapping[str, Any] | None = None,
    coordinates: str | Path | None = None,
) -> list[Graph]:
    """Read what `write_graphs` wrote.

    Args:
        path: the file.
        parameters: values that the stored parameters must have.
        coordinates: what `write_coordinates` wrote; without it, graphs come without κ and x.

    Raises:
        FileProblem: missing, damaged, of another kind, or made with other parameters.
    """
    table = read_columns(path, EDGES, parameters)
    sizes: list[int] = read_parameters(path)[_SIZES]
    edges = np.stack([table["source"], table["target"]], axis=1)
    bounds = np.searchsorted(table["graph"], np.arange(len(sizes) + 1))
    kappas: list[np.ndarray | None] = [None] * len(sizes)
    xs: list[np.ndarray | None] = [None] * len(sizes)
    if coordinates is not None:
        nodes = read_columns(coordinates, COORDINATES, parameters)
        ends = np.cumsum(sizes)[:-1]
        kappas = list(np.split(nodes["kappa"], ends))
        xs = list(np.split(nodes["x"], ends))
    return [
        build_graph(n, edges[start:stop], kappa, x)
        for n, start, stop, kappa, x in zip(sizes, bounds[:-1], bounds[1:], kappas, xs, strict=True)
    ]
