"""Neural ODEs: what they are trained on, how, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic_core import PydanticCustomError

from nodeflow.config.section import Cell, Cells, Section, key
from nodeflow.neural_ode.settings import (
    RECIPES,
    GaussNewtonSettings,
    MatchingSettings,
    PaperSettings,
    Settings,
)
from nodeflow.settings.fields import (
    Beta,
    Count,
    Flag,
    Gamma,
    Keys,
    NonNegative,
    OneOf,
    Positive,
    Size,
    Some,
    Unique,
    fault,
)

__all__ = ["NeuralODE"]

_RECIPE = Keys(without=frozenset({"hidden", "scale", "window", "order"}))


class Structure(Section):
    """Tests over β and γ."""

    trained: Cell = key("the training cell whose models are tested over all β and γ")
    size: Size = key("number of nodes of those test graphs")
    beta: Some[Beta] = key("their inverse temperatures β")
    gamma: Some[Gamma] = key("their degree exponents γ")
    rewired: Flag = key(
        "whether models are tested on copies of those graphs too, in which every node keeps its "
        "degree and clustering goes"
    )


class Detail(Section):
    """Where all experiments but size and structure look."""

    size: Size = key(
        "number of nodes of the test graphs for fixed points, hidden nodes, noise and covering; "
        "one of graphs.sizes"
    )
    cells: Cells = key(
        "the training cells, among neural_ode.cells, whose models are looked at there"
    )


class FixedPoints(Section):
    """Fixed points of systems and of their neural ODEs."""

    horizon: Positive = key("time to integrate to before Newton's method")
    graphs: Count = key("test graphs of each cell, at most")


class Hidden(Section):
    """Graphs of which nodes are not observed."""

    removed: Some[Count] = key(
        "numbers of nodes that are not observed; fewer than neural_ode.detail.size"
    )


class Noise(Section):
    """Noise on what is observed."""

    training: Unique[Positive] = key(
        "standard deviations of the noise on training trajectories; the cell is "
        "neural_ode.structure.trained"
    )
    test: Some[NonNegative] = key("standard deviations of the noise on the initial states of tests")


class NeuralODE(Section):
    """Neural ODEs."""

    cells: Cells = key(
        "β and γ of the training graphs; each cell's models are tested at every size"
    )
    seeds: Count = key("initializations per training graph")
    recipe: Annotated[str, OneOf(RECIPES)] = key(
        "gauss_newton and paper compare trajectories, by a quadratic model of their error or by "
        "integrating in each step; matching learns their slopes"
    )
    gauss_newton: Annotated[GaussNewtonSettings, _RECIPE]
    matching: Annotated[MatchingSettings, _RECIPE]
    paper: Annotated[PaperSettings, _RECIPE]
    tails: Annotated[str, OneOf(("law", "none"))] = key(
        "law: neural ODEs of graphs that have a law (laws.cells, laws.graphs) are tested also "
        "with its tails beyond the states that they saw"
    )
    structure: Structure
    detail: Detail
    fixed_points: FixedPoints
    hidden: Hidden
    noise: Noise

    @property
    def training(self) -> Settings:
        """The settings of the recipe."""
        settings: Settings = getattr(self, self.recipe)
        return settings

    def faults(self) -> Iterator[PydanticCustomError]:
        """Cells that nothing is trained in, and more nodes to hide than there are."""
        trained = self.structure.trained
        if trained not in self.cells:
            yield fault(
                "structure.trained", f"is {trained.dump()}; it must be one of neural_ode.cells."
            )
        for cell in self.detail.cells:
            if cell not in self.cells:
                yield fault(
                    "detail.cells", f"holds {cell.dump()}; it must be one of neural_ode.cells."
                )
        removed = max(self.hidden.removed)
        if removed >= self.detail.size:
            yield fault(
                "hidden.removed",
                f"holds {removed}; it must be < {self.detail.size}, the number of nodes "
                "(neural_ode.detail.size).",
            )
