"""Laws as tests take them: vector fields that also say how far to trust them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nodeflow.laws.store import Laws, read_laws
from nodeflow.laws.trusted import rate_law
from nodeflow.neural_ode.learned import Fields

__all__ = ["rated_fields", "read_rated"]


def rated_fields(laws: Laws) -> Fields:
    """The vector fields of laws, and what bands and flags of theirs are worth."""
    raters = tuple(None if law is None else partial(rate_law, law) for law in laws.laws)
    return replace(laws.fields, raters=raters)


def read_rated(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Fields:
    """`rated_fields` of a file; see `nodeflow.laws.read_laws`."""
    return rated_fields(read_laws(path, parameters))
