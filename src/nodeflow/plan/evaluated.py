"""All tests of neural ODEs, with and without tails, and laws, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from nodeflow.plan.cells import Cells
from nodeflow.plan.experiments import Experiments

__all__ = ["Evaluated"]


@dataclass(frozen=True)
class Evaluated:
    """The tests of all that a run has learned.

    Attributes:
        models: of neural ODEs.
        laws: of laws.
        tailed: of neural ODEs with the tails of laws.
    """

    models: Experiments
    laws: Experiments
    tailed: Experiments

    @cached_property
    def tests(self) -> list[dict[str, Any]]:
        """Rows of learned, system, variant, trained_beta, trained_gamma: all that is tested."""
        return self._of("models.trainings")

    @cached_property
    def details(self) -> list[dict[str, Any]]:
        """Rows of learned, system, variant, trained_beta, trained_gamma: looked at in detail."""
        return self._of("details")

    @cached_property
    def noise(self) -> list[dict[str, Any]]:
        """Rows of learned, system, variant, trained_beta, trained_gamma: from noisy states."""
        return self._of("noise")

    @cached_property
    def ensembles(self) -> list[dict[str, Any]]:
        """Rows of learned, system, variant, trained_beta, trained_gamma: with bands and flags."""
        return self._of("ensembles")

    def warning_params(self) -> dict[str, Any]:
        """What the judgement of an ensemble's spread is made with."""
        sizes = self.models.neural_ode.dynamics.graphs.settings.sizes
        return {"size": max(sizes), "training_size": self._cells.training_size}

    def claim_params(self) -> dict[str, Any]:
        """What the claims are judged with."""
        cell = self._cells.structure_trained
        return {
            "training_size": self._cells.training_size,
            "detail_size": self._cells.detail_size,
            "structure_size": self.models.neural_ode.settings.structure.size,
            "structure_trained": [cell.beta, cell.gamma],
            "seed": self.models.neural_ode.dynamics.graphs.seed,
        }

    @property
    def _cells(self) -> Cells:
        return self.models.neural_ode.cells

    def _of(self, rows: str) -> list[dict[str, Any]]:
        """Rows of all, with the folder of each."""
        return [
            {"learned": tests.models.folder, **row}
            for tests in (self.models, self.laws, self.tailed)
            for row in attrgetter(rows)(tests)
        ]
