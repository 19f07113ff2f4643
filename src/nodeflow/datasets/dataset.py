"""What a data set is: items and what they are, in three disjoint parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nodeflow.problems import Problem

__all__ = [
    "DataProblem",
    "Dataset",
    "check_proportions",
    "damaged",
    "held_back",
    "pixels",
    "standardized",
    "thirds",
]


class DataProblem(Problem):
    """A data set is unknown, missing or damaged; the text says what to do."""


@dataclass(frozen=True)
class Dataset:
    """Items and labels in three disjoint parts.

    Attributes:
        name: one of `DATASETS`.
        train_x: float32, shape (items, features); an image is one row of pixels in [0, 1], a text
            one row of whole numbers, its tokens.
        train_y: shape (items,): int64 class of each item, or the float32 number to be predicted.
        validation_x: like `train_x`; whatever is selected is selected on these items.
        validation_y: like `train_y`.
        test_x: like `train_x`; nothing is ever selected on these items.
        test_y: like `train_y`.
        classes: number of classes; 1 where a number is predicted.
    """

    name: str
    train_x: np.ndarray
    train_y: np.ndarray
    validation_x: np.ndarray
    validation_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: int

    def first(self, train_items: int) -> Dataset:
        """The same data with only the first `train_items` training items.

        Raises:
            DataProblem: there are fewer, or `train_items` is not positive.
        """
        if not 1 <= train_items <= len(self.train_y):
            raise DataProblem(
                f"{self.name} has {len(self.train_y)} training items, not {train_items}; "
                f"ask for 1 to {len(self.train_y)}."
            )
        return replace(self, train_x=self.train_x[:train_items], train_y=self.train_y[:train_items])


def thirds(name: str, x: np.ndarray, y: np.ndarray, classes: int) -> Dataset:
    """All items as 70 % training, 10 % validation and 20 % test items.

    They are drawn by scikit-learn's `train_test_split` with `random_state=42`, stratified by class
    where there are classes.
    """
    from sklearn.model_selection import train_test_split

    x, y = x.astype(np.float32), y.astype(np.int64 if classes > 1 else np.float32)
    rest_x, test_x, rest_y, test_y = train_test_split(
        x, y, test_size=0.2, random_state=42, stratify=y if classes > 1 else None
    )
    train_x, validation_x, train_y, validation_y = train_test_split(
        rest_x, rest_y, test_size=0.125, random_state=42, stratify=rest_y if classes > 1 else None
    )
    return Dataset(name, train_x, train_y, validation_x, validation_y, test_x, test_y, classes)


def held_back(
    name: str,
    folder: Path,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    classes: int,
) -> Dataset:
    """The published parts, the last sixth of the training items being the validation items."""
    (x, y), (test_x, test_y) = train, test
    count = len(y) // 6
    if count == 0 or len(test_y) == 0:
        raise DataProblem(
            f"{folder}: {name} needs at least 6 training items and a test item. Fetch it anew."
        )
    return Dataset(name, x[:-count], y[:-count], x[-count:], y[-count:], test_x, test_y, classes)


def standardized(data: Dataset) -> Dataset:
    """Each feature with mean 0 and standard deviation 1 over the training items."""
    mean = data.train_x.mean(0, dtype=np.float64)
    deviation = data.train_x.std(0, dtype=np.float64)

    def scaled(part: np.ndarray) -> np.ndarray:
        new: np.ndarray = ((part - mean) / deviation).astype(np.float32)
        return new

    return replace(
        data,
        train_x=scaled(data.train_x),
        validation_x=scaled(data.validation_x),
        test_x=scaled(data.test_x),
    )


def pixels(images: np.ndarray) -> np.ndarray:
    """Images of unsigned bytes as rows of numbers in [0, 1]."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def damaged(path: Path, what: str) -> DataProblem:
    """The problem of a file that is not what it should be."""
    return DataProblem(f"{path} {what}; fetch it anew, or name another folder.")


def check_proportions(counts: Mapping[Path, int], shares: Mapping[Path, int], what: str) -> None:
    """Refuse files of which one was cut between two rows.

    Args:
        counts: how many rows each file holds.
        shares: in which proportion they are published.
        what: the rows' name.

    Raises:
        DataProblem: another proportion; the first file that holds too few is named.
    """
    most = max(-(-count // shares[path]) for path, count in counts.items())
    for path, count in counts.items():
        expected = most * shares[path]
        if count != expected:
            others = [other.name for other in counts if other != path]
            rest = others[0] if len(others) == 1 else "the other files"
            raise damaged(path, f"holds {count} {what}, and {expected} go with {rest}")
