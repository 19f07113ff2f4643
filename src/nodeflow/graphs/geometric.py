"""The S¹ model in O(N + M): the distribution of `nodeflow.graphs.exact` without visiting all pairs.

Between two cells of the tree (`nodeflow.graphs.cells`) distances and hidden degrees vary little,
so p is bounded from both sides for all pairs of their nodes. Every pair of nodes is in exactly one
block, a pair of cells that is not split further.

- Drawing: a block is drawn when the two bounds are close or few edges are expected: candidates at
  the upper bound by geometric skips, each kept with probability p over bound. So each edge is
  there with exactly its own p, independently of all others.
- Calibration: a block is summed when an expansion of p about the centres of its two cells is
  accurate enough, or pair by pair when it is small.

For β < 1 there is no locality, and blocks simply are larger: p is small and nearly constant in
them, as in the Chung–Lu model.

Sources: layers, cells and skips as in Bläsius, Friedrich, Katzmann, Meyer, Penschuck, Weyand,
Network Science 10, 401 (2022), for girgs; skips: Batagelj and Brandes, Phys. Rev. E 71, 036113
(2005); sums over pairs of cells: Gray and Moore, NIPS 13 (2000).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit
from nodeflow.graphs.calibration import first_c, solve_c
from nodeflow.graphs.cells import CellTree

__all__ = ["calibrate", "draw", "mean_degree_at"]

TOLERANCE = 2e-5
"""Largest relative error of the expected mean degree after calibration: at N = 10⁶ and k̄ = 10 a
twentieth of the standard deviation of the mean degree of a graph."""

COARSE = 3e-3
"""Relative error of the expected mean degree while c is far from its goal."""

SMALL = 8
"""Most pairs of nodes of a block that is always visited pair by pair."""

FEW = 4.0
"""Most candidates that are expected in a block that is drawn however bad its bound is."""

RATIO = 6.0
"""Most that the upper bound on p may exceed the lower in any other block that is drawn."""

DENSE = 0.25
"""Bound above which all pairs of a block are candidates: a skip costs more than it saves."""

TOGETHER = 512
"""Candidates that are looked at together. At N = 10⁶ nodes do not fit into a processor's cache; a
loop that does nothing but fetch them waits for many at a time, one that also thinks for each."""


def calibrate(tree: CellTree, mean_degree: float) -> float:
    """The c for which the expected mean degree is k̄, to a relative error of `TOLERANCE`.

    Raises:
        S1Problem: k̄ out of reach, or no convergence.
    """
    return solve_c(
        lambda c, precision: mean_degree_at(tree, c, precision, mean_degree),
        start=first_c(tree.log_kappa, tree.beta, mean_degree),
        n=len(tree.nodes),
        mean_degree=mean_degree,
        tolerance=TOLERANCE,
        coarse=COARSE,
    )


def mean_degree_at(tree: CellTree, c: float, precision: float, scale: float) -> tuple[float, float]:
    """Expected mean degree and its derivative with respect to log c.

    Args:
        tree: the nodes.
        c: the model's constant.
        precision: relative error that is allowed.
        scale: the mean degree that this error is relative to, where c gives a smaller one.
    """
    edges, slope = _sum_blocks(
        tree.nodes, tree.cells, tree.beta, math.log(c), precision, precision * scale / 300
    )
    return 2 * edges / len(tree.nodes), 2 * slope / len(tree.nodes)


def draw(tree: CellTree, c: float, rng: np.random.Generator) -> NDArray[np.int32]:
    """Edges of one graph, shape (M, 2), sorted."""
    n = len(tree.nodes)
    # From numpy, which asks for huge pages; enough for most graphs of k̄ = 10.
    room = np.empty(8 * n, np.int64)
    keys = _draw_blocks(tree.nodes, tree.cells, tree.beta, math.log(c), rng, room)
    keys.sort()
    edges = keys.view(np.int32).reshape(-1, 2)  # in the same memory: fresh pages cost as much again
    _unpack(keys, n, edges)
    return edges


@njit(error_model="numpy")
def _unpack(keys: NDArray[np.int64], n: int, edges: NDArray[np.int32]) -> None:
    for e in range(len(keys)):
        key = keys[e]
        u = key // n
        edges[e, 0] = u
        edges[e, 1] = key - u * n


@njit(error_model="numpy")
def _probability(apart: float, one: float, two: float, beta: float, offset: float) -> float:
    """Of an edge between nodes that are `apart` in x and have these weights."""
    t = beta * math.log(0.5 - abs(0.5 - apart)) - offset - one - two
    return 1 / (1 + math.exp(t))


@njit(error_model="numpy")
def _pair_probability(nodes: Any, i: int, j: int, beta: float, offset: float) -> float:
    apart = abs(nodes[i].x - nodes[j].x)
    return _probability(apart, nodes[i].weight, nodes[j].weight, beta, offset)


@njit(error_model="numpy")
def _split(cells: Any, stack: NDArray[np.int64], waiting: int, first: int, second: int) -> int:
    """Put the parts of a pair of cells on the stack; the number of pairs on it afterwards."""
    child = np.int64(cells[first].child)
    if first == second:
        stack[waiting] = child, child
        stack[waiting + 1] = child, child + 1
        stack[waiting + 2] = child + 1, child + 1
        return waiting + 3
    other = np.int64(cells[second].child)
    if other < 0 or (child >= 0 and cells[first].size > cells[second].size):
        stack[waiting] = child, second
        stack[waiting + 1] = child + 1, second
    else:
        stack[waiting] = first, other
        stack[waiting + 1] = first, other + 1
    return waiting + 2


@njit(error_model="numpy")
def _sum_blocks(
    nodes: Any, cells: Any, beta: float, log_c: float, relative: float, absolute: float
) -> tuple[float, float]:
    """Expected number of edges and its derivative with respect to log c.

    Args:
        nodes: of the tree.
        cells: of the tree.
        beta: inverse temperature.
        log_c: logarithm of c.
        relative: a block may err by this share of its own expected number of edges …
        absolute: … or by this number of edges for each node of its two cells.
    """
    b = max(1.0, beta)
    offset = b * log_c - beta * math.log(len(nodes))
    # Taylor coefficients of (1 + ε)^(−β).
    a2 = beta * (beta + 1) / 2
    a3 = a2 * (beta + 2) / 3
    a4 = a3 * (beta + 3) / 4
    a5 = a4 * (beta + 4) / 5
    a6 = a5 * (beta + 5) / 6
    closest = min(0.75, 1.5 / beta)
    edges = 0.0
    slope = 0.0
    stack = np.empty((256, 2), np.int64)
    stack[0] = 0
    waiting = 1
    while waiting:
        waiting -= 1
        first, second = stack[waiting]
        one = cells[first]
        two = cells[second]
        if first == second:
            if one.child >= 0:
                waiting = _split(cells, stack, waiting, first, second)
                continue
            for i in range(one.start, one.stop):
                for j in range(i + 1, one.stop):
                    p = _pair_probability(nodes, i, j, beta, offset)
                    edges += p
                    slope += p * (1 - p)
            continue
        pairs = (one.stop - one.start) * (two.stop - two.start)
        gap = one.centre - two.centre
        gap -= np.rint(gap)
        d = abs(gap)
        reach = one.reach + two.reach
        if reach < d * closest:
            # p = z/(1 + z) with z = c^b ω ω' (N d)^(−β): the mean of z over the block to fourth
            # order in the positions, then p to second order in z about it.
            m2 = (one.variance + two.variance) / d**2
            m3 = (one.third - two.third) / (gap * d**2)
            m4 = (one.fourth + two.fourth + 6 * one.variance * two.variance) / d**4
            odds_against = math.exp(beta * math.log(d) - offset - one.log_mean - two.log_mean)
            p = 1 / (1 + odds_against / (1 + a2 * m2 - a3 * m3 + a4 * m4))
            q = p * (1 - p)
            of_place = beta * beta * m2
            of_weight = one.spread + two.spread
            spread = of_weight + of_place
            if d + reach > 0.5:
                # The distance has its maximum inside the block; all that is known is its range.
                error = beta * reach / d
            else:
                error = m2**2 * (a5 * math.sqrt(m2) + 10 * a6 * m2)
            # The remainder of the expansion in z is at most p³ (1 − least p) E|z/z̄ − 1|³.
            skew = one.skew + two.skew + of_place * math.sqrt(of_place)
            skew += 6 * (one.spread * two.spread + of_weight * of_place)
            t = beta * math.log(min(d + reach, 0.5)) - offset - one.least - two.least
            error = pairs * (q * error + p**3 * skew / (1 + math.exp(-t)))
            nodes_of_both = one.stop - one.start + two.stop - two.start
            if error <= max(relative * pairs * p, absolute * nodes_of_both):
                edges += pairs * p * (1 - spread * q)
                slope += pairs * q * (1 + spread * (p * p - 2 * q))
                continue
        if pairs <= SMALL or (one.child < 0 and two.child < 0):
            for i in range(one.start, one.stop):
                for j in range(two.start, two.stop):
                    p = _pair_probability(nodes, i, j, beta, offset)
                    edges += p
                    slope += p * (1 - p)
            continue
        waiting = _split(cells, stack, waiting, first, second)
    return edges, b * slope


@njit(error_model="numpy")
def _bound(one: Any, two: Any, beta: float, offset: float) -> tuple[float, bool]:
    """Upper bound on p in a block, and whether the block may be drawn with it."""
    middle = 0.5 * (one.left + one.right) - 0.5 * (two.left + two.right)
    d = 0.5 - abs(0.5 - abs(middle))
    reach = 0.5 * (one.right - one.left) + 0.5 * (two.right - two.left)
    upper = 1.0
    if d > reach:
        t = beta * math.log(d - reach) - offset - one.most - two.most
        upper = 1 / (1 + math.exp(t))
    pairs = float(one.stop - one.start) * (two.stop - two.start)
    if pairs <= SMALL or pairs * upper <= FEW or (one.child < 0 and two.child < 0):
        return upper, True
    t = beta * math.log(min(d + reach, 0.5)) - offset - one.least - two.least
    return upper, upper * (1 + math.exp(t)) <= RATIO


@njit(error_model="numpy")
def _draw_blocks(
    nodes: Any,
    cells: Any,
    beta: float,
    log_c: float,
    rng: np.random.Generator,
    keys: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Edges (u, v), u < v, as u N + v, in no order; in `keys` where they fit into it."""
    n = np.int64(len(nodes))
    offset = max(1.0, beta) * log_c - beta * math.log(n)
    count = 0
    pairs_waiting = np.empty((TOGETHER, 2), np.int64)
    hurdles = np.empty(TOGETHER)  # an edge's probability has to exceed its hurdle
    full = 0
    stack = np.empty((256, 2), np.int64)
    stack[0] = 0
    waiting = 1
    while waiting:
        waiting -= 1
        first, second = stack[waiting]
        one = cells[first]
        two = cells[second]
        if first == second:
            upper, drawn = 1.0, one.child < 0
        else:
            upper, drawn = _bound(one, two, beta, offset)
        if not drawn:
            waiting = _split(cells, stack, waiting, first, second)
            continue
        skipping = upper < DENSE
        if not skipping:
            upper = 1.0
        per_log = 1 / math.log1p(-upper) if skipping else 0.0
        width = np.int64(two.stop - two.start)
        pairs = np.int64(one.stop - one.start) * width
        at = np.int64(-1)
        while True:
            skipped = math.log(1 - rng.random()) * per_log if skipping else 0.0
            if skipped >= pairs - at - 1:
                break
            at += 1 + np.int64(skipped)
            i = one.start + at // width
            j = two.start + at % width
            if first == second and i >= j:
                continue
            pairs_waiting[full] = i, j
            hurdles[full] = rng.random() * upper
            full += 1
            if full == TOGETHER:
                keys = _with_room(keys, count)
                count = _keep_edges(nodes, beta, offset, pairs_waiting, hurdles, keys, count)
                full = 0
    keys = _with_room(keys, count)
    count = _keep_edges(nodes, beta, offset, pairs_waiting[:full], hurdles, keys, count)
    return keys[:count]


@njit(error_model="numpy")
def _with_room(keys: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    if count + TOGETHER <= len(keys):
        return keys
    longer = np.empty(2 * len(keys) + TOGETHER, np.int64)
    longer[:count] = keys[:count]
    return longer


@njit(error_model="numpy")
def _keep_edges(
    nodes: Any,
    beta: float,
    offset: float,
    pairs: NDArray[np.int64],
    hurdles: NDArray[np.float64],
    keys: NDArray[np.int64],
    count: int,
) -> int:
    """Append those candidates that are edges to `keys`; their number afterwards."""
    n = np.int64(len(nodes))
    apart = np.empty(TOGETHER)
    weights = np.empty((TOGETHER, 2))
    names = np.empty((TOGETHER, 2), np.int64)
    for e in range(len(pairs)):
        one = nodes[pairs[e, 0]]
        two = nodes[pairs[e, 1]]
        apart[e] = abs(one.x - two.x)
        weights[e] = one.weight, two.weight
        names[e] = one.node, two.node
    for e in range(len(pairs)):
        if hurdles[e] < _probability(apart[e], weights[e, 0], weights[e, 1], beta, offset):
            u = min(names[e, 0], names[e, 1])
            keys[count] = u * n + max(names[e, 0], names[e, 1])
            count += 1
    return count
