"""Data sets seen another way: the same items and classes, each item changed by a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["VIEWS", "View"]

Shape = tuple[int, ...]

_SIDE = 8


@dataclass(frozen=True)
class View:
    """A rule that changes items.

    Attributes:
        change: items (n, *shape) → items of the new shape, float32 or float64.
        shape: shape of an item → shape of a changed one.
        images: whether items must be images: channels, height, width.
    """

    change: Callable[[np.ndarray], np.ndarray]
    shape: Callable[[Shape], Shape]
    images: bool


def _shares(pixels: int, parts: int) -> np.ndarray:
    """(parts, pixels): what share of each part of a row each of its pixels covers."""
    ends = np.linspace(0, pixels, parts + 1)
    left, right = ends[:-1, None], ends[1:, None]
    places = np.arange(pixels)
    covered = np.minimum(right, places + 1) - np.maximum(left, places)
    shares: np.ndarray = np.clip(covered, 0, None) / (pixels / parts)
    return shares


def _averaged(images: np.ndarray) -> np.ndarray:
    rows, columns = (_shares(size, _SIDE) for size in images.shape[2:])
    small: np.ndarray = np.einsum("ah,nchw,bw->ncab", rows, images, columns, optimize=True)
    return small


VIEWS: Mapping[str, View] = {
    "inverted": View(lambda items: 1 - items, lambda shape: shape, images=False),
    "rotated": View(
        lambda images: np.rot90(images, axes=(2, 3)),
        lambda shape: (shape[0], shape[2], shape[1]),
        images=True,
    ),
    "8x8": View(_averaged, lambda shape: (shape[0], _SIDE, _SIDE), images=True),
}
"""Dark for light; turned by 90° counterclockwise; averaged over the areas of 8 × 8 pixels."""
