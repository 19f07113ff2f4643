"""What clustering alone does to the errors of models: tests on graphs of which only it was changed.

At a fixed degree exponent the inverse temperature β of the S¹ model moves clustering, but also the
largest degree. In a copy of a test graph every node keeps its degree, and edges are random
otherwise (Maslov and Sneppen, Science 296, 910 (2002)): clustering has gone, the degrees have not.
"""

from __future__ import annotations

import pandas as pd

from nodeflow.neural_ode.schemas import NEURAL_ODE_REWIRED

__all__ = ["beside_original"]


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
