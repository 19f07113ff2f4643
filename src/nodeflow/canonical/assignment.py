"""Many assignment problems of one size, solved exactly and again and again.

Matching solves hundreds of small problems whose scores change little from one sweep to the next.
The shortest augmenting paths of Jonker & Volgenant 1987 (doi:10.1007/BF02278710) take any prices of
the columns as a start; those of the last solution leave most rows assigned at once. So this is
faster than `scipy.optimize.linear_sum_assignment`, which starts anew, with which tests compare it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["assign"]


def assign(scores: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each matrix the permutation with the highest sum of scores.

    Args:
        scores: float64, shape (K, n, n), finite: score of each row with each column.
        prices: float64, shape (K, n): of the columns, from an earlier solution, or any others such
            as zeros. They change how long it takes, and nothing else unless two permutations are
            equally good.

    Returns:
        The column of each row, int64 of shape (K, n), and the prices at the solution.
    """
    prices = prices.copy()
    return _assign(np.ascontiguousarray(scores), prices), prices


@njit(cache=True)  # type: ignore[untyped-decorator,unused-ignore]
def _assign(scores: np.ndarray, prices: np.ndarray) -> np.ndarray:
    members, size, _ = scores.shape
    columns = np.empty((members, size), np.int64)
    row_of = np.empty(size, np.int64)
    distance = np.empty(size)
    before = np.empty(size, np.int64)
    done = np.empty(size, np.bool_)
    for member in range(members):
        score, price, column_of = scores[member], prices[member], columns[member]
        row_of[:] = -1
        column_of[:] = -1
        for row in range(size):
            best = 0
            for column in range(1, size):
                if score[row, column] - price[column] > score[row, best] - price[best]:
                    best = column
            if row_of[best] < 0:
                row_of[best], column_of[row] = row, best
        for start in range(size):
            if column_of[start] >= 0:
                continue
            # The shortest path from this row to a free column; its length is what profit is lost.
            profit = -np.inf
            for column in range(size):
                profit = max(profit, score[start, column] - price[column])
            for column in range(size):
                distance[column] = profit - (score[start, column] - price[column])
                before[column] = start
                done[column] = False
            while True:
                end, length = -1, np.inf
                for column in range(size):
                    if not done[column] and distance[column] < length:
                        end, length = column, distance[column]
                done[end] = True
                row = row_of[end]
                if row < 0:
                    break
                profit = score[row, end] - price[end] + length
                for column in range(size):
                    if not done[column]:
                        through = profit - (score[row, column] - price[column])
                        if through < distance[column]:
                            distance[column], before[column] = through, row
            for column in range(size):
                if done[column] and column != end:
                    price[column] += length - distance[column]
            while True:
                row = before[end]
                row_of[end] = row
                column_of[row], end = end, column_of[row]
                if row == start:
                    break
    return columns
