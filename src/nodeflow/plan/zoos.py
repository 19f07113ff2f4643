"""Zoos of independently trained networks, in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.datasets import VOCABULARIES
from nodeflow.plan.data import Data
from nodeflow.plan.paths import Row

__all__ = ["Zoos"]


@dataclass(frozen=True)
class Zoos:
    """The zoos of a run.

    Attributes:
        settings: section `zoo` of the configuration.
        device: of the run.
        seed: of the run.
        data: the data sets that they learn.
    """

    settings: config.zoo.Zoos
    device: str
    seed: int
    data: Data

    @cached_property
    def names(self) -> list[str]:
        """The zoos of the run: those to use, and those whose data set is on this machine."""
        there = [x for x in self.settings.where_found if self.data.is_there(self.of(x).data)]
        return list(dict.fromkeys([*self.settings.use, *there]))

    def of(self, zoo: str) -> config.zoo.Zoo:
        """The settings of a zoo."""
        return self.settings.zoos[zoo]

    def blocks(self, zoo: str) -> list[dict[str, Any]]:
        """Rows of zoo, block. Block k holds members k · size to (k + 1) · size − 1."""
        return _blocks(zoo, self.of(zoo).jobs)

    def learned(self, zoo: str) -> list[dict[str, Any]]:
        """Rows of zoo, block: those with members that flows learn from."""
        return _blocks(zoo, -(-self.of(zoo).members // self.of(zoo).block))

    def params(self, row: Row) -> dict[str, Any]:
        """What a block of a zoo is made with."""
        settings, block = self.of(row["zoo"]), int(row["block"])
        total = settings.members + settings.held_out
        first = block * settings.block
        return {
            "zoo": row["zoo"],
            "block": block,
            "first": first,
            "count": min(settings.block, total - first),
            **settings.dump("data", "training"),
            "architecture": self.architecture(row["zoo"]),
            "device": self.device,
            "seed": self.seed,
        }

    def architecture(self, zoo: str) -> dict[str, Any]:
        """What the networks of a zoo are: settings, and the form of what they read."""
        settings = self.of(zoo)
        item, classes = settings.form
        chosen = settings.written_network
        if settings.data in VOCABULARIES and chosen["kind"] in ("text", "bert"):
            chosen = {**chosen, "vocabulary": VOCABULARIES[settings.data]}
        return {"settings": chosen, "item": list(item), "classes": classes}

    def folder(self, row: Row) -> str | None:
        """The folder of a zoo's data set; none for one that a package holds."""
        return self.data.folder(self.of(row["zoo"]).data)

    def downloads(self, row: Row) -> list[str]:
        """The note of a zoo's downloaded data set, if it is to be downloaded."""
        return self.data.downloads([self.of(row["zoo"]).data])


def _blocks(zoo: str, count: int) -> list[dict[str, Any]]:
    return [{"zoo": zoo, "block": block} for block in range(count)]
