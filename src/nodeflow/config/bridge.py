"""Zoos of neural ODEs, flows over them, and their tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic_core import PydanticCustomError

from nodeflow.config.dynamics import Observed, Systems
from nodeflow.config.flow import Sampling
from nodeflow.config.section import Cell, Cells, Name, Section, key, known
from nodeflow.flow.methods import METHODS
from nodeflow.flow.settings import FlowSettings
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.settings.fields import (
    Count,
    Keys,
    Number,
    Positive,
    Size,
    Some,
    Text,
    Unique,
    Whole,
    fault,
)

__all__ = ["Bridge", "NodeZoo"]

_FLOW = frozenset(vars(METHODS["codes"].settings)) - {"steps", "batch", "velocity"}


class Tests(Section):
    """How much of a zoo is tested."""

    models: Count = key("neural ODEs of each set to test")
    controls: Count = key(
        "neural ODEs of each control to test; most of them fail, which takes long"
    )
    graphs: Count = key("test graphs of each cell, at most graphs.test.graphs")
    sizes: Some[Size] = key("numbers of nodes of the test graphs")
    detail_size: Size = key(
        "number of nodes where nodes are removed, fixed points are sought, and structure is tested"
    )
    structure: Unique[Cell] = key(
        "further β and γ of test graphs, for a zoo with a single training cell"
    )
    ensembles: Some[Count] = key("sizes of ensembles")
    unobserved: Unique[Annotated[Number, Gt(0), Lt(1)]] = key("shares of nodes to remove")
    fixed_points: Count = key("neural ODEs of each set whose fixed points are sought")
    horizon: Positive = key("time of the integration towards a fixed point")

    def faults(self) -> Iterator[PydanticCustomError]:
        """Sizes that are not tested, and ensembles of more than there are."""
        if self.detail_size not in self.sizes:
            yield fault("detail_size", f"is {self.detail_size}; it must be one of {{here}}.sizes.")
        largest = max(self.unobserved, default=0.0)
        if round(largest * self.detail_size) >= self.detail_size:
            yield fault(
                "unobserved",
                f"holds {largest}, which leaves none of {self.detail_size} nodes, "
                "{here}.detail_size.",
            )
        if max(self.ensembles) > self.models:
            yield fault(
                "ensembles",
                f"holds {max(self.ensembles)}; there are only {self.models} neural ODEs, "
                "{here}.models.",
            )


class NodeZoo(Section):
    """Neural ODEs that a flow learns."""

    systems: Systems = key("dynamical systems of the zoo; with several, the flow is conditional")
    cells: Cells = key("β and γ of the training graphs")
    unseen: Unique[Cell] = key("β and γ that members are trained for and the flow never sees")
    graphs: Size = key("training graphs for each system, β and γ")
    held_out: Count = key("how many of them the flow never sees")
    seeds: Count = key("initializations per training graph")
    samples: Count = key("neural ODEs to generate for each system, β and γ")
    tests: Tests

    @property
    def learned(self) -> int:
        """Members of a system that the flow learns from."""
        return (self.graphs - self.held_out) * len(self.cells) * self.seeds

    def faults(self) -> Iterator[PydanticCustomError]:
        """Graphs that nothing is left of, and cells that are two things at once."""
        if self.held_out >= self.graphs:
            yield fault(
                "held_out",
                f"is {self.held_out}; it must be < {self.graphs}, the number of training graphs in "
                "{here}.graphs.",
            )
        if self.tests.structure and len(self.cells) > 1:
            yield fault(
                "tests.structure",
                "is not empty; that needs a single cell in {here}.cells.",
            )
        rows = (self.graphs - self.held_out) * len(self.cells)
        needed = max(3, 1 + _freedom(self.cells) + 1)
        if rows < needed:
            yield fault(
                "graphs",
                f"is {self.graphs}, of which {rows} over all cells are learned from; functions "
                f"need at least {needed}, so raise it or lower held_out.",
            )
        if any(cell in self.cells for cell in self.unseen):
            yield fault("unseen", "shares a cell with {here}.cells; name each once.")


def _freedom(cells: Sequence[Cell]) -> int:
    """In how many directions β and γ of cells differ: 0, 1 or 2."""
    (beta, gamma), *others = [cell.pair for cell in cells]
    apart = [(b - beta, g - gamma) for b, g in others]
    first = next((d for d in apart if d != (0.0, 0.0)), None)
    if first is None:
        return 0
    return 1 + any(first[0] * g != first[1] * b for b, g in apart)


class Functions(Section):
    """Functions of neural ODEs as the thing that is learned."""

    states: Annotated[Whole, Ge(4), Le(10**8)] = key(
        "states at which functions are learned and descended to"
    )
    evaluations: Annotated[Whole, Ge(2), Le(10**9)] = key(
        "steps from an initialization to a neural ODE"
    )
    floor: Positive = key("relative precision of functions that no descent has to exceed")


class Bridge(Section):
    """Zoos of neural ODEs."""

    use: Some[Text] = key("names of the zoos of neural ODEs to train, and to learn a flow over")
    data: Observed
    training: Annotated[GaussNewtonSettings, Keys(without=frozenset({"activation"}))]
    zoos: Annotated[dict[Name, NodeZoo], MinLen(1)]
    functions: Functions
    flow: Annotated[FlowSettings, Keys(_FLOW, METHODS["codes"].settings)]
    sampling: Sampling

    def faults(self) -> Iterator[PydanticCustomError]:
        """Names that are not defined."""
        yield from known("use", self.use, self.zoos)
