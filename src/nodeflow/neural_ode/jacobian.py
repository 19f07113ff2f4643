"""Jacobians of the velocity along trajectories, and the implicit steps that they are needed for.

On small graphs a Jacobian is a full matrix for each run. On large ones it stays sparse, and systems
are solved by BiCGSTAB (van der Vorst, SIAM J. Sci. Stat. Comput. 13, 631, 1992) in compiled loops,
some right-hand sides at once: time and memory grow with edges and nodes, times right-hand sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nodeflow.compiled import njit

__all__ = ["Jacobian", "jacobian"]

Array = NDArray[np.float64]
Places = NDArray[np.int32]

_TOLERANCE = 1e-6
_STEPS = 50
"""Relative residual at which linear systems of large graphs are solved, and a limit of steps."""

_AT_ONCE = 2**18
"""Numbers of a linear system that are solved for together, unless one column has more."""

_COLUMNS = 16
"""Right-hand sides that are solved for together at least: a row of them is two lines of cache."""


class Jacobian(Protocol):
    """J of M runs on one graph of n nodes."""

    def __matmul__(self, x: Array) -> Array:
        """J x of matrices (M, n, c)."""

    def solve(self, half: Array, right: Array) -> Array:
        """The x with x − half J x = right, for half (M, 1, 1) and matrices `right` (M, n, c).

        NaN for a run whose system cannot be solved, so that no trust is put into it.
        """


def jacobian(adjacency: Array | csr_array, h_ego: Array, slope: Array, own: Array) -> Jacobian:
    """J = diag(own) + diag(h_ego) A diag(slope).

    Args:
        adjacency: (n, n); a sparse one is never made full.
        h_ego: (M, n); M is 1 where the adjacency is sparse.
        slope: (M, n), of h_alt.
        own: (M, n), what the velocity of a node changes by with its own state.
    """
    if isinstance(adjacency, np.ndarray):
        full = h_ego[:, :, None] * adjacency * slope[:, None, :]
        return _Full(full + own[:, :, None] * np.eye(len(adjacency)))
    rows = np.repeat(h_ego[0], np.diff(adjacency.indptr))
    entries = rows * adjacency.data * slope[0][adjacency.indices]
    across = csr_array((entries, adjacency.indices, adjacency.indptr), shape=adjacency.shape)
    return _Sparse(across, own[0, :, None])


@dataclass(frozen=True)
class _Full:
    """Every entry, (M, n, n)."""

    entries: Array

    def __matmul__(self, x: Array) -> Array:
        return np.asarray(self.entries @ x)

    def solve(self, half: Array, right: Array) -> Array:
        identity = np.eye(right.shape[1])
        return np.asarray(np.linalg.solve(identity - half * self.entries, right))


@dataclass(frozen=True)
class _Sparse:
    """Of one run: entries between nodes, and the diagonal (n, 1)."""

    across: csr_array
    own: Array

    def __matmul__(self, x: Array) -> Array:
        return np.asarray(self.own * x[0] + self.across @ x[0])[None]

    def solve(self, half: Array, right: Array) -> Array:
        [[[step]]] = half
        across, diagonal = self.across, 1.0 - step * self.own
        entries = across.data * np.repeat(step / diagonal[:, 0], np.diff(across.indptr))
        goal = right[0] / diagonal
        solution = np.empty_like(goal)
        width = max(_AT_ONCE // len(goal), _COLUMNS)
        for first in range(0, goal.shape[1], width):
            part = np.s_[:, first : first + width]
            columns = np.ascontiguousarray(goal[part])
            solution[part] = _solved(
                across.indptr, across.indices, entries, columns, _TOLERANCE, _STEPS
            )
        return np.asarray(solution)[None]


@njit(error_model="numpy")
def _times(indptr: Places, indices: Places, data: Array, x: Array, out: Array) -> None:
    """The product of a sparse matrix in rows and x, (n, c)."""
    n, c = x.shape
    for i in range(n):
        for k in range(c):
            out[i, k] = 0.0
        for e in range(indptr[i], indptr[i + 1]):
            j, a = indices[e], data[e]
            for k in range(c):
                out[i, k] += a * x[j, k]


@njit(error_model="numpy")
def _ratio(a: Array, b: Array) -> Array:
    """A / b, and 0 where b is 0: columns that are solved already."""
    ratio = np.zeros_like(a)
    for k in range(len(a)):
        if b[k] != 0.0:
            ratio[k] = a[k] / b[k]
    return ratio


@njit(error_model="numpy")
def _solved(
    indptr: Places, indices: Places, data: Array, goal: Array, tolerance: float, steps: int
) -> Array:
    """The x with x − B x = goal for a sparse B, every column by itself; NaN if none is found.

    Products and sums over nodes are made in one go wherever they follow each other: what it costs
    is to move the vectors through memory.
    """
    n, c = goal.shape
    x, r, v, t = goal.copy(), np.empty_like(goal), np.empty_like(goal), np.empty_like(goal)
    _times(indptr, indices, data, x, r)
    shadow, p = r.copy(), r.copy()
    left, enough = np.zeros(c), np.zeros(c)
    for i in range(n):
        for k in range(c):
            left[k] += r[i, k] * r[i, k]
            enough[k] += goal[i, k] * goal[i, k]
    enough *= tolerance * tolerance
    rho = left.copy()
    for _ in range(steps):
        if (left <= enough).all():
            return x
        if not np.isfinite(left).all():
            break
        _times(indptr, indices, data, p, v)
        along = np.zeros(c)
        for i in range(n):
            for k in range(c):
                v[i, k] = p[i, k] - v[i, k]
                along[k] += shadow[i, k] * v[i, k]
        alpha = _ratio(rho, along)
        for i in range(n):
            for k in range(c):
                r[i, k] -= alpha[k] * v[i, k]
        _times(indptr, indices, data, r, t)
        across, square = np.zeros(c), np.zeros(c)
        for i in range(n):
            for k in range(c):
                t[i, k] = r[i, k] - t[i, k]
                across[k] += t[i, k] * r[i, k]
                square[k] += t[i, k] * t[i, k]
        omega = _ratio(across, square)
        left, new = np.zeros(c), np.zeros(c)
        for i in range(n):
            for k in range(c):
                x[i, k] += alpha[k] * p[i, k] + omega[k] * r[i, k]
                r[i, k] -= omega[k] * t[i, k]
                left[k] += r[i, k] * r[i, k]
                new[k] += shadow[i, k] * r[i, k]
        beta = _ratio(new, rho) * _ratio(alpha, omega)
        for i in range(n):
            for k in range(c):
                p[i, k] = r[i, k] + beta[k] * (p[i, k] - omega[k] * v[i, k])
        rho = new
    return np.full_like(goal, np.nan)
