"""Data sets: where they are, and what is downloaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nodeflow import config
from nodeflow.datasets import FILES, SOURCES, dataset_available
from nodeflow.datasets.registry import base_name
from nodeflow.plan.paths import DATA, DOWNLOADED, Row, fill

__all__ = ["Data"]


@dataclass(frozen=True)
class Data:
    """The data sets of a run. A view of a data set, like "mnist:8x8", lies where that one does.

    Attributes:
        settings: section `zoo` of the configuration, with its keys `folders` and `downloads`.
    """

    settings: config.zoo.Zoos

    def folder(self, data: str) -> str | None:
        """The folder of a data set: what the user named, or where it is downloaded to."""
        named = self.settings.folders.get(base_name(data))
        return named or next(iter(fill(DATA, self._downloaded([data]))), None)

    def downloads(self, data: Iterable[str]) -> list[str]:
        """The notes of those of some data sets that are to be downloaded, each once."""
        return fill(DOWNLOADED, self._downloaded(data))

    def is_there(self, data: str) -> bool:
        """Whether a data set is on this machine, or is to be downloaded."""
        return bool(self.downloads([data])) or dataset_available(data, self.folder(data))

    def params(self, row: Row) -> dict[str, Any]:
        """What a data set is downloaded with."""
        data = row["data"]
        known = [{"url": source.url, "sha256": source.sha256} for source in SOURCES.get(data, ())]
        sources = [source.dump() for source in self.settings.downloads[data] or ()]
        return {"data": data, "sources": sources or known, "files": list(FILES[data])}

    def _downloaded(self, data: Iterable[str]) -> list[dict[str, str]]:
        folders, downloads = self.settings.folders, self.settings.downloads
        names = map(base_name, data)
        return [{"data": name} for name in names if name in downloads and not folders.get(name)]
