"""Vector fields that were learned, whatever they are, as tests of neural ODEs take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.graphs.graph import Graph

__all__ = ["Fields", "Rater"]

Rater = Callable[[Graph, Sequence[Trajectory]], dict[str, Any]]
"""Says how good bands and flags on a graph are, where the true trajectories are these."""


@dataclass(frozen=True, eq=False)
class Fields:
    """R vector fields that were learned, each from the trajectories on one graph, as no networks.

    Tests take them in place of `Models`.

    Attributes:
        fields: each of them; None where nothing was found.
        training_graph: (R,) index of the graph that each was learned on.
        seen: (R, 2) smallest and largest state that each was learned from.
        errors: (R,) mean absolute error of each on trajectories it was learned from; None for those
            that are smooth, which are integrated as precisely as the true system.
        raters: of those that come with bands and flags of their own; none, or one for each.
    """

    fields: tuple[Field | None, ...]
    training_graph: np.ndarray
    seen: np.ndarray
    errors: np.ndarray | None = None
    raters: tuple[Rater | None, ...] = ()

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def ok(self) -> np.ndarray:
        """(R,) False where nothing was found."""
        return np.array([field is not None for field in self.fields], dtype=bool)

    @property
    def error(self) -> np.ndarray:
        """(R,) what says how precisely they are integrated; see `Tolerance.for_error`."""
        return np.zeros(len(self)) if self.errors is None else self.errors

    def labels(self, replicate: int) -> dict[str, int]:
        """What names one of them in tables of its runs."""
        return {"replicate": replicate, "training_graph": int(self.training_graph[replicate])}
