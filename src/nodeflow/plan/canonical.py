"""Canonicalization: the members of a zoo, aligned to one network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.plan.paths import MEMBERS, UNIVERSE, Row, fill, narrow
from nodeflow.plan.zoos import Zoos

__all__ = ["Canonical"]

FORMS = ("raw", "aligned")


@dataclass(frozen=True)
class Canonical:
    """The members of all zoos, raw and aligned.

    Attributes:
        settings: section `canonical` of the configuration.
        measuring: digest of the code that measures barriers.
        zoos: the zoos.
    """

    settings: config.canonical.Canonical
    measuring: str
    zoos: Zoos

    @cached_property
    def members(self) -> list[dict[str, Any]]:
        """Rows of zoo, alignment, block: all members of all zoos."""
        return [x for zoo in self.zoos.names for kind in FORMS for x in self.blocks(zoo, kind)]

    @cached_property
    def measured(self) -> list[dict[str, Any]]:
        """Those of zoos with items to judge on."""
        return [x for x in self.members if self.zoos.of(x["zoo"]).items is not None]

    def blocks(self, zoo: str, alignment: str) -> list[dict[str, Any]]:
        """Rows of zoo, alignment, block: the members of one zoo."""
        return [{**row, "alignment": alignment} for row in self.zoos.blocks(zoo)]

    def params(self, row: Row) -> dict[str, Any]:
        """What a block of members, aligned or raw, is made with."""
        if row["alignment"] == "aligned":
            return self.alignment_params(row)
        return self.zoos.params(row)

    def alignment_params(self, row: Row) -> dict[str, Any]:
        """What an aligned block is made with."""
        zoo = row["zoo"]
        first = {"zoo": zoo, "block": 0}
        return {
            "zoo": zoo,
            "block": int(row["block"]),
            "settings": self._how,
            "from": self.zoos.params(row),
            "reference": self.universe_params(row) if self._to_centre else self.zoos.params(first),
        }

    def learned(self, row: Row) -> list[str]:
        """The blocks of a zoo with members that flows learn from."""
        return fill(narrow(MEMBERS, alignment="raw"), self.zoos.learned(row["zoo"]))

    def reference(self, row: Row) -> str:
        """The file with the network that all members of a zoo are matched to, as its member 0."""
        first = {"zoo": row["zoo"], "alignment": "raw", "block": 0}
        return narrow(UNIVERSE if self._to_centre else MEMBERS, **first)

    def universe_params(self, row: Row) -> dict[str, Any]:
        """What the common centre of a zoo is made with."""
        zoo = row["zoo"]
        return {
            "zoo": zoo,
            "members": self.zoos.of(zoo).learned,
            "settings": self._how,
            "from": [self.zoos.params(x) for x in self.zoos.learned(zoo)],
        }

    def barrier_parts(self, row: Row) -> dict[str, dict[str, Any]]:
        """What the loss barriers of a zoo are measured with, raw and aligned."""
        return {x: self.barrier_params({**row, "alignment": x}) for x in FORMS}

    def barrier_params(self, row: Row) -> dict[str, Any]:
        """What the loss barriers of a zoo are measured with, as trained or aligned."""
        zoo = row["zoo"]
        return {
            **self.settings.barrier.dump(),
            "zoo": zoo,
            "alignment": row["alignment"],
            "data": self.zoos.source(zoo),
            "architecture": self.zoos.architecture(zoo),
            "device": self.zoos.device,
            "from": self.params({**row, "block": 0}),
            "code": self.measuring,
        }

    @property
    def _to_centre(self) -> bool:
        return self.settings.reference == "universe"

    @property
    def _how(self) -> dict[str, Any]:
        return self.settings.dump("reference", "matching", "balance", "residual")
