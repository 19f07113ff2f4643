"""Laws: what they are found from.

Variants of the data are "plain"; "noise~σ", as for neural ODEs; and "trajectories~k", "times~k" and
"nodes~s", of which there are only so many, or such a share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.grid import Cell, number
from nodeflow.plan.cells import trained
from nodeflow.plan.learned import Learned
from nodeflow.plan.neural_ode import NeuralODEs, training_row
from nodeflow.plan.paths import LAW_TABLE, LAWS, Row, narrow

__all__ = ["Laws"]


@dataclass(frozen=True)
class Laws(Learned):
    """The laws of a run.

    Attributes:
        settings: section `laws` of the configuration.
        code: digest of the code that finds them.
        neural_ode: the neural ODEs, which learn from the same trajectories.
    """

    folder = "law"
    title = "laws"
    method = "law"
    patterns = (LAWS,)
    read = "laws.rated:read_rated"
    rates_itself = True
    settings: config.laws.Laws
    code: str
    neural_ode: NeuralODEs

    @cached_property
    def trainings(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: laws that are tested.

        Those of all data, and of noisy ones wherever neural ODEs learn from the same.
        """
        tested = ("plain", *self.neural_ode.noise_variants)
        return [row for row in self.all if row["variant"] in tested]

    @cached_property
    def less(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: of noisy, or less than all data."""
        return [row for row in self.all if row["variant"] != "plain"]

    @property
    def whole(self) -> dict[str, float]:
        """What all data are that a law is found from, as variants leave less of them."""
        observed = self.neural_ode.dynamics.settings.training
        most = min(self.settings.trajectories, observed.trajectories)
        return {"noise": 0.0, "trajectories": most, "times": observed.times, "nodes": 1.0}

    @cached_property
    def recovery(self) -> list[str]:
        """The variants with noise, or with less than all data."""
        recovery, noise = self.settings.recovery, self.neural_ode.noise_variants
        less = [f"noise~{number(float(x))}" for x in recovery.noise]
        less = [x for x in less if x not in noise]
        less += [f"trajectories~{x}" for x in recovery.trajectories]
        less += [f"times~{x}" for x in recovery.times]
        return [*noise, *less, *(f"nodes~{number(float(x))}" for x in recovery.nodes)]

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: all laws."""
        cells = [Cell(self.neural_ode.cells.training_size, *x.pair) for x in self.settings.cells]
        of = [("plain", cell) for cell in cells]
        there = self.neural_ode.cells.structure_trained
        of += [(variant, there) for variant in self.recovery if there in cells]
        return [
            training_row(system, cell, variant)
            for system in self.neural_ode.dynamics.systems
            for variant, cell in of
        ]

    def params(self, row: Row) -> dict[str, Any]:
        """What the laws of a system, a variant and a training cell are made with."""
        return {
            "system": row["system"],
            "variant": row["variant"],
            **trained(self.neural_ode.cells.trained(row)),
            **self.settings.dump("graphs", "trajectories"),
            "seed": self.neural_ode.dynamics.graphs.seed,
            "from": self.neural_ode.dynamics.params(self.neural_ode.learned(row)),
            "code": self.code,
        }

    def parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What the laws of a variant and a training cell are made with, by system."""
        systems = self.neural_ode.dynamics.systems
        return {system: self.params({**row, "system": system}) for system in systems}

    def files(self, row: Row) -> dict[str, dict[str, Any]]:
        """The same by path."""
        return {
            narrow(pattern, **{**row, "system": system}): params
            for system, params in self.parts(row).items()
            for pattern in (LAWS, LAW_TABLE)
        }
