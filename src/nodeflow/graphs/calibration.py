"""The search for the constant c that gives the expected mean degree."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nodeflow.graphs.s1 import S1Problem, asymptotic_c, mean_over_ring

__all__ = ["first_c", "solve_c"]

MOST_STEPS = 100
SMALL, LARGE, HUGE = 300, 5000, 50_000

ExpectedMeanDegree = Callable[[float, float], tuple[float, float]]


STEP, STEPS = 0.05, 300
"""Distance in log κ, and in log c, of the points of a first estimate; how many values of c."""


def first_c(log_kappa: NDArray[np.float64], beta: float, mean_degree: float) -> float:
    """The c that gives the mean degree k̄ on average over positions, in O(N).

    With hidden degrees rounded to points, a pair's probability depends on the sum of two whole
    numbers, and so does that of another c.

    Args:
        log_kappa: log κ, shape (N,).
        beta: inverse temperature.
        mean_degree: k̄.

    Raises:
        S1Problem: k̄ is out of reach.
    """
    n = len(log_kappa)
    if not 0 < mean_degree < n - 1:
        raise S1Problem(
            f"No c gives a mean degree of {mean_degree}: it must lie above 0 and below "
            f"N - 1 = {n - 1}."
        )
    least = float(log_kappa.min())
    counts = np.bincount(np.rint((log_kappa - least) / STEP).astype(np.int64))
    pairs = np.convolve(counts, counts)  # ordered pairs by the sum of their points …
    pairs[::2] -= counts  # … of different nodes
    # Only c κ κ' matters: the c of the infinite graph is that of hidden degrees with mean k̄.
    mean_kappa = float(np.exp(log_kappa).mean())
    middle = math.log(asymptotic_c(n, beta, mean_degree)) + 2 * math.log(mean_degree / mean_kappa)
    log_c = middle + STEP * (np.arange(STEPS) - STEPS // 3)
    steps = log_c[0] + 2 * least + STEP * np.arange(len(pairs) + STEPS - 1)
    p = mean_over_ring(beta * math.log(n / 2) - max(1.0, beta) * steps, beta)
    expected = np.correlate(p, pairs, mode="valid") / n
    return float(np.exp(np.interp(math.log(mean_degree), np.log(expected), log_c)))


def solve_c(
    expected: ExpectedMeanDegree,
    *,
    start: float,
    n: int,
    mean_degree: float,
    tolerance: float,
    coarse: float,
) -> float:
    """Newton's method on log c for logit(k(c)/(N−1)) = logit(k̄/(N−1)), kept within a bracket.

    The logit makes the curve nearly straight from sparse to complete graphs. A step from a
    relative error e ends at one of C e², so with many nodes the last step needs no evaluation
    after it: C is 1/(1 − k̄/(N−1)), as a relative error of k̄ is that part of an error of the
    logit. Of the error that an evaluation of a large graph may make, its many blocks leave less
    than a third, as their errors cancel (tested). The few pairs of a small graph make a staircase
    on which that says little, and
    averages over cells of pairs say little too; there all evaluations are exact, and so is the
    last one, at c itself.

    Args:
        expected: from c and the relative error that it may make: expected mean degree, and its
            derivative with respect to log c.
        start: where the search starts, from `first_c`.
        n: number of nodes N.
        mean_degree: k̄.
        tolerance: relative error of the mean degree at the returned c.
        coarse: relative error that is good enough while k(c) is still far from k̄.

    Raises:
        S1Problem: the search does not converge.
    """
    log_c = math.log(start)
    target = _logit(mean_degree / (n - 1))
    low, high = -math.inf, math.inf
    small = n < SMALL
    finest = tolerance / 4 if n < LARGE else tolerance
    bend = 1 / (1 - mean_degree / (n - 1))
    # The start errs by about 0.4/√N where positions are uniform.
    error = 0.0 if n >= HUGE else math.inf
    for _ in range(MOST_STEPS):
        precision = 0.0 if small else coarse if error > 0.03 else finest
        degree, slope = expected(math.exp(log_c), precision)
        error = abs(degree / mean_degree - 1)
        if small and error <= tolerance:
            return math.exp(log_c)
        if error > 10 * precision:
            low, high = (log_c, high) if degree < mean_degree else (low, log_c)
        share = degree / (n - 1)
        step = math.nan
        if 0 < share < 1 and slope > 0:
            step = (target - _logit(share)) * degree * (1 - share) / slope
        if not (abs(step) <= LONGEST_STEP and low < log_c + step < high):
            step = _safe_step(log_c, low, high)
        log_c += step
        if not small and bend * error**2 <= tolerance / 2 and precision <= finest:
            return math.exp(log_c)
    raise S1Problem(
        f"c did not converge for N = {n}, mean degree = {mean_degree}: "
        "hidden degrees may be extreme, or many nodes may share a position."
    )


LONGEST_STEP = 4.0


def _safe_step(log_c: float, low: float, high: float) -> float:
    if math.isinf(high):
        return LONGEST_STEP
    if math.isinf(low):
        return -LONGEST_STEP
    return (low + high) / 2 - log_c


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
