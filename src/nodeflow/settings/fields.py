"""Settings as checked dataclasses: types, bounds and meanings stand once, at the field.

A class of settings is a plain frozen dataclass under `checked`. Whoever makes one, a caller or the
configuration, has its values checked and, where one is not allowed, reads one sentence that names
it, its value and what is allowed. This module loads pydantic and nothing heavier: Snakemake reads
the configuration with it before every run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, TypeVar, cast

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import (
    AfterValidator,
    AllowInfNan,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nodeflow.problems import Problem
from nodeflow.settings.sentences import Words, explain, plain_schema

__all__ = [
    "Beta",
    "Count",
    "Counts",
    "Depth",
    "Flag",
    "Gamma",
    "Keys",
    "NonNegative",
    "Number",
    "OneOf",
    "Positive",
    "Share",
    "Size",
    "Some",
    "Strict",
    "Text",
    "Tolerance",
    "Unique",
    "Whole",
    "checked",
    "fault",
    "meaning",
    "merged",
]

T = TypeVar("T")
Schema = Mapping[str, Any]

# --- types ---------------------------------------------------------------------------------------

_MOST = 10**9


class OneOf:
    """A text that is one of some names."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """A literal of these names."""
        return core_schema.literal_schema(self.names)


def _once(values: tuple[T, ...]) -> tuple[T, ...]:
    if any(value in values[:index] for index, value in enumerate(values)):
        raise PydanticCustomError("not_unique", "each value may stand there once")
    return values


def meaning(text: str) -> Any:
    """What a field means, for the table of keys and for editors."""
    return Field(description=text)


Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), AllowInfNan(False)]
Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Count = Annotated[Whole, Ge(1), Le(_MOST)]
Size = Annotated[Whole, Ge(2), Le(10**8)]
Depth = Annotated[Whole, Ge(1), Le(1000)]
Positive = Annotated[Number, Gt(0)]
NonNegative = Annotated[Number, Ge(0)]
Share = Annotated[Number, Ge(0), Lt(1)]
Tolerance = Annotated[Number, Gt(0), Lt(1)]
Beta = Positive
Gamma = Annotated[Number, Gt(2)]
Counts = Annotated[tuple[Count, ...], MinLen(1)]
Unique = Annotated[
    tuple[T, ...], AfterValidator(_once), Field(json_schema_extra={"uniqueItems": True})
]
"""A list in which each value stands once."""
Some = Annotated[Unique[T], MinLen(1)]
"""The same with one value at least."""


# --- checked dataclasses -------------------------------------------------------------------------


def fault(key: str, text: str) -> PydanticCustomError:
    """What a check that compares several values raises.

    Args:
        key: the key at fault, with dots, from the object that is checked.
        text: the rest of the sentence behind the key; `{here}` stands for the key of that object.
    """
    return PydanticCustomError("fault", "{text}", {"key": key, "text": text})


def checked(problem: type[Problem]) -> Callable[[type[T]], type[T]]:
    """Make a frozen dataclass check its values, wherever it is made.

    Cross-checks belong into `__post_init__`, which raises a `fault`.

    Args:
        problem: raised, with one sentence, if a caller gives a value that is not allowed.
    """

    def decorate(cls: type[T]) -> type[T]:
        settings_class = cast(Any, cls)
        settings_class.__pydantic_config__ = ConfigDict(extra="forbid")
        names = [entry.name for entry in fields(settings_class)]

        @functools.wraps(settings_class.__init__)
        def init(self: Any, *args: Any, **values: Any) -> None:
            if len(args) > len(names):
                raise TypeError(f"{cls.__name__} takes {len(names)} values, not {len(args)}")
            given = {**dict(zip(names, args, strict=False)), **values}
            try:
                valid = _adapter(settings_class).validate_python(given)
            except ValidationError as error:
                schema = plain_schema(_adapter(settings_class).json_schema())
                words = Words(
                    "", cls.__name__, "is no setting", "has to be given", f"{cls.__name__}."
                )
                raise problem(explain(error, given, schema, words)) from None
            for name in names:
                object.__setattr__(self, name, getattr(valid, name))

        settings_class.__init__ = init
        return cls

    return decorate


def merged(start: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values of settings with some of them changed, inner settings value by value."""
    values = dict(vars(start))
    for name, change in changes.items():
        inner = values.get(name)
        nested = isinstance(change, Mapping) and is_dataclass(inner)
        values[name] = {**vars(inner), **change} if nested else change
    return values


@functools.cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


@dataclass(frozen=True)
class Keys:
    """Which values of a class of settings are keys of the configuration.

    Attributes:
        without: names that are no keys: only a caller of the library changes them.
        start: settings whose values count where nothing is written, in inner settings value by
            value; None where every key has to be written.
    """

    without: frozenset[str] = frozenset()
    start: Any = None

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The class's own schema behind a look at its keys."""
        known = [entry.name for entry in fields(of) if entry.name not in self.without]
        return core_schema.no_info_before_validator_function(
            functools.partial(self._look, known), handler(of)
        )

    def _look(self, known: Sequence[str], value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for name in sorted(set(value) - set(known)):
            raise PydanticCustomError("extra_key", "unknown key", {"key": name})
        if self.start is not None:
            return merged(self.start, value)
        for name in known:
            if name not in value:
                raise PydanticCustomError("missing_key", "missing key", {"key": name})
        return value

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The class's schema with these keys alone."""
        part = _started(handler.resolve_ref_schema(handler(schema)), self.start, handler)
        properties = {k: v for k, v in part["properties"].items() if k not in self.without}
        return {
            **part,
            "properties": properties,
            "required": [] if self.start else list(properties),
        }


def _started(
    part: Mapping[str, Any], start: Any, handler: GetJsonSchemaHandler
) -> Mapping[str, Any]:
    """A class's schema with the values of some settings as defaults."""
    if start is None:
        return part
    properties = {}
    for name, child in part["properties"].items():
        value = getattr(start, name)
        if is_dataclass(value):
            inner = _started(handler.resolve_ref_schema(child), value, handler)
            properties[name] = child if value == cast(Any, type(value))() else inner
        else:
            properties[name] = {
                **child,
                "default": list(value) if isinstance(value, tuple) else value,
            }
    return {**part, "properties": properties, "required": []}
