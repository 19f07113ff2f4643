"""The S¹ model: hidden degrees, positions on a ring, and the probability of an edge.

Nodes i = 0 … N−1 have a hidden degree κ_i and a position x_i on a ring of circumference 1. The
pair (i, j) at ring distance d is an edge, independently of all others, with probability

    p = 1 / (1 + (N d)^β / (c κ_i κ_j)^max(1, β)).

For β > 1 (cold) this is 1/(1 + (χ/c)^β) with χ = N d/(κ_i κ_j): edges are local, and triangles
survive at every N. For β < 1 (hot) it is 1/(1 + θ/c) with θ = (N d)^β/(κ_i κ_j): the ring matters
little. At β = 1 both are 1/(1 + N d/(c κ_i κ_j)), and with c calibrated at finite N nothing is
special about it: p is continuous in β there. Only the c of the infinite graph vanishes, like
1/ln N.

c is calibrated: given the drawn coordinates, it makes the expected mean degree exactly k̄
(`nodeflow.graphs.exact` and `nodeflow.graphs.geometric`). The c of the infinite graph is merely
where that search starts: at N = 64, β = 1.1, γ = 2.1 it gives a mean degree near 1, not 10.

Sources: Serrano, Krioukov, Boguñá, Phys. Rev. Lett. 100, 078701 (2008), for the model; van der
Kolk, Serrano, Boguñá, Commun. Phys. 5, 245 (2022), for β < 1; Laber, Eliassi-Rad, Klein 2026,
arXiv:2602.08980, for the ensemble of graphs with c calibrated.
"""

from __future__ import annotations

import math

import numpy as np
import scipy  # loads its parts when first used
from numpy.typing import ArrayLike, NDArray

from nodeflow.problems import Problem

__all__ = [
    "S1Problem",
    "asymptotic_c",
    "check_coordinates",
    "check_model",
    "draw_hidden_degrees",
    "draw_positions",
    "mean_over_ring",
]


class S1Problem(Problem):
    """Parameters or coordinates for which the S¹ model is not defined."""


def check_model(n: int, beta: float, gamma: float, mean_degree: float) -> None:
    """Check a cell's parameters.

    Raises:
        S1Problem: β ≤ 0, γ ≤ 2, k̄ outside (0, N − 1), N < 2, or not finite.
    """
    if n < 2:
        raise S1Problem(f"N = {n}: a graph of the S¹ model needs at least 2 nodes.")
    if not (math.isfinite(beta) and beta > 0):
        raise S1Problem(f"beta = {beta}: the inverse temperature must be finite and above 0.")
    if not (math.isfinite(gamma) and gamma > 2):
        raise S1Problem(
            f"gamma = {gamma}: the exponent must be finite and above 2, "
            "else hidden degrees have no mean."
        )
    if not (math.isfinite(mean_degree) and 0 < mean_degree < n - 1):
        raise S1Problem(
            f"mean degree = {mean_degree}: it must lie above 0 and below N - 1 = {n - 1}."
        )


def check_coordinates(kappa: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Check given coordinates.

    Raises:
        S1Problem: shapes differ, κ is not positive and finite, or x is not in [0, 1).
    """
    if kappa.shape != x.shape or kappa.ndim != 1 or len(kappa) < 2:
        raise S1Problem(
            f"kappa of shape {kappa.shape} and x of shape {x.shape}: give one value of each for "
            "each of at least 2 nodes."
        )
    for name, values, inside, allowed in (
        ("kappa", kappa, np.isfinite(kappa) & (kappa > 0), "be positive and finite"),
        ("x", x, (x >= 0) & (x < 1), "lie in [0, 1)"),
    ):
        if not inside.all():
            node = int(np.argmin(inside))
            raise S1Problem(f"{name} of node {node} is {values[node]}; it must {allowed}.")


def draw_hidden_degrees(
    n: int, gamma: float, mean_degree: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Hidden degrees κ, shape (n,): Pareto with density exponent γ and mean k̄, no upper cut-off.

    κ = κ₀ (1−u)^(1/(1−γ)) with κ₀ = k̄ (γ−2)/(γ−1) and u uniform on [0, 1).
    """
    least = mean_degree * (gamma - 2) / (gamma - 1)
    # numpy draws u from [0, 1), so 1 - u is never 0 and κ is never infinite.
    return least * (1 - rng.random(n)) ** (1 / (1 - gamma))


def draw_positions(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Positions x, shape (n,), uniform on the ring [0, 1)."""
    return rng.random(n)


def mean_over_ring(log_z: ArrayLike, beta: float) -> NDArray[np.float64]:
    """∫₀¹ dy/(1 + z y^β): an edge's probability at a random place, where 1/p = 1 + z y^β at y/2.

    So z is (N/2)^β / (c κ κ')^max(1, β). The integral is a hypergeometric function.
    """
    z = np.exp(np.clip(log_z, -50.0, 500.0))
    if beta == 1:
        return np.asarray(np.log1p(z) / z)
    return np.asarray(scipy.special.hyp2f1(1, 1 / beta, 1 + 1 / beta, -z))


def asymptotic_c(n: int, beta: float, mean_degree: float) -> float:
    """The c for which E[k | κ] → κ as N → ∞; the limit is slow near β = 1 and γ = 2.

    β > 1: sin(π/β)/(π/β)/(2 k̄); β < 1: (1−β)/(2^β k̄ N^(1−β)); β = 1: 1/(2 k̄ ln N).
    """
    if beta > 1:
        return math.sin(math.pi / beta) / (math.pi / beta) / (2 * mean_degree)
    if beta < 1:
        return float((1 - beta) / (2**beta * mean_degree * n ** (1 - beta)))
    return 1 / (2 * mean_degree * math.log(n))
