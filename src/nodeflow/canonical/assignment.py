"""Many assignment problems of one size, solved exactly and again and again.

Matching solves hundreds of small problems whose scores change little from one sweep to the next.
The shortest augmenting paths of Jonker & Volgenant 1987 (doi:10.1007/BF02278710) take any prices of
the columns as a start; those of the last solution leave most rows assigned at once. So this is
faster than `scipy.optimize.linear_sum_assignment`, which starts anew, with which tests compare it.
"""

from __future__ import annotations

import numpy as np

from nodeflow.compiled import njit

__all__ = ["assign"]


def assign(
    scores: np.ndarray, prices: np.ndarray, chosen: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """For each matrix the permutation with the highest sum of scores.

    Args:
        scores: float64, shape (K, n, n), finite: score of each row with each column.
        prices: float64, shape (K, n): of the columns, from an earlier solution, or any others such
            as zeros. They change how long it takes, and nothing else unless two permutations are
            equally good.
        chosen: places of the matrices to solve, shape (L,); by default, all K.

    Returns:
        The column of each row, int64 of shape (L, n), and the prices (K, n) at the solutions.
    """
    prices = prices.copy()
    chosen = np.arange(len(scores)) if chosen is None else chosen
    return _assign(np.ascontiguousarray(scores), prices, chosen), prices


@njit(nogil=True)
def _assign(scores: np.ndarray, prices: np.ndarray, some: np.ndarray) -> np.ndarray:
    size = scores.shape[1]
    columns = np.empty((len(some), size), np.int64)
    row_of = np.empty(size, np.int64)
    # From a free row to each column, infinite once that is done. A step reads one of the two and
    # writes all of the other: in place, it would be stores under a mask, which are slow.
    distance, last = np.empty(size), np.empty(size)
    open_price = np.empty(size)  # infinite once a column is done
    done, least = np.empty(size, np.int64), np.empty(size)
    rows, profits = np.empty(size, np.int64), np.empty(size)  # from which each step set out
    for place, member in enumerate(some):
        score, price, column_of = scores[member], prices[member], columns[place]
        row_of[:] = -1
        column_of[:] = -1
        for row in range(size):
            profit = _best(score[row], price)
            column = 0
            while score[row, column] - price[column] != profit:
                column += 1
            if row_of[column] < 0:
                row_of[column], column_of[row] = row, column
        for start in range(size):
            if column_of[start] >= 0:
                continue
            # The shortest path from this row to a free column; its length is what profit is lost.
            row, profit = start, _best(score[start], price)
            distance[:] = np.inf
            open_price[:] = price
            count = 0
            while True:
                rows[count], profits[count] = row, profit
                distance, last = last, distance
                for column in range(size):
                    through = profit - (score[row, column] - open_price[column])
                    now = last[column]
                    distance[column] = through if through < now else now
                end = _first_least(distance)
                length, row = distance[end], row_of[end]
                if row < 0:
                    break
                done[count], least[count] = end, length
                count += 1
                distance[end], open_price[end] = np.inf, np.inf
                profit = score[row, end] - price[end] + length
            # Back along it: a column was reached in the first step that came as near as its end.
            reached = length
            while True:
                step = 0
                while profits[step] - (score[rows[step], end] - price[end]) != reached:
                    step += 1
                row = rows[step]
                row_of[end] = row
                column_of[row], end = end, column_of[row]
                if step == 0:
                    break
                reached = least[step - 1]
            for k in range(count):
                price[done[k]] += length - least[k]
    return columns


@njit(nogil=True)
def _first_least(distance: np.ndarray) -> int:
    """Where the least of some numbers from 0 up stands first."""
    # Such numbers are in the order of their bits, and the least of integers is found several at a
    # time.
    bits = distance.view(np.int64)
    low = bits[0]
    for column in range(len(bits)):
        low = min(low, bits[column])
    first = 0
    while bits[first] != low:
        first += 1
    return first


@njit(nogil=True)
def _best(score: np.ndarray, price: np.ndarray) -> float:
    """The largest profit; four at a time, for each waits for the one before it."""
    a = b = c = d = -np.inf
    whole = len(score) // 4 * 4
    for k in range(0, whole, 4):
        a = max(a, score[k] - price[k])
        b = max(b, score[k + 1] - price[k + 1])
        c = max(c, score[k + 2] - price[k + 2])
        d = max(d, score[k + 3] - price[k + 3])
    for k in range(whole, len(score)):
        a = max(a, score[k] - price[k])
    return max(max(a, b), max(c, d))
