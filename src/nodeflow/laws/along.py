"""Errors of trajectories to first order along reference trajectories: what laws are fitted with.

Along a path x̂(t) of a reference law F₀, a law F = F₀ + δ has trajectories x̂ + e with

    de/dt = J(x̂(t)) e + δ(x̂(t)),   e(0) = δx(0).

So what a change of functions does to trajectories is linear in it, and integrals over pieces of
time of δ along the path (the weak form) are all that is needed of it. `Along` holds one path:
pieces of time, the Jacobian's parts, the observations' residuals reduced to values at the ends of
pieces, and initial states, which are unknowns, projected out of everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse as sp
from scipy.linalg import solve_triangular

from nodeflow.dynamics.systems import Field
from nodeflow.laws.data import Group

__all__ = ["Along", "Grid", "make_grid"]

Array = NDArray[np.float64]

_PIECES = 64
"""Pieces of time."""

_FINEST = 129
"""Times at which integrands are evaluated, at most."""

_DENSE = 256
"""Nodes up to which every initial state may change every node; beyond, only its own node."""


_ACCURATE = 1e-4
"""Ratio of diagonal elements from which on a Cholesky factor gives an orthonormal basis to 1e-8."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Pieces of time, for one group of trajectories.

    Attributes:
        at: (Q,) times at which integrands are evaluated.
        ends: (K + 1,) indices into `at`: ends of the pieces.
        knots: (B + 1,) indices into `ends`: at which errors are compared with observations.
        quadrature: (K, Q) sparse: integrals over the pieces.
        reduce: (B + 1, T): whitened values at the knots from values at the observed times.
        whiten: (B + 1, B + 1) upper triangular: the same, from values at the knots.
    """

    at: Array
    ends: NDArray[np.int64]
    knots: NDArray[np.int64]
    quadrature: sp.csr_array
    reduce: Array
    whiten: Array

    @property
    def lengths(self) -> Array:
        """Of the pieces, (K,)."""
        return np.diff(self.at[self.ends])


def make_grid(times: Array, states: Array) -> Grid:
    """Pieces that are short where states change fast.

    Args:
        times: (T,) observed times.
        states: (M, T, n) observed states, smoothed.
    """
    count = len(times)
    if count > _PIECES:
        chosen = _spread(times, states, np.arange(count), _PIECES)
        parts = max(1, -(-(2 * _PIECES) // (count - 1)))
        fine = np.arange(count) if count <= _FINEST else np.union1d(
            chosen, _spread(times, states, np.arange(count), _FINEST - _PIECES)
        )  # fmt: skip
        at = _divided(times[fine], parts)
        ends = np.searchsorted(fine, chosen) * parts
        knots = np.arange(len(ends))
        knot_times = times[chosen]
    else:
        parts = max(2, -(-(2 * _PIECES) // (count - 1)))
        parts += parts % 2
        at = _divided(times, parts)
        ends = np.arange(0, len(at), 2)
        knots = np.arange(0, len(ends), parts // 2)
        knot_times = times
    hats = _hats(times, knot_times)
    whiten = np.asarray(np.linalg.cholesky(hats.T @ hats).T, np.float64)
    reduce = solve_triangular(whiten.T, hats.T, lower=True)
    return Grid(at, ends, knots, _quadrature(at, ends), reduce, whiten)


def _divided(times: Array, parts: int) -> Array:
    """Every interval in so many equal parts."""
    shares = np.arange(parts) / parts
    inner = times[:-1, None] + np.diff(times)[:, None] * shares
    return np.append(inner.ravel(), times[-1])


def _spread(
    times: Array, states: Array, indices: NDArray[np.int64], pieces: int
) -> NDArray[np.int64]:
    """Indices of times that share out evenly both time and what happens in it."""
    change = np.abs(np.diff(states, axis=1)).mean((0, 2))
    share = np.diff(times) / (times[-1] - times[0]) + change / max(change.sum(), 1e-300)
    total = np.concatenate([[0.0], np.cumsum(share)])
    wanted = np.linspace(0, total[-1], pieces + 1)
    reached = np.unique(np.searchsorted(total, wanted - 1e-12))
    return np.union1d(reached, [0, len(indices) - 1])


def _hats(times: Array, knots: Array) -> Array:
    """Values of the piecewise linear functions on the knots at the times, (T, B + 1)."""
    place = np.clip(np.searchsorted(knots, times, side="right") - 1, 0, len(knots) - 2)
    share = (times - knots[place]) / (knots[place + 1] - knots[place])
    shares = np.zeros((len(times), len(knots)))
    rows = np.arange(len(times))
    shares[rows, place] = 1.0 - share
    shares[rows, place + 1] += share
    return shares


def _quadrature(at: Array, ends: NDArray[np.int64]) -> sp.csr_array:
    """Integrals over pieces, exact for polynomials of degree 3 in every interval."""
    count = len(at)
    width = min(4, count)
    weights = np.zeros((count - 1, count))
    for q in range(count - 1):
        first = min(max(q - 1, 0), count - width)
        length = at[q + 1] - at[q]
        nodes = (at[first : first + width] - at[q]) / length
        powers = np.vander(nodes, width, increasing=True).T
        weights[q, first : first + width] = length * np.linalg.solve(
            powers, 1.0 / np.arange(1, width + 1)
        )
    return sp.csr_array(np.add.reduceat(weights, ends[:-1], axis=0))


@dataclass(frozen=True, eq=False)
class Along:
    """Reference trajectories of one group and the linear equation of errors along them.

    Attributes:
        group: the observations.
        grid: pieces of time.
        path: (M, Q, n) reference states at the grid's times.
        model: (M, T, n) reference states at the observed times.
        adjacency: (n, n), dense for small graphs.
        gain: (M, K, n) growth of an error at its own node over half a piece.
        ego: (M, K, n) h_ego, times the length of the piece.
        alt: (M, K, n) derivative of h_alt.
        basis: orthonormal responses to initial states: (M, R, n) matrices, R = (B + 1) n rows, or
            for large graphs (M, B + 1, n), node by node.
        triangle: what turns coefficients of `basis` into initial states.
    """

    group: Group
    grid: Grid
    path: Array
    model: Array
    adjacency: Array | sp.csr_array
    gain: Array
    ego: Array
    alt: Array
    basis: Array
    triangle: Array

    @classmethod
    def of(cls, group: Group, grid: Grid, path: Array, model: Array, field: Field) -> Along:
        """Along given states, with the Jacobian of a field."""
        middle = (grid.ends[:-1] + grid.ends[1:]) // 2
        x = path[:, middle]
        lengths = grid.lengths[:, None]
        n = x.shape[2]
        adjacency = group.adjacency.toarray() if n <= 4 * _DENSE else group.adjacency
        received = _received(adjacency, field.h_alt(x))
        own = field.df(x) + field.dh_ego(x) * received
        own = np.clip(np.where(np.isfinite(own), own, 0.0), -50.0 / lengths, 2.0 / lengths)
        alt = field.dh_alt(x)
        alt = np.where(np.isfinite(alt), alt, 0.0)
        gain, ego = np.exp(0.5 * lengths * own), lengths * field.h_ego(x)
        bare = cls(group, grid, path, model, adjacency, gain, ego, alt, np.empty(0), np.empty(0))
        basis, triangle = bare._responses()
        return cls(
            group, grid, path, model, adjacency, bare.gain, bare.ego, bare.alt, basis, triangle
        )

    def _responses(self) -> tuple[Array, Array]:
        m, _, n = self.gain.shape
        if n > _DENSE:
            growth = np.cumprod(np.concatenate([np.ones((m, 1, n)), self.gain**2], 1), 1)
            rows = self._whitened(growth[..., None])[..., 0]
            size = np.sqrt(np.square(rows).sum(1))
            return rows / size[:, None], size
        start = np.broadcast_to(np.eye(n), (m, n, n))
        rows = self._whitened(self._propagate(start, None)).reshape(m, -1, n)
        return _orthonormal(rows)

    def _propagate(self, start: Array, pieces: Array | None) -> Array:
        """Errors at the ends of pieces, (M, K + 1, n, C), second order in the coupling."""
        errors = np.empty((start.shape[0], self.gain.shape[1] + 1, *start.shape[1:]))
        errors[:, 0] = e = np.array(start)
        gain, ego, alt = (x[..., None] for x in (self.gain, self.ego, self.alt))
        for k in range(self.gain.shape[1]):
            g, s, t = gain[:, k], ego[:, k], alt[:, k]
            half = g * e
            middle = half + 0.5 * s * _received_columns(self.adjacency, t * half)
            if pieces is not None:
                middle += 0.5 * pieces[:, k]
            pushed = half + s * _received_columns(self.adjacency, t * middle)
            if pieces is not None:
                pushed += pieces[:, k]
            errors[:, k + 1] = e = g * pushed
        return errors

    def _whitened(self, errors: Array) -> Array:
        """(M, K + 1, n, C) to (M, B + 1, n, C): least squares in these is that in observations."""
        at_knots = errors[:, self.grid.knots]
        m, b, n, c = at_knots.shape
        return (self.grid.whiten @ at_knots.reshape(m, b, n * c)).reshape(m, b, n, c)

    def shares(self, rows: Array) -> Array:
        """What initial states can do of rows (M, B + 1, n, C), by `basis`, (M, n, C)."""
        m, b, n, c = rows.shape
        if n > _DENSE:
            return np.asarray(np.einsum("mbn,mbnc->mnc", self.basis, rows))
        return np.asarray(self.basis.transpose(0, 2, 1) @ rows.reshape(m, b * n, c))

    def without(self, rows: Array, shares: Array) -> Array:
        """Rows without these shares, (rows, C)."""
        m, b, n, c = rows.shape
        if n > _DENSE:
            left = rows - self.basis[..., None] * shares[:, None]
        else:
            left = rows.reshape(m, b * n, c) - self.basis @ shares
        return np.asarray(left.reshape(-1, c))

    def integrals(self, forcing: Array) -> Array:
        """Integrals over pieces of a forcing (M, Q, n, C), (M, K, n, C)."""
        m, q, n, c = forcing.shape
        flat = forcing.reshape(m, q, n * c)
        return np.stack([self.grid.quadrature @ x for x in flat]).reshape(m, -1, n, c)

    def responses(self, pieces: Array, some: slice = slice(None)) -> Array:
        """Whitened trajectory errors from integrals of forcings (M, K, n, C), unprojected."""
        chosen = self.only(some)
        m, _, n, c = pieces.shape
        return chosen._whitened(chosen._propagate(np.zeros((m, n, c)), pieces))

    def projected(self, rows: Array, some: slice = slice(None)) -> Array:
        """Whitened rows with initial states eliminated, (rows, C)."""
        chosen = self.only(some)
        return chosen.without(rows, chosen.shares(rows))

    def only(self, some: slice) -> Along:
        """Some of the trajectories."""
        if some == slice(None):
            return self
        return Along(
            self.group.only(some), self.grid, self.path[some], self.model[some], self.adjacency,
            self.gain[some], self.ego[some], self.alt[some], self.basis[some], self.triangle[some],
        )  # fmt: skip

    def residual(self, states: Array) -> Array:
        """Observations minus states (M, T, n), whitened, (M, B + 1, n, 1)."""
        return np.asarray(self.grid.reduce @ (self.group.states - states))[..., None]

    def initial_change(self, shares: Array) -> Array:
        """The change of initial states that does what these shares (M, n) say, (M, n)."""
        if shares.shape[1] > _DENSE:
            return np.asarray(shares / self.triangle)
        return np.asarray(np.linalg.solve(self.triangle, shares[..., None])[..., 0], np.float64)

    def received(self, values: Array) -> Array:
        """Σ_j A_ij of values (…, n)."""
        return _received(self.adjacency, values)


def _orthonormal(rows: Array) -> tuple[Array, Array]:
    """Q R of matrices (M, R, n): by Cholesky's factor of their products where that is accurate."""
    products = rows.transpose(0, 2, 1) @ rows
    try:
        r = np.linalg.cholesky(products).transpose(0, 2, 1)
    except np.linalg.LinAlgError:
        return np.linalg.qr(rows)
    diagonal = np.abs(np.einsum("mii->mi", r))
    if diagonal.min() < _ACCURATE * diagonal.max():
        return np.linalg.qr(rows)
    return rows @ np.linalg.inv(r), np.ascontiguousarray(r)


def _received(adjacency: Array | sp.csr_array, values: Array) -> Array:
    flat = values.reshape(-1, values.shape[-1])
    return np.ascontiguousarray((adjacency @ flat.T).T).reshape(values.shape)


def _received_columns(adjacency: Array | sp.csr_array, values: Array) -> Array:
    if isinstance(adjacency, np.ndarray):
        return np.asarray(np.matmul(adjacency, values))
    return np.stack([adjacency @ x for x in values])
