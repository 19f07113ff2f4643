"""What clustering alone does to the errors of models: tests on graphs of which only it was changed.

At a fixed degree exponent the inverse temperature β of the S¹ model moves clustering, but also the
largest degree. In a copy of a test graph every node keeps its degree, and edges are random
otherwise (Maslov and Sneppen, Science 296, 910 (2002)): clustering has gone, the degrees have not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.measures import node_table
from nodeflow.graphs.nulls import rewire
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.field import Learned
from nodeflow.neural_ode.schemas import NEURAL_ODE_REWIRED

__all__ = ["evaluate_rewired"]


def evaluate_rewired(
    models: Learned,
    system: Field,
    graphs: Sequence[Graph],
    original: pd.DataFrame,
    simulate: Callable[[Sequence[Graph]], Sequence[Trajectory]],
    *,
    tolerance: Tolerance,
    generators: Sequence[np.random.Generator],
) -> pd.DataFrame:
    """Test models on rewired copies of graphs that they were tested on, run by run.

    Args:
        models: R models.
        system: the true vector field, for its mean field.
        graphs: test graphs, by index; without directions and weights.
        original: columns graph, replicate, status, mae of the models' runs on them.
        simulate: makes the trajectories of the true system on the copies, from the initial states
            of those on the graphs.
        tolerance: of the true system; for models see `Tolerance.for_error`.
        generators: one for the rewiring of each graph.

    Returns:
        A table with the columns of `NEURAL_ODE_REWIRED`, but for N, beta and gamma.

    Raises:
        GraphProblem: a graph is directed or weighted.
    """
    copies = [rewire(graph, random) for graph, random in zip(graphs, generators, strict=True)]
    nodes = node_table(copies)
    _, runs = evaluate_models(models, system, copies, nodes, simulate(copies), tolerance=tolerance)
    before = original[["graph", "replicate", "status", "mae"]].rename(
        columns={"status": "status_original", "mae": "mae_original"}
    )
    clustering = {
        "clustering": nodes.groupby("graph")["clustering"].mean(),
        "clustering_original": node_table(graphs).groupby("graph")["clustering"].mean(),
    }
    table = runs.merge(before, on=["graph", "replicate"], how="left", validate="one_to_one")
    table = table.assign(**{name: table["graph"].map(x) for name, x in clustering.items()})
    columns = [name for name in NEURAL_ODE_REWIRED.columns if name not in ("N", "beta", "gamma")]
    return table[columns]
