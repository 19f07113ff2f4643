"""What Snakemake's --config says, in types: it reads each value inside of {…} as a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from nodeflow.config.own import FILES

__all__ = ["typed"]


def typed(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration in which values of the command line are what YAML makes of them.

    Names of files stay what they are, also where one is called 7.

    Args:
        config: all that files and the command line say, merged.
        given: the part that the command line says, as Snakemake read it.
    """
    return {
        name: _typed(value, given[name]) if name in given and name not in FILES else value
        for name, value in config.items()
    }


def _typed(value: Any, given: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(given, Mapping):
        return typed(value, given)
    if isinstance(value, list) and isinstance(given, list):
        return [_typed(*both) for both in zip(value, given, strict=False)]
    if not isinstance(value, str):
        return value
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return parsed if parsed is None or isinstance(parsed, bool | int | float) else value
