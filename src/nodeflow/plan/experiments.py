"""What neural ODEs are tested on, and what follows from the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow.grid import Cell
from nodeflow.plan.cells import Cells, rows, trained
from nodeflow.plan.node import Node, noise_of, training_row
from nodeflow.plan.paths import Row

__all__ = ["Experiments"]

_SNAPSHOT_GRAPHS = 10


@dataclass(frozen=True)
class Experiments:
    """The experiments with neural ODEs.

    Attributes:
        testing: digest of the code of the tests.
        examining: of that of the detail experiments.
        perturbing: of that of the experiment with noisy initial states.
        node: the neural ODEs, with the settings of the experiments.
    """

    testing: str
    examining: str
    perturbing: str
    node: Node

    @cached_property
    def details(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: the cells of the detail section."""
        return self._trainings(self._cells.detail)

    @cached_property
    def ensembles(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: tested as ensembles, too."""
        return [row for row in self.node.trainings if self.evidence(row)]

    @cached_property
    def snapshots(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: snapshots that a figure shows.

        Those of the β of the structure experiment; none if the recipe keeps none.
        """
        shown = [x for x in self._cells.training if x.beta == self._cells.structure_trained.beta]
        return self._trainings(shown if self.node.keeps_snapshots else [])

    @cached_property
    def noise(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: given noisy initial states."""
        return [
            training_row(system, self._cells.structure_trained, variant)
            for system in self.node.dynamics.systems
            for variant in ("plain", *self.node.noise_variants)
        ]

    def graphs_tested(self, row: Row) -> list[dict[str, Any]]:
        """Rows of role, N, beta, gamma: the graphs that a training cell's models are tested on."""
        return rows(self._cells.tested(row["variant"], self._cells.trained(row)), role="test")

    def tested(self, row: Row) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: what a training cell's models are tested on."""
        return [{"system": row["system"], **on} for on in self.graphs_tested(row)]

    def evidence(self, row: Row) -> list[dict[str, Any]]:
        """The row of the trajectories that say how far to trust a training cell's models.

        None where they learned from others than these.
        """
        return [self.node.learned(row)] if row["variant"] == "plain" else []

    def snapshots_tested(self, row: Row) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: what a cell's snapshots are tested on."""
        cells = self._cells.snapshots(self._cells.trained(row))
        return rows(cells, role="test", system=row["system"])

    def graphs_detailed(self, row: Row) -> dict[str, Any]:
        """The row of role, N, beta, gamma that a training cell's details are looked at."""
        return rows([self._cells.detailed(self._cells.trained(row))], role="test")[0]

    def detailed(self, row: Row) -> dict[str, Any]:
        """The row of system, role, N, beta, gamma that a training cell's details are looked at."""
        return {"system": row["system"], **self.graphs_detailed(row)}

    def noisy(self, row: Row) -> dict[str, Any]:
        """A row with the training cell of the models that noise is for."""
        return {**row, **trained(self._cells.structure_trained)}

    def test_parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What the tests of a training cell's models are made with, by system."""
        return self._by_system(row, lambda x: {**self.test_params(x), "code": self.testing})

    def test_params(self, row: Row) -> dict[str, Any]:
        """What the tests of a training cell's models are made with."""
        return {
            **self._tested(row),
            "truths": [self.node.dynamics.params(x) for x in self.tested(row)],
        }

    def snapshot_params(self, row: Row) -> dict[str, Any]:
        """What the tests of a training cell's snapshots are made with.

        There are a hundred times as many models as elsewhere, so a few test graphs have to do.
        """
        return {
            **self._plain(row),
            "graphs": min(_SNAPSHOT_GRAPHS, self.node.dynamics.graphs.settings.test.graphs),
            "truths": [self.node.dynamics.params(x) for x in self.snapshots_tested(row)],
        }

    def detail_parts(self, row: Row) -> dict[str, dict[str, dict[str, Any]]]:
        """What each detail experiment on a training cell's models is made with, by system."""
        made = {
            "fixed_points": self.fixed_point_params,
            "hidden": self.hidden_params,
            "functions": self._plain,
        }
        code = self.examining
        return self._by_system(row, lambda x: {y: {**made[y](x), "code": code} for y in made})

    def fixed_point_params(self, row: Row) -> dict[str, Any]:
        """What the fixed points of a training cell's models are made with."""
        return {
            **self._plain(row),
            **self.node.settings.fixed_points.dump(),
            "truth": self._truth(row),
        }

    def hidden_params(self, row: Row) -> dict[str, Any]:
        """What the experiment with unobserved nodes is made with."""
        return {
            **self._plain(row),
            **self.node.settings.hidden.dump("removed"),
            "truth": self._truth(row),
            "seed": self.node.dynamics.graphs.seed,
        }

    def noise_parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What the test of a variant's models on noisy initial states is made with, by system."""
        return self._by_system(row, lambda x: {**self.noise_params(x), "code": self.perturbing})

    def noise_params(self, row: Row) -> dict[str, Any]:
        """What the test of a variant's models on noisy initial states is made with."""
        at = self.noisy(row)
        return {
            **self._tested(at),
            "training_noise": noise_of(row["variant"]),
            "test_noise": self.node.settings.noise.dump("test")["test"],
            "truth": self._truth(at),
            "seed": self.node.dynamics.graphs.seed,
        }

    def warning_params(self) -> dict[str, Any]:
        """What the judgement of an ensemble's spread is made with."""
        sizes = self.node.dynamics.graphs.settings.sizes
        return {"size": max(sizes), "training_size": self._cells.training_size}

    def claim_params(self) -> dict[str, Any]:
        """What the claims are judged with."""
        cell = self._cells.structure_trained
        return {
            "training_size": self._cells.training_size,
            "detail_size": self._cells.detail_size,
            "structure_size": self.node.settings.structure.size,
            "structure_trained": [cell.beta, cell.gamma],
            "seed": self.node.dynamics.graphs.seed,
        }

    def _by_system(
        self, row: Row, made: Callable[[Row], dict[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        return {x["system"]: made(x) for x in self.node.dynamics.each(row)}

    @property
    def _cells(self) -> Cells:
        return self.node.cells

    def _trainings(self, cells: list[Cell]) -> list[dict[str, Any]]:
        systems = self.node.dynamics.systems
        return [training_row(system, cell) for system in systems for cell in cells]

    def _tested(self, row: Mapping[str, Any]) -> dict[str, Any]:
        cell = self._cells.trained(row)
        return {
            **training_row(row["system"], cell, row["variant"]),
            "models": self.node.params(row),
        }

    def _plain(self, row: Row) -> dict[str, Any]:
        return self._tested({**row, "variant": "plain"})

    def _truth(self, row: Row) -> dict[str, Any]:
        return self.node.dynamics.params(self.detailed(row))
