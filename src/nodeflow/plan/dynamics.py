"""Trajectories of the dynamical systems on graphs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.plan.cells import cell_of, rows
from nodeflow.plan.graphs import Graphs
from nodeflow.plan.paths import TRAJECTORIES, Row, narrow

__all__ = ["Dynamics"]

SHARED, TOLERANCE = ("initial", "horizon"), ("rtol", "atol", "max_steps")
"""Settings of all trajectories, of training and of test graphs."""


@dataclass(frozen=True)
class Dynamics:
    """The trajectories of a run.

    Attributes:
        settings: section `dynamics` of the configuration.
        code: digest of the code that simulates them.
        graphs: the graphs that they are on.
    """

    settings: config.dynamics.Dynamics
    code: str
    graphs: Graphs

    @property
    def systems(self) -> list[str]:
        """The dynamical systems of the run."""
        return list(self.settings.systems)

    @cached_property
    def training(self) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: on the training graphs."""
        return self.on(self.graphs.training)

    @cached_property
    def tests(self) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: on the test graphs."""
        return self.on(self.graphs.tests)

    @cached_property
    def structure(self) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: on the test graphs of the structure experiment."""
        return self.on(self.graphs.structure)

    @cached_property
    def examples(self) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: at the structure experiment's training cell."""
        return self.on(rows([self.graphs.cells.structure_trained], role="training"))

    @property
    def equations(self) -> list[dict[str, Any]]:
        """Name, title, equation and parameters of every system, for the words of the report."""
        return [
            {
                "name": name,
                "title": SYSTEMS[name].title,
                "equation": SYSTEMS[name].equation,
                "parameters": self.settings.parameters_of(name),
            }
            for name in self.systems
        ]

    def on(self, graphs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows of graphs, once for every system."""
        return [{"system": system, **row} for system in self.systems for row in graphs]

    def each(self, row: Row) -> list[dict[str, Any]]:
        """A row once for every system of the run."""
        return [{**row, "system": system} for system in self.systems]

    def params(self, row: Row) -> dict[str, Any]:
        """What the trajectories of a system on the graphs of a role and a cell are made with."""
        return {
            **self.simulation(row["role"], row["system"]),
            "on": self.graphs.params(row),
        }

    def parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What the trajectories on the graphs of a role and a cell are made with, by system."""
        return {system: self.params({**row, "system": system}) for system in self.systems}

    def files(self, row: Row) -> dict[str, dict[str, Any]]:
        """The same by path."""
        parts = self.parts(row)
        return {narrow(TRAJECTORIES, **{**row, "system": x}): parts[x] for x in parts}

    def is_stored(self, row: Row) -> bool:
        """Whether the trajectories on the graphs of a role and a cell are files.

        Those on training graphs, and those that more than one experiment looks at, are; who
        evaluates on others simulates them where the configuration says so.
        """
        cells = self.graphs.cells
        shared = {*cells.structure, *map(cells.detailed, [*cells.detail, cells.structure_trained])}
        return row["role"] != "test" or self.settings.test.stored or cell_of(row) in shared

    def simulation(self, role: str, system: str) -> dict[str, Any]:
        """How a system is simulated on graphs of a role."""
        return {
            "system": system,
            "parameters": self.settings.parameters_of(system),
            **self.settings.dump(*SHARED),
            "tolerance": self.settings.dump(*TOLERANCE),
            **getattr(self.settings, role).dump("trajectories", "times"),
            "code": self.code,
        }
