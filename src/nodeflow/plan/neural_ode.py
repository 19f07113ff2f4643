"""Neural ODEs: what they are trained on.

Variants of the training data are "plain"; "noise~σ", with noise of that standard deviation; and
"covering", up to the largest states of the detail experiment's test graphs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.grid import Cell, number
from nodeflow.plan.cells import Cells, rows, trained
from nodeflow.plan.dynamics import Dynamics
from nodeflow.plan.learned import Learned
from nodeflow.plan.paths import MODELS, Row, narrow

__all__ = ["NeuralODEs", "noise_of", "training_row"]


def noise_of(variant: str) -> float:
    """The standard deviation of the noise on a variant's training data."""
    return float(variant.removeprefix("noise~")) if variant.startswith("noise~") else 0.0


@dataclass(frozen=True)
class NeuralODEs(Learned):
    """The neural ODEs of a run.

    Attributes:
        settings: section `neural_ode` of the configuration.
        device: of the run.
        dynamics: the trajectories that they learn.
    """

    folder = "neural_ode"
    title = "neural ODEs"
    method = "neural ODE"
    patterns = (MODELS,)
    read = "neural_ode.store:read_models"
    settings: config.neural_ode.NeuralODE
    device: str
    dynamics: Dynamics

    @property
    def cells(self) -> Cells:
        """The cells of the run."""
        return self.dynamics.graphs.cells

    @property
    def count(self) -> int:
        """How many models of a system, a variant and a training cell there are."""
        return self.dynamics.graphs.settings.training.graphs * self.settings.seeds

    @cached_property
    def noise_variants(self) -> list[str]:
        """The variants trained on noisy trajectories."""
        return [f"noise~{number(float(x))}" for x in self.settings.noise.training]

    @cached_property
    def trainings(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: all neural ODEs."""
        plain = [("plain", cell) for cell in self.cells.training]
        covering = [("covering", cell) for cell in self.cells.detail]
        noisy = [(variant, self.cells.structure_trained) for variant in self.noise_variants]
        return [
            training_row(system, cell, variant)
            for system in self.dynamics.systems
            for variant, cell in plain + covering + noisy
        ]

    @property
    def keeps_snapshots(self) -> bool:
        """Whether the recipe keeps parameters over the training."""
        return bool(getattr(self.settings.training, "snapshots", 0))

    def learned(self, row: Row) -> dict[str, Any]:
        """The row of the trajectories that neural ODEs learn."""
        [learned] = rows([self.cells.trained(row)], role="training", system=row["system"])
        return learned

    def reached(self, row: Row) -> list[dict[str, Any]]:
        """The row of the trajectories whose states covering training data reach; else none."""
        covering = row["variant"] == "covering"
        cells = [self.cells.detailed(self.cells.trained(row))] if covering else []
        return rows(cells, role="test", system=row["system"])

    def params(self, row: Row) -> dict[str, Any]:
        """What the neural ODEs of a system, a variant and a training cell are made with."""
        system, variant, cell = row["system"], row["variant"], self.cells.trained(row)
        recipe = self.settings.recipe
        params = {
            "system": system,
            "variant": variant,
            **trained(cell),
            "seeds": self.settings.seeds,
            "recipe": recipe,
            "settings": self.settings.dump(recipe)[recipe],
            "device": self.device,
            "seed": self.dynamics.graphs.seed,
            "from": self.dynamics.params(self.learned(row)),
        }
        for reached in self.reached(row):
            params["reach"] = self.dynamics.params(reached)
        if variant.startswith("noise~"):
            params["noise"] = noise_of(variant)
        return params

    def files(self, row: Row) -> dict[str, dict[str, Any]]:
        """The same by path."""
        return {narrow(MODELS, **row): self.params(row)}


def training_row(system: str, cell: Cell, variant: str = "plain") -> dict[str, Any]:
    """The row of the neural ODEs of a system, a training cell and a variant."""
    return {"system": system, "variant": variant, **trained(cell)}
