"""Networks of flows over zoos from elsewhere, as checkpoints that the user's own module loads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow.plan.flows import Flows
from nodeflow.plan.paths import MEMBERS, Row, narrow

__all__ = ["Exports"]


@dataclass(frozen=True)
class Exports:
    """What is written in the users' own form.

    Attributes:
        flows: the flows whose networks are written.
    """

    flows: Flows

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: flows over zoos from elsewhere."""
        zoos = self.flows.zoos
        return [x for x in self.flows.all if zoos.of(self.flows.zoo(x)).checkpoints is not None]

    def members(self, row: Row) -> str:
        """The first block of members of a flow's zoo, as the flow learned them."""
        return narrow(MEMBERS, **self._first(row))

    def read(self, row: Row) -> str:
        """The same as it was read."""
        return narrow(MEMBERS, **self._first(row) | {"alignment": "raw"})

    def params(self, row: Row) -> dict[str, Any]:
        """What networks in the user's own form are made with."""
        return {
            **self.flows.learned(row),
            "calibration": self.flows.judge["calibration"],
            "block": self.flows.canonical.params(self._first(row)),
            "from": self.flows.sample_params(row),
        }

    def _first(self, row: Row) -> dict[str, Any]:
        return {"zoo": self.flows.zoo(row), "alignment": row["alignment"], "block": 0}
