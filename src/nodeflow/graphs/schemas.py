"""What the files and tables of graphs hold."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema, gathered

__all__ = [
    "CELL",
    "COLLECTED_CLUSTERING",
    "COLLECTED_DEGREES",
    "COLLECTED_GRAPHS",
    "COLLECTED_NETWORKS",
    "COORDINATES",
    "EDGES",
    "GRAPHS",
    "NETWORK",
    "NETWORKS",
    "NODES",
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

CELL = Schema(
    "cell",
    1,
    {"role": pa.string(), "N": pa.int64(), "beta": pa.float64(), "gamma": pa.float64()},
    {
        "role": "training or test",
        "N": "number of nodes of the cell",
        "beta": "inverse temperature β",
        "gamma": "degree exponent γ",
    },
)

COLLECTED_GRAPHS = gathered("graphs of all cells", GRAPHS, CELL)

NETWORK = Schema(
    "network",
    1,
    {"network": pa.string(), "kind": pa.string()},
    {
        "network": "name of the network",
        "kind": "real (comes with a package), file (the user's), or cell (S1 test graphs)",
    },
)

COLLECTED_NETWORKS = gathered("all networks", NETWORKS, NETWORK)

_DEGREES = Schema(
    "degrees against theory",
    1,
    {
        "degree": pa.int64(),
        "observed": pa.float64(),
        "expected": pa.float64(),
        "graphs": pa.int64(),
    },
    {
        "degree": "degree k",
        "observed": "share of nodes with a degree of at least k, over all graphs of the cell",
        "expected": "the model's probability of a degree of at least k",
        "graphs": "number of graphs",
    },
)
_CLUSTERING = Schema(
    "clustering against theory",
    1,
    {"expected": pa.float64()},
    {"expected": "the model's mean local clustering of nodes with at least two neighbours"},
)
COLLECTED_DEGREES = gathered("degrees of all cells against theory", _DEGREES, CELL)
COLLECTED_CLUSTERING = gathered("clustering of all cells in theory", _CLUSTERING, CELL)
