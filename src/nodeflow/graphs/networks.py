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

from nodeflow.graphs.edge_lines import EdgeListProblem
from nodeflow.graphs.files import read_network
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.measures import graph_table
from nodeflow.graphs.nulls import erdos_renyi, rewire
from nodeflow.graphs.real import real_network
from nodeflow.graphs.store import read_graphs
from nodeflow.seeds import numpy_generator

__all__ = [
    "NULL_MODELS",
    "NetworkKind",
    "network_table",
    "originals",
    "with_nulls",
]

NetworkKind = Literal["real", "file", "cell"]

NULL_MODELS: Mapping[str, Callable[[Graph, np.random.Generator], Graph]] = {
    "configuration": rewire,
    "erdos_renyi": erdos_renyi,
}


def originals(kind: NetworkKind, source: str, made: Mapping[str, Any] | None = None) -> list[Graph]:
    """The graphs of a network itself.

    Args:
        kind: where it comes from.
        source: name in `REAL_NETWORKS`, path of a file that `read_network`
            reads, or path of a cell's edge table.
        made: what the cell's graphs must have been made with.

    Raises:
        GraphProblem: no such real network.
        EdgeListProblem: the user's file cannot be used.
        FileProblem: the cell's file is missing, damaged, or made with other parameters.
    """
    if kind == "cell":
        return read_graphs(source, made)
    if kind == "real":
        return [real_network(source)]
    graph = read_network(source)
    if graph.weights is not None:
        raise EdgeListProblem(
            f"{source} has weights, which null models do not keep; delete the column of weights."
        )
    return [graph]


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
    networks, variants = list(graphs), ["original"] * len(graphs)
    for model in models:
        for index in range(count):
            generator = numpy_generator(root_seed, "null", name, model, index)
            networks.append(NULL_MODELS[model](graphs[index % len(graphs)], generator))
            variants.append(model)
    return networks, variants


def network_table(graphs: Sequence[Graph], variants: Sequence[str]) -> pd.DataFrame:
    """One row for each graph, with the columns of `NETWORKS`."""
    table = graph_table(graphs)
    table.insert(1, "variant", list(variants))
    return table
