"""How the variance of medians divides between two directions of a table of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["share_of_columns"]


def share_of_columns(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance from column to column as a share of that and the one from row to row.

    What drawing adds to both is taken off: once from the value itself, which scatters with what was
    sampled, and twice from draws, which scatter around it once more (Efron and Tibshirani 1993,
    chapter 10). A variance below 0 is 0.

    Args:
        values: (rows, columns, 1 + draws), of which the first is no draw; a draw has the same
            models in all cells.

    Returns:
        (1 + draws,) in [0, 1]; NaN where a value is not finite or nothing varies.
    """
    drawn = values[..., 1:]
    cells = values.shape[0] * values.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = (drawn - drawn.mean(axis=(0, 1))).var(axis=-1, ddof=1).mean()
        taken_off = np.full(values.shape[-1], 2 * apart * cells / (cells - 1))
        taken_off[0] /= 2
        by_column, by_row = (
            np.maximum(values.var(axis=axis, ddof=1).mean(axis=0) - taken_off, 0) for axis in (1, 0)
        )
        share: NDArray[np.float64] = by_column / (by_column + by_row)
    return share
