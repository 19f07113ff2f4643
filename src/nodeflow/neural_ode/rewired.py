"""What clustering alone does to the errors of models: tests on graphs of which only it was changed.

At a fixed degree exponent the inverse temperature β of the S¹ model moves clustering, but also the
largest degree. In a copy of a test graph every node keeps its degree, and edges are random
otherwise (Maslov and Sneppen, Science 296, 910 (2002)): clustering has gone, the degrees have not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from nodeflow.dynamics.ensemble import simulate_as
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.measures import node_table
from nodeflow.graphs.nulls import rewire
from nodeflow.grid import Cell
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.field import Learned
from nodeflow.neural_ode.schemas import NEURAL_ODE_REWIRED
from nodeflow.seeds import numpy_generator

__all__ = ["RewiredCell", "beside_original"]


@dataclass(frozen=True)
class RewiredCell:
    """The graphs of a test cell and their rewired copies, the same for all models.

    Attributes:
        cell: N, β and γ of the graphs.
        copies: of each graph one, in the order of the graphs.
        nodes: columns graph, node, degree, clustering of all nodes of the copies.
        original_nodes: as `nodes`, of the graphs.
    """

    cell: Cell
    copies: Sequence[Graph]
    nodes: pd.DataFrame
    original_nodes: pd.DataFrame

    @classmethod
    def of(
        cls, cell: Cell, graphs: Sequence[Graph], nodes: pd.DataFrame, root_seed: int
    ) -> RewiredCell:
        """Rewire the graphs of a cell, each with a random stream of its own.

        Args:
            cell: N, β and γ of the graphs.
            graphs: by index.
            nodes: what is known of their nodes.
            root_seed: the run's root seed.
        """
        labels = ("rewired", cell.N, cell.beta, cell.gamma)
        copies = [
            rewire(graph, numpy_generator(root_seed, *labels, index))
            for index, graph in enumerate(graphs)
        ]
        return cls(cell, copies, node_table(copies), nodes)

    def evaluate(
        self, models: Learned, truth: Mapping[str, Any], original_runs: pd.DataFrame
    ) -> pd.DataFrame:
        """Test models on the copies, from the states that trajectories on the graphs begin at.

        Args:
            models: R models.
            truth: what the trajectories on the graphs were made with; see `simulate_as`.
            original_runs: columns N, beta, gamma, graph, replicate, status, mae of the models on
                the graphs of this and of other cells.

        Returns:
            A table with the columns of `NEURAL_ODE_REWIRED`.
        """
        _, runs = evaluate_models(
            models,
            field(truth["system"], truth["parameters"]),
            self.copies,
            self.nodes,
            list(simulate_as(truth, self.copies)),
            tolerance=Tolerance(**truth["tolerance"]),
        )
        cell = asdict(self.cell)
        here = (original_runs[list(cell)] == list(cell.values())).all(axis=1)
        table = beside_original(runs, self.nodes, original_runs[here], self.original_nodes)
        return table.assign(**cell)


def beside_original(
    runs: pd.DataFrame,
    nodes: pd.DataFrame,
    original_runs: pd.DataFrame,
    original_nodes: pd.DataFrame,
) -> pd.DataFrame:
    """The runs of models on rewired copies of graphs, beside those on the graphs.

    Args:
        runs: on the copies, as `evaluate_models` returns them.
        nodes: columns graph, clustering of all nodes of the copies.
        original_runs: columns graph, replicate, status, mae of the models on the graphs.
        original_nodes: as `nodes`, of the graphs.

    Returns:
        A table with the columns of `NEURAL_ODE_REWIRED`, but for N, beta and gamma.
    """
    before = original_runs[["graph", "replicate", "status", "mae"]].rename(
        columns={"status": "status_original", "mae": "mae_original"}
    )
    table = runs.merge(before, on=["graph", "replicate"], how="left", validate="one_to_one")
    for name, of in (("clustering", nodes), ("clustering_original", original_nodes)):
        table[name] = table["graph"].map(of.groupby("graph")["clustering"].mean())
    columns = [name for name in NEURAL_ODE_REWIRED.columns if name not in ("N", "beta", "gamma")]
    return table[columns]
