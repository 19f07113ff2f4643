"""The S¹ model pair by pair, in O(N²): the reference for `nodeflow.graphs.geometric`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit
from nodeflow.graphs.calibration import first_c, solve_c
from nodeflow.graphs.s1 import check_coordinates

__all__ = ["calibrate_exactly", "draw_exactly", "exact_mean_degree"]

TOLERANCE = 1e-9
"""Relative error of the expected mean degree after calibration."""


def exact_mean_degree(
    kappa: NDArray[np.float64], x: NDArray[np.float64], beta: float, c: float
) -> tuple[float, float]:
    """Expected mean degree 2 Σ_{i<j} p_ij / N and its derivative with respect to log c.

    Args:
        kappa: hidden degrees, shape (N,).
        x: positions, shape (N,).
        beta: inverse temperature.
        c: the model's constant.
    """
    edges, slope = _sum_over_pairs(np.log(kappa), x, beta, math.log(c))
    return 2 * edges / len(x), 2 * slope / len(x)


def calibrate_exactly(
    kappa: NDArray[np.float64], x: NDArray[np.float64], beta: float, mean_degree: float
) -> float:
    """The c for which the expected mean degree of these coordinates is k̄.

    Raises:
        S1Problem: coordinates outside the model, k̄ out of reach, or no convergence.
    """
    check_coordinates(kappa, x)
    return solve_c(
        lambda c, _: exact_mean_degree(kappa, x, beta, c),
        start=first_c(np.log(kappa), beta, mean_degree),
        n=len(x),
        mean_degree=mean_degree,
        tolerance=TOLERANCE,
        coarse=TOLERANCE / 2,
    )


def draw_exactly(
    kappa: NDArray[np.float64],
    x: NDArray[np.float64],
    beta: float,
    c: float,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Edges of one graph, shape (M, 2), sorted: one Bernoulli draw for each pair of nodes."""
    return _draw_pairs(np.log(kappa), x, beta, math.log(c), rng)


@njit(error_model="numpy")
def _sum_over_pairs(
    log_kappa: NDArray[np.float64], x: NDArray[np.float64], beta: float, log_c: float
) -> tuple[float, float]:
    n = len(x)
    b = max(1.0, beta)
    edges = 0.0
    slope = 0.0
    for i in range(n):
        row = 0.0
        row_slope = 0.0
        for j in range(i + 1, n):
            d = 0.5 - abs(0.5 - abs(x[i] - x[j]))
            t = beta * math.log(n * d) - b * (log_c + log_kappa[i] + log_kappa[j])
            p = 1 / (1 + math.exp(t))
            row += p
            row_slope += p * (1 - p)
        edges += row
        slope += row_slope
    return edges, b * slope


@njit(error_model="numpy")
def _draw_pairs(
    log_kappa: NDArray[np.float64],
    x: NDArray[np.float64],
    beta: float,
    log_c: float,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    n = len(x)
    b = max(1.0, beta)
    edges = np.empty((8 * n, 2), np.int32)
    count = 0
    for i in range(n):
        for j in range(i + 1, n):
            d = 0.5 - abs(0.5 - abs(x[i] - x[j]))
            t = beta * math.log(n * d) - b * (log_c + log_kappa[i] + log_kappa[j])
            if rng.random() * (1 + math.exp(t)) < 1:
                if count == len(edges):
                    longer = np.empty((2 * count, 2), np.int32)
                    longer[:count] = edges
                    edges = longer
                edges[count, 0] = i
                edges[count, 1] = j
                count += 1
    return edges[:count].copy()
