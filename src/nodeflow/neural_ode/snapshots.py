"""Errors of neural ODEs over their training: every snapshot on test graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.field import as_field
from nodeflow.neural_ode.store import NEURAL_ODE_OVER_TRAINING, Models, Snapshots
from nodeflow.neural_ode.table import TableProblem
from nodeflow.threads import one_thread_if_small

__all__ = ["evaluate_snapshots"]


@one_thread_if_small
def evaluate_snapshots(
    models: Models,
    snapshots: Snapshots,
    system: Field,
    graphs: Sequence[Graph],
    nodes: pd.DataFrame,
    truth: Sequence[Trajectory],
    *,
    tolerance: Tolerance,
) -> pd.DataFrame:
    """Test models as they were at each snapshot, as `evaluate_models` tests them at the end.

    Args:
        models: R models.
        snapshots: of their training.
        system: the true vector field, for its mean field.
        graphs: test graphs, by index.
        nodes: columns graph, node, degree, clustering of all their nodes.
        truth: trajectories of the true system on them.
        tolerance: of the true system; for all snapshots of a model see `Tolerance.for_error`.

    Returns:
        A table with the columns of `NEURAL_ODE_OVER_TRAINING`, but for N, beta and gamma.
    """
    rows = []
    for place, step in enumerate(snapshots.steps.tolist()):
        then = replace(models, parameters={n: x[place] for n, x in snapshots.parameters.items()})
        fields = [_field(then, replicate) for replicate in range(len(then))]
        _, runs = evaluate_models(
            then, system, graphs, nodes, truth, tolerance=tolerance, fields=fields,
        )  # fmt: skip
        rows.append(runs.assign(step=step))
    columns = [n for n in NEURAL_ODE_OVER_TRAINING.columns if n not in ("N", "beta", "gamma")]
    return pd.concat(rows, ignore_index=True)[columns]


def _field(models: Models, replicate: int) -> Field | None:
    """As `model_fields`: of tables, which cost less even for a few small graphs.

    That a trained model can be tabulated was checked; what it was on the way may be too rough.
    """
    if not models.ok[replicate]:
        return None
    low, high = models.seen[replicate]
    try:
        return as_field(
            models.parameters, replicate, table=(low, high), activation=models.activation
        )
    except TableProblem:
        return as_field(models.parameters, replicate, activation=models.activation)
