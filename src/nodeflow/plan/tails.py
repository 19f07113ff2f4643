"""Neural ODEs with the tails of laws beyond the states that they saw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow.plan.laws import Laws
from nodeflow.plan.learned import Learned
from nodeflow.plan.neural_ode import NeuralODEs
from nodeflow.plan.paths import LAWS, MODELS, Row

__all__ = ["Tails"]


@dataclass(frozen=True)
class Tails(Learned):
    """The neural ODEs of a run that are tested with tails, too.

    Attributes:
        laws: that the tails are of.
        neural_ode: the neural ODEs.
    """

    folder = "tailed"
    title = "neural ODEs with tails of laws"
    method = "neural ODE with tails"
    patterns = (MODELS, LAWS)
    read = "laws.tailed:read_tailed"
    laws: Laws
    neural_ode: NeuralODEs

    @cached_property
    def trainings(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: where there is a law, too."""
        if self.neural_ode.settings.tails != "law":
            return []
        return [row for row in self.neural_ode.trainings if row in self.laws.trainings]

    def params(self, row: Row) -> dict[str, Any]:
        """What models of a system, a variant and a training cell, and their laws, are made with."""
        models = self.neural_ode.params(row)
        return {"models": models, "laws": self.laws.params(row), "from": models["from"]}

    def files(self, row: Row) -> dict[str, dict[str, Any]]:
        """The same by path."""
        return self.neural_ode.files(row) | self.laws.files(row)
