"""A tree of cells: layers of similar hidden degree, cut into ever smaller pieces of the ring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit

__all__ = ["TREE_CELL", "TREE_NODE", "CellTree", "build_tree"]

THICKNESS = 1.0
"""Range of log κ within a layer."""

LEAF = 3
"""Most nodes of a cell that is not split."""

TREE_NODE = np.dtype([("x", np.float64), ("weight", np.float64), ("node", np.int32)], align=True)
"""A node: position, max(1, β) log κ, and id."""

# All facts about a cell side by side: a visit costs a cache line or two, not one for each fact.
# Facts that only weigh a correction are float32: at N = 10⁶ cells do not fit into a processor's
# cache, and a visit costs what it costs to fetch them.
TREE_CELL = np.dtype(
    [
        ("start", np.int32),  # its nodes are start … stop − 1
        ("stop", np.int32),
        ("child", np.int32),  # first of its two neighbouring children; −1 for a leaf
        ("size", np.float32),  # the larger of two cells is split first; layers come before pieces
        ("left", np.float64),  # interval of the ring
        ("right", np.float64),
        ("least", np.float64),  # range of the weight
        ("most", np.float64),
        ("log_mean", np.float64),  # log of the mean of ω = exp(weight)
        ("spread", np.float32),  # squared coefficient of variation of ω
        ("skew", np.float32),  # mean of |ω/ω̄ − 1|³
        ("centre", np.float64),  # mean position, weighted by ω
        ("variance", np.float32),  # central moments of the positions, weighted by ω: second,
        ("third", np.float32),
        ("fourth", np.float32),
        ("reach", np.float32),  # largest distance from the centre
    ],
    align=True,
)
"""A cell; the comments in this definition say what each field is."""


@dataclass(frozen=True, eq=False)
class CellTree:
    """Nodes sorted by layer and position, and the cells above them.

    Attributes:
        beta: inverse temperature.
        nodes: shape (N,), of `TREE_NODE`.
        cells: of `TREE_CELL`, root first, each before its children.
    """

    beta: float
    nodes: NDArray[np.void]
    cells: NDArray[np.void]

    @property
    def log_kappa(self) -> NDArray[np.float64]:
        """Log κ in the order of `nodes`, shape (N,)."""
        return np.asarray(self.nodes["weight"] / max(1.0, self.beta))


def build_tree(kappa: NDArray[np.float64], x: NDArray[np.float64], beta: float) -> CellTree:
    """Sort nodes into layers and cells, in O(N log N).

    Args:
        kappa: hidden degrees, shape (N,), positive and finite.
        x: positions, shape (N,), in [0, 1).
        beta: inverse temperature.
    """
    log_kappa = np.log(kappa)
    layer = np.floor((log_kappa - log_kappa.min()) / THICKNESS)
    order = np.argsort(layer + x)
    nodes = np.empty(len(x), TREE_NODE)
    nodes["x"], nodes["node"] = x[order], order
    nodes["weight"] = max(1.0, beta) * log_kappa[order]
    borders = np.flatnonzero(np.diff(layer[order])) + 1
    layers = np.concatenate([[0], borders, [len(x)]]).astype(np.int64)
    # From numpy, which asks for huge pages: to fill fresh small ones costs as much as the tree.
    cells = np.empty(2 * (2 * len(nodes) // LEAF + len(layers)), TREE_CELL)
    return CellTree(float(beta), nodes, cells[: _grow(nodes, layers, cells)])


@njit(error_model="numpy")
def _grow(nodes: Any, layers: NDArray[np.int64], cells: Any) -> int:
    """Split the root, all nodes, by layers and then each layer at its median position.

    Writes the cells into `cells` and returns their number.
    """
    cells[0].start = 0
    cells[0].stop = len(nodes)
    count = 1
    stack = np.empty((128, 3), np.int64)  # cell, its first layer, one past its last layer
    stack[0] = 0, 0, len(layers) - 1
    waiting = 1
    while waiting:
        waiting -= 1
        cell, low, high = stack[waiting]
        _measure(nodes, cells, cell)
        start = cells[cell].start
        stop = cells[cell].stop
        cells[cell].child = -1
        cells[cell].size = cells[cell].right - cells[cell].left
        if high - low > 1:
            cells[cell].size = high - low
            middle = (low + high) // 2
            cut = layers[middle]
            stack[waiting] = count, low, middle
            stack[waiting + 1] = count + 1, middle, high
        elif stop - start > LEAF:
            cut = (start + stop) // 2
            stack[waiting] = count, low, high
            stack[waiting + 1] = count + 1, low, high
        else:
            continue
        waiting += 2
        cells[cell].child = count
        cells[count].start = start
        cells[count].stop = cut
        cells[count + 1].start = cut
        cells[count + 1].stop = stop
        count += 2
    return count


@njit(error_model="numpy")
def _measure(nodes: Any, cells: Any, cell: int) -> None:
    start = cells[cell].start
    stop = cells[cell].stop
    left = right = nodes[start].x
    least = most = nodes[start].weight
    for i in range(start + 1, stop):
        left = min(left, nodes[i].x)
        right = max(right, nodes[i].x)
        least = min(least, nodes[i].weight)
        most = max(most, nodes[i].weight)
    total = 0.0
    squares = 0.0
    moment = 0.0
    for i in range(start, stop):
        w = math.exp(nodes[i].weight - most)
        total += w
        squares += w * w
        moment += w * (nodes[i].x - left)
    centre = left + moment / total
    mean = total / (stop - start)
    skew = 0.0
    variance = 0.0
    third = 0.0
    fourth = 0.0
    for i in range(start, stop):
        w = math.exp(nodes[i].weight - most)
        skew += abs(w / mean - 1) ** 3
        w /= total
        square = (nodes[i].x - centre) ** 2
        variance += w * square
        third += w * square * (nodes[i].x - centre)
        fourth += w * square * square
    cells[cell].left = left
    cells[cell].right = right
    cells[cell].least = least
    cells[cell].most = most
    cells[cell].log_mean = most + math.log(mean)
    cells[cell].spread = max(0.0, squares / total / mean - 1)
    cells[cell].skew = skew / (stop - start)
    cells[cell].centre = centre
    cells[cell].variance = variance
    cells[cell].third = third
    cells[cell].fourth = fourth
    cells[cell].reach = max(right - centre, centre - left)
