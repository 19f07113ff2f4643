"""What sections of the configuration have in common."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from nodeflow.settings.fields import Beta, Gamma, Some, Strict, Text, Unique, fault

__all__ = [
    "Cell",
    "Cells",
    "Name",
    "Names",
    "Section",
    "either",
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


def either(section: Section, *keys: str) -> Iterator[PydanticCustomError]:
    """A fault unless one of two keys stands in a section."""
    given = [key for key in keys if key in section.model_fields_set]
    if len(given) != 1:
        words = ("both", "and") if given else ("neither", "nor")
        yield fault("", f"holds {words[0]} {f' {words[1]} '.join(keys)}; it needs one of them.")


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
    except (OSError, ValueError) as problem:
        return isinstance(problem, FileNotFoundError)
    return True
