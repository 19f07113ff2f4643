"""The one exception family whose text is written for the user, not for the programmer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

__all__ = ["Problem", "repeated"]

Name = TypeVar("Name", bound=Hashable)


class Problem(Exception):
    """Something the user can cure; its text is one line that says what is wrong and what to do."""


def repeated(names: Iterable[Name]) -> list[Name]:
    """Names that were there before, in one pass over any number of them."""
    seen: set[Name] = set()
    repeated = []
    for name in names:
        if name in seen:
            repeated.append(name)
        seen.add(name)
    return repeated
