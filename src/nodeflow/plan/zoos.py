"""Zoos of independently trained networks, in blocks."""

from __future__ import annotations

import hashlib
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
        there = [x for x in self.settings.where_found if self._can_be_judged(x)]
        return list(dict.fromkeys([*self.settings.use, *there]))

    def _can_be_judged(self, zoo: str) -> bool:
        settings = self.of(zoo)
        return settings.checkpoints is not None or self.data.is_there(settings.data)

    @cached_property
    def imported(self) -> list[dict[str, Any]]:
        """Rows of zoo, block: members of the zoos that were trained elsewhere."""
        chosen = [zoo for zoo in self.names if self.of(zoo).checkpoints is not None]
        return [row for zoo in chosen for row in self.blocks(zoo)]

    def pattern(self, elsewhere: bool) -> str:
        """What the names of zoos are that were trained elsewhere, or of all others."""
        known = [x for x in self.settings.zoos if self.of(x).checkpoints is not None]
        if elsewhere:
            return "|".join(known) or "(?!)"
        return f"(?!(?:{'|'.join(known)})(?:/|$))[a-z0-9_]+" if known else "[a-z0-9_]+"

    def of(self, zoo: str) -> config.zoo.Zoo:
        """The settings of a zoo."""
        return self.settings.zoos[zoo]

    def blocks(self, zoo: str) -> list[dict[str, Any]]:
        """Rows of zoo, block. Block k holds members k · size to (k + 1) · size − 1."""
        return _blocks(zoo, self.of(zoo).jobs)

    def learned(self, zoo: str) -> list[dict[str, Any]]:
        """Rows of zoo, block: those with members that flows learn from."""
        return _blocks(zoo, -(-self.of(zoo).learned // self.of(zoo).together))

    def params(self, row: Row) -> dict[str, Any]:
        """What a block of a zoo is made with."""
        settings, block = self.of(row["zoo"]), int(row["block"])
        total = settings.learned + settings.kept_back
        first = block * settings.together
        given = settings.checkpoints
        return {
            "zoo": row["zoo"],
            "block": block,
            "first": first,
            "count": min(settings.together, total - first),
            **(settings.dump("data", "training") if given is None else self._checkpoints(given)),
            "architecture": self.architecture(row["zoo"]),
            "device": self.device,
            "seed": self.seed,
        }

    def architecture(self, zoo: str) -> dict[str, Any]:
        """What the networks of a zoo are: settings, and the form of what they read."""
        settings = self.of(zoo)
        if settings.checkpoints is not None:
            given = settings.checkpoints
            item = None if given.item is None else list(given.item)
            return {
                "module": given.module,
                "item": item,
                "data": given.data,
                "tokens": given.tokens,
            }
        item, classes = settings.form
        chosen = settings.written_network
        if settings.data in VOCABULARIES and chosen["kind"] in ("text", "bert"):
            chosen = {**chosen, "vocabulary": VOCABULARIES[settings.data]}
        return {"settings": chosen, "item": list(item), "classes": classes}

    def folder(self, row: Row) -> str | None:
        """The folder of a zoo's data set; none for one that a package holds."""
        data = self.of(row["zoo"]).data
        return None if data is None else self.data.folder(data)

    def downloads(self, row: Row) -> list[str]:
        """The note of a zoo's downloaded data set, if it is to be downloaded."""
        data = self.of(row["zoo"]).data
        return [] if data is None else self.data.downloads([data])

    def checkpoints(self, row: Row) -> list[str]:
        """The files that a block of a zoo from elsewhere is made of, the user's module too."""
        given = self.of(row["zoo"]).checkpoints
        if given is None:
            return []
        params = self.params(row)
        files = given.files[params["first"] : params["first"] + params["count"]]
        return [*map(str, files), *given.sources]

    def source(self, zoo: str) -> Any:
        """What networks of a zoo are judged on, as `nodeflow.zoo.described.data_of` takes it."""
        settings = self.of(zoo)
        return settings.data if settings.checkpoints is None else {"own": settings.items}

    def sources(self, row: Row) -> list[str]:
        """The user's files with the module of a zoo from elsewhere, and data to judge it on."""
        given = self.of(row["zoo"]).checkpoints
        return [] if given is None else given.sources

    def data_files(self, row: Row) -> list[str]:
        """The note of a data set to be downloaded, and the user's module and data."""
        return [*self.downloads(row), *self.sources(row)]

    @staticmethod
    def _checkpoints(own: config.zoo.Checkpoints) -> dict[str, Any]:
        """What networks from elsewhere are read with."""
        names = "\n".join(map(str, own.files))
        return {
            "checkpoints": {"folder": own.folder, "pattern": own.pattern, "part": own.part},
            "files": hashlib.blake2b(names.encode(), digest_size=8).hexdigest(),
        }


def _blocks(zoo: str, count: int) -> list[dict[str, Any]]:
    return [{"zoo": zoo, "block": block} for block in range(count)]
