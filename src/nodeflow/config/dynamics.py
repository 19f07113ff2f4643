"""Dynamical systems and how they are integrated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import MaxLen, MinLen
from pydantic import Field, create_model
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Section, key
from nodeflow.dynamics.systems import SYSTEMS, SystemProblem, field, resolve_parameters
from nodeflow.settings.fields import (
    Count,
    Flag,
    Number,
    OneOf,
    Positive,
    Size,
    Tolerance,
    Unique,
    fault,
    meaning,
)

__all__ = ["Dynamics", "Observed", "Systems", "Tested"]

Systems = Annotated[Unique[Annotated[str, OneOf(SYSTEMS)]], MinLen(1)]


def _parameters(system: str) -> Any:
    """A section with a system's parameters; one that is left out has the system's own value."""
    entry = SYSTEMS[system]
    values: dict[str, Any] = {
        name: (Annotated[Number, meaning(entry.meanings.get(name, ""))], value)
        for name, value in entry.parameters.items()
    }
    return create_model(f"{system}Parameters", __base__=Section, **values)


def _all_parameters() -> Any:
    """A section of those of all systems, each of which may be left out."""
    systems = {name: _parameters(name) for name in SYSTEMS}
    fields: dict[str, Any] = {name: (x, Field(default_factory=x)) for name, x in systems.items()}
    return create_model("Parameters", __base__=Section, **fields)


if TYPE_CHECKING:
    Parameters = Section
else:
    Parameters = _all_parameters()


class Observed(Section):
    """What is observed of each system."""

    trajectories: Count = key("trajectories per graph")
    times: Size = key("observation times, equally spaced")


class Tested(Observed):
    """What is observed of each system on test graphs."""

    stored: Flag = key(
        "whether trajectories of the size experiment are files; else each evaluation simulates "
        "them, to the same bits and without the disk space"
    )


class Dynamics(Section):
    """Dynamical systems."""

    systems: Systems = key("dynamical systems to run")
    parameters: Parameters
    initial: Annotated[tuple[Number, ...], MinLen(2), MaxLen(2)] = key(
        "initial states are uniform between these two"
    )
    horizon: Positive = key("last observation time")
    rtol: Tolerance = key("relative tolerance of the integrator")
    atol: Tolerance = key("absolute tolerance of the integrator")
    max_steps: Count = key("steps after which a trajectory is recorded as failed")
    training: Observed
    test: Tested

    def faults(self) -> Iterator[PydanticCustomError]:
        """An interval that is none, and parameters that make no field."""
        low, high = self.initial
        if low >= high:
            yield fault("initial", f"is [{low}, {high}]; the first must be lower.")
        for name in SYSTEMS:
            try:
                field(name, self.parameters_of(name))
            except SystemProblem as problem:
                yield fault(f"parameters.{name}", f"cannot be used. {problem}")

    def parameters_of(self, system: str) -> dict[str, float]:
        """All parameters of a system: its own values, and in their place those written here."""
        return resolve_parameters(system, getattr(self.parameters, system).dump())
