"""Networks beside their null models: real ones, the user's own, and cells of the S¹ grid.

All graphs of a network lie in one file; a table tells what each of them is. Its variants are the
network itself (`original`), random graphs with its degrees (`configuration`), and random graphs
with its density (`erdos_renyi`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from nodeflow.graphs.files import read_edge_list
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.measures import graph_table
from nodeflow.graphs.nulls import erdos_renyi, rewire
from nodeflow.graphs.real import real_network
from nodeflow.graphs.store import GRAPHS, read_graphs
from nodeflow.seeds import numpy_generator
from nodeflow.tables import Schema, gather, gathered

__all__ = [
    "COLLECTED_NETWORKS",
    "NETWORKS",
    "NULL_MODELS",
    "Kind",
    "gather_networks",
    "network_table",
    "originals",
    "with_nulls",
]

Kind = Literal["real", "file", "cell"]

NULL_MODELS: Mapping[str, Callable[[Graph, np.random.Generator], Graph]] = {
    "configuration": rewire,
    "erdos_renyi": erdos_renyi,
}

NETWORKS = Schema(
    "networks",
    1,
    {"graph": pa.int32(), "variant": pa.string(), **GRAPHS.columns},
    {**GRAPHS.about, "variant": "original, or the null model that the graph was drawn from"},
)

_IDENTITY = Schema(
    "network",
    1,
    {"network": pa.string(), "kind": pa.string()},
    {
        "network": "name of the network",
        "kind": "real (comes with a package), file (the user's), or cell (S1 test graphs)",
    },
)
COLLECTED_NETWORKS = gathered("all networks", NETWORKS, _IDENTITY)


def originals(kind: Kind, source: str, made: Mapping[str, Any] | None = None) -> list[Graph]:
    """The graphs of a network itself.

    Args:
        kind: where it comes from.
        source: name in `REAL_NETWORKS`, path of an edge list, or path of a cell's edge table.
        made: what the cell's graphs must have been made with.

    Raises:
        GraphProblem: no such real network.
        EdgeListProblem: the user's file cannot be used.
        FileProblem: the cell's file is missing, damaged, or made with other parameters.
    """
    if kind == "cell":
        return read_graphs(source, made)
    return [real_network(source) if kind == "real" else read_edge_list(source)]


def with_nulls(
    graphs: Sequence[Graph], models: Sequence[str], count: int, *, name: str, root_seed: int
) -> tuple[list[Graph], list[str]]:
    """Graphs, followed by `count` graphs of each null model.

    Null graph i is drawn for graph i modulo the number of graphs, from a random stream of its own.

    Args:
        graphs: of the network.
        models: some of `NULL_MODELS`.
        count: graphs per model.
        name: of the network; different names share no stream.
        root_seed: the run's root seed.

    Returns:
        The graphs, and the variant of each.
    """
    found, variants = list(graphs), ["original"] * len(graphs)
    for model in models:
        for index in range(count):
            generator = numpy_generator(root_seed, "null", name, model, index)
            found.append(NULL_MODELS[model](graphs[index % len(graphs)], generator))
            variants.append(model)
    return found, variants


def network_table(graphs: Sequence[Graph], variants: Sequence[str]) -> pd.DataFrame:
    """One row for each graph, with the columns of `NETWORKS`."""
    table = graph_table(graphs)
    table.insert(1, "variant", list(variants))
    return table


def gather_networks(paths: Sequence[str]) -> pd.DataFrame:
    """The tables of many networks as one, with the columns of `COLLECTED_NETWORKS`.

    Raises:
        FileProblem: a file is missing or damaged.
    """
    return gather(paths, NETWORKS, _IDENTITY)
