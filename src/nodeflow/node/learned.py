"""Vector fields that were learned, whatever they are, as tests of neural ODEs take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nodeflow.dynamics.systems import Field

__all__ = ["Fields"]


@dataclass(frozen=True, eq=False)
class Fields:
    """R vector fields that were learned, each from the trajectories on one graph, as no networks.

    Tests take them in place of `Models`.

    Attributes:
        fields: each of them; None where nothing was found.
        training_graph: (R,) index of the graph that each was learned on.
        seen: (R, 2) smallest and largest state that each was learned from.
    """

    fields: tuple[Field | None, ...]
    training_graph: np.ndarray
    seen: np.ndarray

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def ok(self) -> np.ndarray:
        """(R,) False where nothing was found."""
        return np.array([field is not None for field in self.fields], dtype=bool)

    @property
    def error(self) -> np.ndarray:
        """(R,) 0: smooth fields are integrated as precisely as the true system."""
        return np.zeros(len(self))

    def labels(self, replicate: int) -> dict[str, int]:
        """What names one of them in tables of its runs."""
        return {"replicate": replicate, "training_graph": int(self.training_graph[replicate])}
