"""Networks beside their null models: real ones, the user's own, and cells of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.grid import Cell, number
from nodeflow.plan.cells import rows
from nodeflow.plan.dynamics import Dynamics
from nodeflow.plan.paths import Row

__all__ = ["Networks"]


@dataclass(frozen=True)
class Networks:
    """The networks of a run, each with its null models.

    Attributes:
        settings: section `graphs` of the configuration.
        sampling: digest of the code that makes them.
        dynamics: how systems are simulated on them.
    """

    settings: config.graphs.Graphs
    sampling: str
    dynamics: Dynamics

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Cells to compare with null models: all γ of the structure grid at its trained β."""
        known = self.dynamics.graphs.cells
        return {
            f"s1_gamma~{number(cell.gamma)}": cell
            for cell in known.structure
            if cell.beta == known.structure_trained.beta
        }

    @cached_property
    def names(self) -> list[str]:
        """Names of all networks."""
        return [*self.settings.networks, *self.settings.files, *self.cells]

    @cached_property
    def all(self) -> list[dict[str, str]]:
        """Rows of system, network."""
        return [
            {"system": system, "network": network}
            for system in self.dynamics.systems
            for network in self.names
        ]

    def file(self, row: Row) -> list[str]:
        """The file of the user's that a network is; none for cells, and for those of a package."""
        network, files = row["network"], self.settings.files
        return [files[network]] if network in files else []

    def graphs(self, row: Row) -> list[dict[str, Any]]:
        """The row of the graphs that a network is a cell of; none for other networks."""
        return rows([self.cells[x] for x in [row["network"]] if x in self.cells], role="test")

    def params(self, row: Row) -> dict[str, Any]:
        """What a network and its null models are made with."""
        network, graphs = row["network"], self.dynamics.graphs
        is_file = network in self.settings.files
        return {
            "network": network,
            "kind": "cell" if network in self.cells else "file" if is_file else "real",
            "nulls": self.settings.nulls.dump(),
            "seed": graphs.seed,
            "code": self.sampling,
            "from": next(map(graphs.params, self.graphs(row)), None),
        }

    def parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What the trajectories on a network and its null models are made with, by system."""
        on = self.params(row)
        return {
            system: {**self.dynamics.simulation("test", system), "on": on}
            for system in self.dynamics.systems
        }
