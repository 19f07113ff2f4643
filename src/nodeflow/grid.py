"""Cells of the (N, β, γ) grid and the one way in which numbers become text in a path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CELL_PATH", "NUMBER", "WILDCARDS", "Cell", "cells", "number", "place_of"]

NUMBER = r"\d+(?:\.\d+)?(?:e[-+]?\d+)?"
"""Regular expression of every text that `number` returns for a finite non-negative value."""

WILDCARDS = {
    "role": "training|test",
    "system": "[A-Za-z]+",
    "N": r"\d+",
    "beta": NUMBER,
    "gamma": NUMBER,
    "network": "[A-Za-z0-9_.~+-]+",
    "variant": rf"plain|covering|(?:noise|nodes)~{NUMBER}|(?:trajectories|times)~\d+",
    "learned": "neural_ode|law|tailed",
    "trained_beta": NUMBER,
    "trained_gamma": NUMBER,
    "data": "[a-z0-9_]+",
    "zoo": "[a-z0-9_]+",
    "flow": "[a-z0-9_]+",
    "block": r"\d+",
    "alignment": "aligned|raw",
    "capacity": r"\d+",
    "family": "[A-Za-z0-9_]+",
    "own": "[A-Za-z0-9_-]+",
}
"""What paths name, and the form of it: `name~value` for numbers, the value alone for names."""

CELL_PATH = "N~{N}/beta~{beta}/gamma~{gamma}"
"""A cell as folders."""

_PATH = re.compile(
    CELL_PATH.format(**{name: f"(?P<{name}>{WILDCARDS[name]})" for name in ("N", "beta", "gamma")})
)


def number(value: float) -> str:
    """The shortest text that reads back as `value`: `64` → "64", `3.0` → "3.0", `1e-5` → "1e-05".

    Paths and seed labels both use it, so a cell has one name everywhere.
    """
    return repr(value) if isinstance(value, int) else repr(float(value))


def place_of(path: str | Path, name: str, value: object) -> str | None:
    """What a path says in place of a value; None if it says the value, or nothing about it.

    Args:
        path: of a result.
        name: one of `WILDCARDS`; a path says nothing about other names.
        value: a number, or a name.
    """
    parts = Path(path).parts
    if "results" in parts:
        parts = parts[len(parts) - parts[::-1].index("results") :]
    text = number(value) if isinstance(value, int | float) else str(value)
    said = [part for part in parts if part.startswith(f"{name}~")]
    if said:
        text = f"{name}~{text}"
    elif name in ("role", "variant", "alignment"):  # not every path has one
        said = [part for part in parts if re.match(rf"(?:{WILDCARDS[name]})(?:\.|$)", part)]
    elif name in ("system", "network", "zoo", "flow", "family", "own"):
        said = list(parts)
    form = re.compile(re.escape(text) + r"(\.[a-z]+)*")  # with the endings of a file's name
    if not said or any(form.fullmatch(part) for part in said):
        return None
    return f"the {name} of its path"


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
        beta, gamma = number(float(self.beta)), number(float(self.gamma))
        return CELL_PATH.format(N=self.N, beta=beta, gamma=gamma)

    @classmethod
    def from_path(cls, path: str) -> Cell:
        """The cell that the first `N~…/beta~…/gamma~…` of a path names.

        Raises:
            ValueError: the path names no cell.
        """
        match = _PATH.search(path)
        if match is None:
            raise ValueError(f"{path} holds no N~…/beta~…/gamma~…")
        return cls(int(match["N"]), float(match["beta"]), float(match["gamma"]))


def cells(sizes: Iterable[int], betas: Iterable[float], gammas: Iterable[float]) -> list[Cell]:
    """The full product of three axes, sorted, each cell once."""
    betas, gammas = list(betas), list(gammas)
    return sorted({Cell(n, float(b), float(g)) for n in sizes for b in betas for g in gammas})
