"""Files of graphs: one table of edges, one of nodes, one of whole graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nodeflow.graphs.graph import Graph, build_graph
from nodeflow.tables import Schema, TableWriter, read_columns, read_parameters

__all__ = [
    "COORDINATES",
    "EDGES",
    "GRAPHS",
    "NETWORKS",
    "NODES",
    "read_graphs",
    "write_coordinates",
    "write_graphs",
]

_GRAPH = "Index of the graph in its file, from 0."

EDGES = Schema(
    "edges",
    1,
    {"graph": pa.int32(), "source": pa.int32(), "target": pa.int32()},
    {
        "graph": _GRAPH,
        "source": "Smaller node id of the edge.",
        "target": "Larger node id of the edge.",
    },
)

COORDINATES = Schema(
    "coordinates",
    1,
    {"graph": pa.int32(), "node": pa.int32(), "kappa": pa.float64(), "x": pa.float64()},
    {
        "graph": _GRAPH,
        "node": "Node id, from 0.",
        "kappa": "Hidden degree.",
        "x": "Position on the ring of circumference 1.",
    },
)

NODES = Schema(
    "nodes",
    1,
    {
        "graph": pa.int32(),
        "node": pa.int32(),
        "kappa": pa.float64(),
        "x": pa.float64(),
        "degree": pa.int32(),
        "clustering": pa.float64(),
        "triangles": pa.int64(),
        "giant": pa.bool_(),
    },
    {
        "graph": _GRAPH,
        "node": "Node id, from 0.",
        "kappa": "Hidden degree; NaN where the graph has none.",
        "x": "Position on the ring of circumference 1; NaN where the graph has none.",
        "degree": "Number of neighbours.",
        "clustering": "Share of pairs of neighbours that are linked; NaN below two neighbours.",
        "triangles": "Number of triangles through the node.",
        "giant": "Whether the node is in the largest connected component.",
    },
)

GRAPHS = Schema(
    "graphs",
    1,
    {
        "graph": pa.int32(),
        "nodes": pa.int64(),
        "edges": pa.int64(),
        "mean_degree": pa.float64(),
        "clustering": pa.float64(),
        "assortativity": pa.float64(),
        "giant_share": pa.float64(),
        "heterogeneity": pa.float64(),
        "k_max": pa.int64(),
        "isolated_share": pa.float64(),
    },
    {
        "graph": _GRAPH,
        "nodes": "Number of nodes.",
        "edges": "Number of edges.",
        "mean_degree": "Mean degree.",
        "clustering": "Mean local clustering over nodes with at least two neighbours; or NaN.",
        "assortativity": "Pearson correlation of the degrees at an edge's ends; NaN if constant.",
        "giant_share": "Share of nodes in the largest connected component.",
        "heterogeneity": "Mean squared degree over mean degree; NaN without edges.",
        "k_max": "Largest degree.",
        "isolated_share": "Share of nodes without neighbours.",
    },
)

NETWORKS = Schema(
    "networks",
    1,
    {"graph": pa.int32(), "variant": pa.string(), **GRAPHS.columns},
    {**GRAPHS.about, "variant": "original, or the null model that the graph was drawn from"},
)

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
