"""All that is asked of learned models on the graphs of one test cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.grid import Cell
from nodeflow.judge.degree import errors_by_degree
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.field import Learned
from nodeflow.neural_ode.trusted import Evidence, rating_of

__all__ = ["CellTests", "LearnedTests"]


@dataclass(frozen=True)
class CellTests:
    """The tests of models on the graphs of a cell.

    Attributes:
        errors: columns of `NEURAL_ODE_ERRORS`.
        runs: columns of `NEURAL_ODE_RUNS`.
        by_degree: columns of `ERRORS_BY_DEGREE`.
        trust: rows of `NEURAL_ODE_TRUST`, as far as they are known.
    """

    errors: pd.DataFrame
    runs: pd.DataFrame
    by_degree: pd.DataFrame
    trust: list[dict[str, Any]]


@dataclass(frozen=True)
class LearnedTests:
    """Tests of models of one system, cell by cell.

    Attributes:
        models: R models: neural ODEs, or other fields that were learned.
        fields: what `model_fields` makes of them.
        evidence: what their training graphs say about them as an ensemble, if that is asked for;
            models with bands and flags of their own need none.
    """

    models: Learned
    fields: Sequence[Field | None]
    evidence: Evidence | None = None

    def on_cell(
        self,
        cell: Cell,
        system: Field,
        graphs: Sequence[Graph],
        nodes: pd.DataFrame,
        truth: Sequence[Trajectory],
        *,
        tolerance: Tolerance,
    ) -> CellTests:
        """Test the models on the graphs of a cell; for arguments and errors see `evaluate_models`.

        Args:
            cell: N, β and γ of the graphs.
            system: the true vector field.
            graphs: test graphs, by index.
            nodes: what is known of their nodes.
            truth: trajectories of the true system on them.
            tolerance: of the true system.
        """
        trust: list[dict[str, Any]] = []
        errors, runs = evaluate_models(
            self.models,
            system,
            graphs,
            nodes,
            truth,
            tolerance=tolerance,
            fields=self.fields,
            watch=rating_of(self.models, self.evidence, graphs, trust),
        )
        place = asdict(cell)
        return CellTests(
            errors.assign(**place),
            runs.assign(**place),
            errors_by_degree(errors).assign(**place),
            [{**row, **place} for row in trust],
        )
