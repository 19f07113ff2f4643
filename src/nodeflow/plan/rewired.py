"""Tests of neural ODEs on test graphs without clustering, for what clustering alone does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow.plan.cells import rows
from nodeflow.plan.experiments import Experiments
from nodeflow.plan.neural_ode import training_row
from nodeflow.plan.paths import Row

__all__ = ["Rewired"]


@dataclass(frozen=True)
class Rewired:
    """The models of the structure experiment, on rewired copies of its graphs.

    Attributes:
        experiments: the tests on the graphs themselves.
    """

    experiments: Experiments

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: all that are tested so."""
        models = self.experiments.neural_ode
        cell = models.cells.structure_trained
        systems = models.dynamics.systems if models.settings.structure.rewired else []
        return [training_row(system, cell) for system in systems]

    def parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What the tests are made with, by system."""
        dynamics = self.experiments.neural_ode.dynamics
        return {x["system"]: self._params(x) for x in dynamics.each({**row, "variant": "plain"})}

    def _params(self, row: Row) -> dict[str, Any]:
        experiments, models = self.experiments, self.experiments.neural_ode
        graphs = rows(models.cells.structure, role="test", system=row["system"])
        return {
            **training_row(row["system"], models.cells.trained(row)),
            "models": models.params(row),
            "tests": {**experiments.test_params(row), "code": experiments.testing},
            "truths": [models.dynamics.params(x) for x in graphs],
            "seed": models.dynamics.graphs.seed,
        }
