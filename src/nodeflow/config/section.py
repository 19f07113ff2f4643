"""What sections of the configuration have in common."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nodeflow.settings.fields import Beta, Gamma, Some, Strict, Text, Unique, fault, merged

__all__ = [
    "Cell",
    "Cells",
    "Changes",
    "Name",
    "Names",
    "Section",
    "is_file",
    "is_path",
    "key",
    "known",
]

T = TypeVar("T")
Name = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")]
"""A name of the user's choice, which becomes a folder."""
Names = Unique[Text]


def key(text: str, **more: Any) -> Any:
    """A key with its meaning."""
    return Field(description=text, **more)


class Section(BaseModel):
    """A mapping of the configuration.

    Every key has to be there unless its field has a default; other keys are refused.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", defer_build=True)
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

    beta: Beta = key("inverse temperature β of the training graphs")
    gamma: Gamma = key("degree exponent γ of the training graphs")

    @property
    def pair(self) -> tuple[float, float]:
        """Both as they stand in paths."""
        return float(self.beta), float(self.gamma)


Cells = Some[Cell]


class Changes:
    """Changes to settings of the library, checked as what they lead to and kept as written."""

    def __init__(self, start: Any, without: tuple[str, ...] = (), defaults: bool = True) -> None:
        """Describe the changes.

        Args:
            start: settings that are changed.
            without: names that are no keys of the configuration.
            defaults: whether values of `start` are what counts where nothing is changed.
        """
        self.start, self.without, self.defaults = start, without, defaults

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
        handler(merged(self.start, value))
        return copy.deepcopy(dict(value))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema of the settings with these keys alone, none of which has to be there."""
        return self._schema(handler.resolve_ref_schema(handler(schema)), self.start, handler)

    def _schema(
        self, part: Mapping[str, Any], start: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """With the defaults of the settings that are changed, of inner ones too."""
        own = {}
        for name, child in part["properties"].items():
            value = getattr(start, name)
            if start is self.start and name in self.without:
                continue
            if is_dataclass(value):
                own[name] = self._schema(handler.resolve_ref_schema(child), value, handler)
            else:
                plain = {k: v for k, v in child.items() if k != "default"}
                shown = list(value) if isinstance(value, tuple) else value
                own[name] = {**plain, "default": shown} if self.defaults else plain
        return {**part, "properties": own, "required": []}


def known(
    where: str, names: Iterable[str], defined: Mapping[str, Any]
) -> Iterator[PydanticCustomError]:
    """A fault for each name that is not defined."""
    for name in names:
        if name not in defined:
            allowed = ", ".join(sorted(defined)) or "none"
            yield fault(where, f"names {name}; defined are: {allowed}.")


def is_file(path: str) -> bool:
    """Whether a file is there."""
    return is_path(path) and Path(path).is_file()


def is_path(text: str) -> bool:
    """Whether the system can be asked about it: names can be too long, or hold zeros."""
    try:
        Path(text).stat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True
