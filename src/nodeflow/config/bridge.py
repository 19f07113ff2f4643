"""Zoos of neural ODEs, flows over them, and their tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic_core import PydanticCustomError

from nodeflow.config.dynamics import Observed, Systems
from nodeflow.config.flow import Sampling
from nodeflow.config.section import Cell, Cells, Changes, Name, Names, Section, known
from nodeflow.flow.settings import METHODS
from nodeflow.node.settings import GaussNewtonSettings
from nodeflow.settings import (
    Count,
    Keys,
    Number,
    Positive,
    Size,
    Unique,
    Whole,
    fault,
    meaning,
)

__all__ = ["Bridge", "NodeZoo"]

_FLOW = (
    "method", "process", "coupling", "final_learning_rate", "betas", "label_dropout",
    "fixed_source_bank", "keep_best_batch",
)  # fmt: skip


class Tests(Section):
    """How much of a zoo is tested."""

    models: Annotated[Count, meaning("neural ODEs of each set to test")]
    controls: Annotated[
        Count, meaning("neural ODEs of each control to test; most of them fail, which takes long")
    ]
    graphs: Annotated[Count, meaning("test graphs of each cell, at most graphs.test.graphs")]
    sizes: Annotated[Unique[Size], MinLen(1), meaning("numbers of nodes of the test graphs")]
    detail_size: Annotated[
        Size,
        meaning(
            "number of nodes where nodes are removed, fixed points are sought, and structure is "
            "tested"
        ),
    ]
    structure: Annotated[
        Unique[Cell],
        meaning("further β and γ of test graphs, for a zoo with a single training cell"),
    ]
    ensembles: Annotated[Unique[Count], MinLen(1), meaning("sizes of ensembles")]
    unobserved: Annotated[
        Unique[Annotated[Number, Gt(0), Lt(1)]], meaning("shares of nodes to remove")
    ]
    fixed_points: Annotated[Count, meaning("neural ODEs of each set whose fixed points are sought")]
    horizon: Annotated[Positive, meaning("time of the integration towards a fixed point")]
    max_steps: Annotated[
        Count, meaning("steps after which an integration of a neural ODE has failed")
    ]

    def faults(self) -> Iterator[PydanticCustomError]:
        """Sizes that are not tested, and ensembles of more than there are."""
        if self.detail_size not in self.sizes:
            yield fault("detail_size", f"is {self.detail_size}; it must be one of {{here}}.sizes.")
        if max(self.ensembles) > self.models:
            yield fault(
                "ensembles",
                f"holds {max(self.ensembles)}; there are only {self.models} neural ODEs, "
                "{here}.models.",
            )


class NodeZoo(Section):
    """Neural ODEs that a flow learns."""

    systems: Annotated[
        Systems, meaning("dynamical systems of the zoo; with several, the flow is conditional")
    ]
    cells: Annotated[Cells, meaning("β and γ of the training graphs")]
    unseen: Annotated[
        Unique[Cell], meaning("β and γ that members are trained for and the flow never sees")
    ]
    graphs: Annotated[Size, meaning("training graphs for each system, β and γ")]
    held_out: Annotated[Count, meaning("how many of them the flow never sees")]
    seeds: Annotated[Count, meaning("initializations per training graph")]
    training: Annotated[
        Mapping[str, Any],
        Changes(GaussNewtonSettings()),
        meaning("changes to bridge.training for this zoo"),
    ]
    samples: Annotated[Count, meaning("neural ODEs to generate for each system, β and γ")]
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
        if any(cell in self.cells for cell in self.unseen):
            yield fault("unseen", "shares a cell with {here}.cells; name each once.")


class Functions(Section):
    """Functions of neural ODEs as the thing that is learned."""

    states: Annotated[
        Whole, Ge(4), Le(10**8), meaning("states at which functions are learned and descended to")
    ]
    evaluations: Annotated[
        Whole, Ge(2), Le(10**9), meaning("steps from an initialization to a neural ODE")
    ]
    floor: Annotated[
        Positive, meaning("relative precision of functions that no descent has to exceed")
    ]


class Bridge(Section):
    """Zoos of neural ODEs."""

    use: Annotated[
        Names,
        MinLen(1),
        meaning("names of the zoos of neural ODEs to train, and to learn a flow over"),
    ]
    data: Observed
    training: Annotated[GaussNewtonSettings, Keys()]
    zoos: Annotated[dict[Name, NodeZoo], MinLen(1)]
    functions: Functions
    flow: Annotated[Mapping[str, Any], Changes(METHODS["codes"], _FLOW)]
    sampling: Sampling

    def faults(self) -> Iterator[PydanticCustomError]:
        """Names that are not defined."""
        yield from known("use", self.use, self.zoos)
        if self.flow.get("codec", {}).get("kind") == "span":
            yield fault(
                "flow.codec.kind",
                "is span; neural ODEs are in memory, so choose pca or raw.",
            )
