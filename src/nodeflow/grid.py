"""Cells of the (N, β, γ) grid and the one way in which numbers become text in a path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["NUMBER", "WILDCARDS", "Cell", "cells", "number"]

NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"
"""Regular expression of every text that `number` returns for a finite non-negative value."""

WILDCARDS = frozenset(
    "role system N beta gamma network variant trained_beta trained_gamma zoo flow block weights "
    "width nodes".split()
)
"""What a path names: `name~value` for numbers, the value alone for names."""

_PATH = re.compile(rf"N~(?P<N>\d+)/beta~(?P<beta>{NUMBER})/gamma~(?P<gamma>{NUMBER})")


def number(value: float) -> str:
    """The shortest text that reads back as `value`: `64` → "64", `3.0` → "3.0", `1e-5` → "1e-05".

    Paths and seed labels both use it, so a cell has one name everywhere.
    """
    return repr(value) if isinstance(value, int) else repr(float(value))


@dataclass(frozen=True, order=True)
class Cell:
    """One point of the grid.

    Attributes:
        N: number of nodes.
        beta: inverse temperature β > 0.
        gamma: exponent γ > 2 of the hidden-degree density.
    """

    N: int
    beta: float
    gamma: float

    @property
    def path(self) -> str:
        """The cell as folders, e.g. `N~64/beta~2.1/gamma~3.0`."""
        return f"N~{self.N}/beta~{number(float(self.beta))}/gamma~{number(float(self.gamma))}"

    @classmethod
    def from_path(cls, path: str) -> Cell:
        """The cell that the first `N~…/beta~…/gamma~…` of a path names.

        Raises:
            ValueError: the path names no cell.
        """
        found = _PATH.search(path)
        if found is None:
            raise ValueError(f"{path} holds no N~…/beta~…/gamma~…")
        return cls(int(found["N"]), float(found["beta"]), float(found["gamma"]))


def cells(sizes: Iterable[int], betas: Iterable[float], gammas: Iterable[float]) -> list[Cell]:
    """The full product of three axes, sorted, each cell once."""
    betas, gammas = list(betas), list(gammas)
    return sorted({Cell(n, float(b), float(g)) for n in sizes for b in betas for g in gammas})
