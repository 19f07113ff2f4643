"""The cells of the (N, β, γ) grid that the experiments of a run are made of.

A training cell has the size of the training graphs. It is named by its β and γ alone, in rows as in
paths: `trained_beta`, `trained_gamma`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.grid import Cell, cells
from nodeflow.plan.paths import Row

__all__ = ["Cells", "cell_of", "rows", "trained"]


def cell_of(row: Row) -> Cell:
    """The cell that a row, or the wildcards of a path, name."""
    return Cell(int(row["N"]), float(row["beta"]), float(row["gamma"]))


def trained(cell: Cell) -> dict[str, float]:
    """A training cell as the columns of rows."""
    return {"trained_beta": cell.beta, "trained_gamma": cell.gamma}


@dataclass(frozen=True)
class Cells:
    """Where neural ODEs are trained, and where they are tested.

    Attributes:
        graphs: section `graphs` of the configuration.
        neural_ode: section `neural_ode`.
    """

    graphs: config.graphs.Graphs
    neural_ode: config.neural_ode.NeuralODE

    @property
    def training_size(self) -> int:
        """Number of nodes of the training graphs."""
        return self.graphs.training.size

    @property
    def detail_size(self) -> int:
        """Number of nodes of the test graphs of all experiments but size and structure."""
        return self.neural_ode.detail.size

    @cached_property
    def training(self) -> list[Cell]:
        """All training cells."""
        return [self._training(x) for x in self.neural_ode.cells]

    @property
    def is_grid(self) -> bool:
        """Whether neural ODEs are trained at several β and several γ."""
        trained = self.neural_ode.cells
        return len({x.beta for x in trained}) > 1 and len({x.gamma for x in trained}) > 1

    @cached_property
    def detail(self) -> list[Cell]:
        """The training cells that fixed points, hidden nodes and covering look at."""
        return [self._training(x) for x in self.neural_ode.detail.cells]

    @cached_property
    def structure_trained(self) -> Cell:
        """The training cell of the models that are tested over the structure grid."""
        return self._training(self.neural_ode.structure.trained)

    @cached_property
    def structure(self) -> list[Cell]:
        """The test cells of the structure experiment."""
        grid = self.neural_ode.structure
        return cells([grid.size], grid.beta, grid.gamma)

    @cached_property
    def tests(self) -> list[Cell]:
        """All cells that test graphs are needed of."""
        return sorted({cell for trained in self.training for cell in self.tested("plain", trained)})

    def tested(self, variant: str, trained: Cell) -> list[Cell]:
        """The cells that models are tested on: all sizes, and maybe the structure grid.

        Args:
            variant: of the training data; only plain ones are tested at other sizes than that of
                the details.
            trained: the training cell.
        """
        if variant != "plain":
            return [self.detailed(trained)]
        cells = {replace(trained, N=size) for size in self.graphs.sizes}
        if trained == self.structure_trained:
            cells |= set(self.structure)
        return sorted(cells)

    def snapshots(self, trained: Cell) -> list[Cell]:
        """The test cells of a training cell's snapshots: of the training and of the detail size."""
        sizes = sorted({self.training_size, self.detail_size})
        wanted = [replace(trained, N=size) for size in sizes]
        return [cell for cell in wanted if cell in self.tested("plain", trained)]

    def detailed(self, trained: Cell) -> Cell:
        """The test cell of the detail experiments for models of a training cell."""
        return replace(trained, N=self.detail_size)

    def trained(self, row: Row) -> Cell:
        """The training cell that a row, or the wildcards of a path, name."""
        beta, gamma = float(row["trained_beta"]), float(row["trained_gamma"])
        return Cell(self.training_size, beta, gamma)

    def _training(self, cell: config.section.Cell) -> Cell:
        return Cell(self.training_size, *cell.pair)


def rows(cells: list[Cell], **names: str) -> list[dict[str, Any]]:
    """Cells as rows, each with some names, e.g. its role."""
    return [{**names, **asdict(cell)} for cell in cells]
