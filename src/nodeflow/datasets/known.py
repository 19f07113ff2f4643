"""What is known of a data set before it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nodeflow.datasets.dataset import Dataset
from nodeflow.datasets.sources import Source

__all__ = ["Known"]


@dataclass(frozen=True)
class Known:
    """A data set that zoos can be trained on; a module of `nodeflow.datasets.sets` defines each.

    Attributes:
        item: shape of an item: channels, height, width of an image; tokens of a text.
        classes: number of its classes, 1 where a number is predicted.
        load: reads it from a folder that holds its files; any folder will do if it has none.
        files: what must be in the folder; none if a Python package brings it.
        present: the path of a file in a folder if it is there, where its name may be another.
        sources: where it is published, with the digests that other libraries check as well.
        training_items: how many it has for training, where that is known before it is read.
        vocabulary: number of different tokens, of texts.
        package: the Python package that brings it, if it is none that nodeflow needs anyway.
        debian: the package of Debian that brings its files.
        home: where that package puts them.
    """

    item: tuple[int, ...]
    classes: int
    load: Callable[[Path], Dataset]
    files: tuple[str, ...] = ()
    present: Callable[[Path, str], Path | None] | None = None
    sources: tuple[Source, ...] = ()
    training_items: int | None = None
    vocabulary: int | None = None
    package: str | None = None
    debian: str | None = None
    home: Path | None = None

    def is_in(self, folder: Path | None) -> bool:
        """Whether its files are in a folder, or its package is there; nothing is opened."""
        if not self.files:
            return self.package is None or find_spec(self.package) is not None
        if folder is None:
            return False
        if self.present is not None:
            return all(self.present(folder, file) for file in self.files)
        return all((folder / file).is_file() for file in self.files)
