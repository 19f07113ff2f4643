"""What sections of the configuration have in common."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, ClassVar, Self, TypeVar

from annotated_types import MinLen
from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nodeflow.settings import Beta, Gamma, Strict, Unique, fault, meaning

__all__ = ["Cell", "Cells", "Changes", "Name", "Names", "Section", "known"]

T = TypeVar("T")
Name = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")]
"""A name of the user's choice, which becomes a folder."""
Names = Unique[Annotated[str, Strict()]]


class Section(BaseModel):
    """A mapping of the configuration.

    Every key has to be there unless its field has a default; other keys are refused.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")
    _written: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        section = handler(data)
        if isinstance(data, Mapping):
            section._written = dict(data)
        for problem in section.faults():
            raise problem
        return section

    def faults(self) -> Iterator[PydanticCustomError]:
        """What does not fit together, though each value alone is allowed; see `fault`."""
        yield from ()

    def dump(self, *keys: str) -> dict[str, Any]:
        """The section as it was written, in plain dictionaries, lists, texts and numbers.

        Args:
            keys: those to take; all of them by default.
        """
        chosen = keys or tuple(self._written)
        return {key: copy.deepcopy(self._written[key]) for key in chosen}


class Cell(Section):
    """β and γ of S¹ graphs."""

    beta: Annotated[Beta, meaning("inverse temperature β of the training graphs")]
    gamma: Annotated[Gamma, meaning("degree exponent γ of the training graphs")]

    @property
    def pair(self) -> tuple[float, float]:
        """Both as they stand in paths."""
        return float(self.beta), float(self.gamma)


Cells = Annotated[Unique[Cell], MinLen(1)]


class Changes:
    """Changes to settings of the library, checked as what they lead to and kept as written."""

    def __init__(self, start: Any, without: tuple[str, ...] = ()) -> None:
        """Describe the changes.

        Args:
            start: settings that are changed.
            without: names that are no keys of the configuration.
        """
        self.start, self.without = start, without

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the settings, looked at with the changes made."""
        return core_schema.no_info_wrap_validator_function(
            self._look, handler.generate_schema(type(self.start))
        )

    def _look(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        if not isinstance(value, Mapping):
            return handler(value)
        known = {entry.name for entry in fields(self.start)} - set(self.without)
        for name in sorted(set(value) - known):
            raise PydanticCustomError("extra_key", "unknown key", {"key": name})
        merged = dict(vars(self.start))
        for name, change in value.items():
            inner = merged[name]
            nested = isinstance(change, Mapping) and hasattr(inner, "__dataclass_fields__")
            merged[name] = {**vars(inner), **change} if nested else change
        handler(merged)
        return copy.deepcopy(dict(value))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema of the settings with these keys alone, none of which has to be there."""
        found = dict(handler.resolve_ref_schema(handler(schema)))
        own = {k: v for k, v in found["properties"].items() if k not in self.without}
        return {**found, "properties": own, "required": []}


def known(key: str, names: Iterator[str] | Any, defined: Any) -> Iterator[PydanticCustomError]:
    """A fault for each name that is not defined."""
    for name in names:
        if name not in defined:
            allowed = ", ".join(sorted(defined)) or "none"
            yield fault(key, f"names {name}; defined are: {allowed}.")
