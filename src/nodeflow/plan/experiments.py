"""What neural ODEs and laws are tested on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow.grid import Cell
from nodeflow.plan.cells import Cells, rows, trained
from nodeflow.plan.learned import Learned
from nodeflow.plan.neural_ode import NeuralODEs, noise_of, training_row
from nodeflow.plan.paths import Row

__all__ = ["Experiments"]

_SNAPSHOT_GRAPHS = 10  # there are a hundred times as many models as elsewhere


@dataclass(frozen=True)
class Experiments:
    """The experiments with neural ODEs, or with laws.

    Attributes:
        testing: digest of the code of the tests.
        examining: of that of the detail experiments.
        perturbing: of that of the experiment with noisy initial states.
        models: what is tested.
        neural_ode: the neural ODEs, with the settings of the experiments.
    """

    testing: str
    examining: str
    perturbing: str
    models: Learned
    neural_ode: NeuralODEs

    @cached_property
    def details(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: the cells of the detail section."""
        return self._of("plain", self._cells.detail)

    @cached_property
    def ensembles(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: whose bands and flags are tested.

        Each law has its own.
        """
        return [x for x in self.models.trainings if self.models.rates_itself or self.evidence(x)]

    @cached_property
    def snapshots(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: snapshots that a figure shows.

        Those of the β of the structure experiment; none if the recipe keeps none.
        """
        shown = [x for x in self._cells.training if x.beta == self._cells.structure_trained.beta]
        return self._of("plain", shown if self.neural_ode.keeps_snapshots else [])

    @cached_property
    def noise(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: given noisy initial states."""
        cell, variants = self._cells.structure_trained, ("plain", *self.neural_ode.noise_variants)
        every = [row for variant in variants for row in self._of(variant, [cell])]
        systems = self.neural_ode.dynamics.systems
        return sorted(every, key=lambda row: systems.index(row["system"]))

    def graphs_tested(self, row: Row) -> list[dict[str, Any]]:
        """Rows of role, N, beta, gamma: the graphs that a training cell's models are tested on."""
        return rows(self._cells.tested(row["variant"], self._cells.trained(row)), role="test")

    def tested(self, row: Row) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: what a training cell's models are tested on."""
        return [{"system": row["system"], **on} for on in self.graphs_tested(row)]

    def evidence(self, row: Row) -> list[dict[str, Any]]:
        """The row of the trajectories that say how far to trust a training cell's models.

        None where they learned from others than these; laws are no ensemble.
        """
        trusted = row["variant"] == "plain" and not self.models.rates_itself
        return [self.neural_ode.learned(row)] if trusted else []

    def truths(self, row: Row) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: `tested` of all systems, as far as in files."""
        dynamics = self.neural_ode.dynamics
        return [y for x in dynamics.each(row) for y in self.tested(x) if dynamics.is_stored(y)]

    def known(self, row: Row) -> list[dict[str, Any]]:
        """The rows of `evidence` of all systems."""
        return [y for x in self.neural_ode.dynamics.each(row) for y in self.evidence(x)]

    def snapshots_tested(self, row: Row) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: what a cell's snapshots are tested on."""
        tested = self._cells.snapshots(self._cells.trained(row))
        return rows(tested, role="test", system=row["system"])

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
            "truths": [self.neural_ode.dynamics.params(x) for x in self.tested(row)],
        }

    def snapshot_params(self, row: Row) -> dict[str, Any]:
        """What the tests of a training cell's snapshots are made with."""
        return {
            **self._plain(row),
            "graphs": min(_SNAPSHOT_GRAPHS, self.neural_ode.dynamics.graphs.settings.test.graphs),
            "truths": [self.neural_ode.dynamics.params(x) for x in self.snapshots_tested(row)],
        }

    def detail_parts(self, row: Row) -> dict[str, dict[str, dict[str, Any]]]:
        """What each detail experiment on a training cell's models is made with, by system."""
        of = {
            "fixed_points": self.fixed_point_params,
            "hidden": self.hidden_params,
            "functions": self._plain,
        }
        code = self.examining
        return self._by_system(row, lambda x: {y: {**f(x), "code": code} for y, f in of.items()})

    def fixed_point_params(self, row: Row) -> dict[str, Any]:
        """What the fixed points of a training cell's models are made with."""
        return {
            **self._plain(row),
            **self.neural_ode.settings.fixed_points.dump(),
            "truth": self._truth(row),
        }

    def hidden_params(self, row: Row) -> dict[str, Any]:
        """What the experiment with unobserved nodes is made with."""
        return {
            **self._plain(row),
            **self.neural_ode.settings.hidden.dump("removed"),
            "truth": self._truth(row),
            "seed": self.neural_ode.dynamics.graphs.seed,
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
            "test_noise": self.neural_ode.settings.noise.dump("test")["test"],
            "truth": self._truth(at),
            "seed": self.neural_ode.dynamics.graphs.seed,
        }

    def _by_system(
        self, row: Row, params_of: Callable[[Row], dict[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        return {x["system"]: params_of(x) for x in self.neural_ode.dynamics.each(row)}

    @property
    def _cells(self) -> Cells:
        return self.neural_ode.cells

    def _of(self, variant: str, cells: list[Cell]) -> list[dict[str, Any]]:
        """The rows of a variant in some cells, of those that there are."""
        systems, there = self.neural_ode.dynamics.systems, self.models.trainings
        every = [training_row(system, cell, variant) for system in systems for cell in cells]
        return [row for row in every if row in there]

    def _tested(self, row: Mapping[str, Any]) -> dict[str, Any]:
        cell = self._cells.trained(row)
        return {
            "method": self.models.method,
            "read": self.models.read,
            **training_row(row["system"], cell, row["variant"]),
            "models": self.models.params(row),
        }

    def _plain(self, row: Row) -> dict[str, Any]:
        return self._tested({**row, "variant": "plain"})

    def _truth(self, row: Row) -> dict[str, Any]:
        return self.neural_ode.dynamics.params(self.detailed(row))
