"""S¹ graphs of all cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.plan.cells import Cells, cell_of, rows
from nodeflow.plan.paths import COORDINATES, EDGES, NODES, SUMMARY, Row, narrow

__all__ = ["Graphs"]


@dataclass(frozen=True)
class Graphs:
    """The graphs of a run.

    Attributes:
        settings: section `graphs` of the configuration.
        seed: of the run.
        sampling: digest of the code that samples them.
        measuring: digest of the code that samples and measures them.
        cells: the cells of the run.
    """

    settings: config.graphs.Graphs
    seed: int
    sampling: str
    measuring: str
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
            **self.settings.dump("mean_degree"),
            "seed": self.seed,
            "code": self.sampling,
        }

    def parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What each of the files about the graphs of a role and a cell is made with, by name."""
        sampled = self.params(row)
        measured = {**sampled, "measures": self.measuring}
        return {"edges": sampled, "coordinates": sampled, "nodes": measured, "summary": measured}

    def files(self, row: Row) -> dict[str, dict[str, Any]]:
        """The same by path."""
        patterns = {"edges": EDGES, "coordinates": COORDINATES, "nodes": NODES, "summary": SUMMARY}
        return {narrow(patterns[name], **row): params for name, params in self.parts(row).items()}
