"""From a mapping to the checked configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from nodeflow.config.root import Config
from nodeflow.problems import Problem
from nodeflow.settings.sentences import Words, explain, plain_schema

__all__ = ["ConfigProblem", "read_config"]

_WORDS = Words(
    subject="the configuration key ",
    root="the configuration",
    unknown="is not a key of the configuration",
    missing="is missing from the configuration; see config/README.md",
)


class ConfigProblem(Problem):
    """A key of the configuration is missing, unknown, or has a value that is not allowed."""


def read_config(mapping: Mapping[str, Any]) -> Config:
    """Check a configuration, each value and how they fit together.

    Args:
        mapping: what YAML holds.

    Raises:
        ConfigProblem: names the first faulty key and what is allowed there.
    """
    # Names and paths are quoted as they are; one with a line break must not break the sentence.
    for problem in _unnamed(mapping, ""):
        raise ConfigProblem(" ".join(problem.split()))
    plain = _plain(mapping)
    try:
        return Config.model_validate(plain)
    except ValidationError as error:
        schema = plain_schema(Config.model_json_schema())
        raise ConfigProblem(explain(error, plain, schema, _WORDS)) from None


def _unnamed(value: Any, where: str) -> Iterator[str]:
    """Keys that are no texts, as YAML reads 1, yes or null."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                place = f"the configuration key {where}" if where else "the configuration"
                yield f"{place} holds the key {key!r}, which is no text; put it in quotes."
            yield from _unnamed(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unnamed(item, f"{where}[{index}]")


def _plain(value: Any) -> Any:
    """The same content in plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
