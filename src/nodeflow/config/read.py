"""From a mapping to the checked configuration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import ValidationError

from nodeflow.config.root import Config
from nodeflow.problems import Problem
from nodeflow.settings.sentences import Schema, Words, dotted, explain, plain_schema

__all__ = ["ConfigProblem", "config_schema", "read_config"]

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
    plain = _plain(mapping, ())
    try:
        return Config.model_validate(plain)
    except ValidationError as error:
        raise ConfigProblem(explain(error, plain, config_schema(), _WORDS)) from None


@cache
def config_schema() -> Schema:
    """The JSON schema of the configuration; it is read, never changed."""
    return cast(Schema, plain_schema(Config.model_json_schema()))


def _plain(value: Any, path: tuple[str | int, ...]) -> Any:
    """The same content in plain dictionaries and lists.

    Raises:
        ConfigProblem: a key is no text, as YAML reads 1, yes or null.
    """
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                where = f"the configuration key {dotted(path)}" if path else "the configuration"
                # Names are quoted as they are; one with a line break must not break the sentence.
                text = f"{where} holds the key {key!r}, which is no text; put it in quotes."
                raise ConfigProblem(" ".join(text.split()))
        return {key: _plain(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, index)) for index, item in enumerate(value)]
    return value
