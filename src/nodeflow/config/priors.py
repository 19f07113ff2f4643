"""Priors: zoos of families of systems, and what is asked of generated neural ODEs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import StringConstraints
from pydantic_core import PydanticCustomError

from nodeflow.config.dynamics import Observed
from nodeflow.config.flow import Sampling
from nodeflow.config.section import Name, Section, key, known
from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.flow.methods import METHODS
from nodeflow.flow.settings import FlowSettings
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.settings.fields import (
    Beta,
    Count,
    Gamma,
    Keys,
    NonNegative,
    Number,
    OneOf,
    Positive,
    Size,
    Some,
    Text,
    Unique,
    Whole,
    fault,
    meaning,
)

__all__ = ["Priors"]

_FLOW = frozenset(vars(METHODS["codes"].settings)) - {"steps", "batch", "velocity"}

Range = Annotated[
    tuple[Number, ...],
    MinLen(2),
    MaxLen(2),
    meaning("by system and coefficient, from where to where it is uniform; others are fixed"),
]
Ranges = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*$")], Range], MinLen(1)
]
Frames = Annotated[Whole, Ge(2), Le(10**4)]


class Graphs(Section):
    """On what members of zoos and test systems are observed."""

    size: Size = key("number of nodes of the graph of each system")
    beta: Beta = key("its inverse temperature β, that of the test graphs as well")
    gamma: Gamma = key("its degree exponent γ")


class Stranger(Section):
    """Systems of no family: each function is that of one of them."""

    f: Text = key("family whose self-dynamics f it has")
    h_ego: Text = key("family whose h_ego it has")
    h_alt: Text = key("family whose h_alt it has")


class Tests(Section):
    """How much is tested."""

    inside: Count = key("test systems of each family with coefficients inside the ranges")
    outside: Annotated[Whole, Ge(0), Le(10**6)] = key(
        "test systems with one coefficient beyond its range, by 10 to 30 % of it"
    )
    strangers: Annotated[Whole, Ge(0), Le(10**6)] = key("test systems of each stranger")
    sizes: Some[Size] = key("numbers of nodes of the test graphs")
    gamma: Some[Gamma] = key("degree exponents γ of the test graphs, that of the zoo among them")
    graphs: Count = key("test graphs of each size and γ, at most graphs.test.graphs")
    detail_size: Size = key(
        "number of nodes where all few frames are tested, fixed points are sought and nodes are "
        "removed"
    )
    frames: Some[Frames] = key("numbers of frames that are learned from")
    noise: Some[NonNegative] = key("standard deviations of their noise, over the rms state")
    compared: Unique[Frames] = key("numbers of frames with which all families are compared")
    studied: Frames = key(
        "number of frames after which networks are generated, and tested at all sizes"
    )
    draws: Size = key("draws of each posterior")
    members: Size = key("neural ODEs of an ensemble")
    laws: Annotated[Whole, Ge(0), Le(10**6)] = key(
        "test systems of each family whose laws are sought, which takes long"
    )
    removed: Annotated[Number, Gt(0), Lt(1)] = key("share of nodes to remove")
    horizon: Positive = key("time of the integration towards a fixed point")

    def faults(self) -> Iterator[PydanticCustomError]:
        """Sizes and frames that are not tested."""
        if self.detail_size not in self.sizes:
            yield fault("detail_size", f"is {self.detail_size}; it must be one of {{here}}.sizes.")
        if self.studied not in self.frames:
            yield fault("studied", f"is {self.studied}; it must be one of {{here}}.frames.")
        for count in self.compared:
            if count not in self.frames:
                yield fault("compared", f"holds {count}; it must be one of {{here}}.frames.")
        if self.members > self.draws:
            yield fault(
                "members",
                f"is {self.members}; there are only {self.draws} draws, {{here}}.draws.",
            )


class Priors(Section):
    """Zoos of neural ODEs of families of systems, and priors that are made of them."""

    use: Some[Text] = key("names of the families to learn")
    families: Annotated[dict[Annotated[str, OneOf(SYSTEMS)], Ranges], MinLen(1)]
    strangers: dict[Name, Stranger]
    members: Annotated[Whole, Ge(10), Le(10**6)] = key("neural ODEs of the zoo of each family")
    graph: Graphs
    data: Observed
    training: Annotated[GaussNewtonSettings, Keys(without=frozenset({"activation"}))]
    flow: Annotated[FlowSettings, Keys(_FLOW, METHODS["codes"].settings)]
    sampling: Sampling
    tests: Tests

    def faults(self) -> Iterator[PydanticCustomError]:
        """Names that are not defined, coefficients that a system has not, ranges that are none."""
        yield from known("use", self.use, self.families)
        for system, ranges in self.families.items():
            for name, (low, high) in ranges.items():
                where = f"families.{system}.{name}"
                if name not in SYSTEMS[system].parameters:
                    allowed = ", ".join(SYSTEMS[system].parameters)
                    yield fault(where, f"is no coefficient of {system}; it has {allowed}.")
                elif not 0 < low < high:
                    yield fault(
                        where, f"is [{low}, {high}]; both must be > 0, and the first lower."
                    )
        for name, stranger in self.strangers.items():
            for term in ("f", "h_ego", "h_alt"):
                family = getattr(stranger, term)
                yield from known(f"strangers.{name}.{term}", [family], self.families)
        if self.graph.gamma not in self.tests.gamma:
            yield fault(
                "graph.gamma", f"is {self.graph.gamma}; it must be one of {{here}}.tests.gamma."
            )
