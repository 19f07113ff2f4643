"""S¹ graphs of all cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.plan.cells import Cells, cell_of, rows
from nodeflow.plan.paths import Row

__all__ = ["Graphs"]


@dataclass(frozen=True)
class Graphs:
    """The graphs of a run.

    Attributes:
        settings: section `graphs` of the configuration.
        seed: of the run.
        cells: the cells of the run.
    """

    settings: config.graphs.Graphs
    seed: int
    cells: Cells

    @cached_property
    def training(self) -> list[dict[str, Any]]:
        """Rows of role, N, beta, gamma: the training graphs."""
        return rows(self.cells.training, role="training")

    @cached_property
    def tests(self) -> list[dict[str, Any]]:
        """Rows of role, N, beta, gamma: the test graphs."""
        return rows(self.cells.tests, role="test")

    @cached_property
    def structure(self) -> list[dict[str, Any]]:
        """Rows of role, N, beta, gamma: the test graphs of the structure experiment."""
        return rows(self.cells.structure, role="test")

    def params(self, row: Row) -> dict[str, Any]:
        """What the graphs of a role and a cell are made with."""
        cell = cell_of(row)
        return {
            "role": row["role"],
            "N": cell.N,
            "beta": cell.beta,
            "gamma": cell.gamma,
            "graphs": getattr(self.settings, row["role"]).graphs,
            **self.settings.dump("mean_degree", "sampler"),
            "seed": self.seed,
        }
