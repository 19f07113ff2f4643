"""What laws cost, as a quadratic form in the vector v of a law (`basis`): |z − Z v|².

Z is computed once, from the weak form (integrals of the velocity over windows of time against the
changes of states) or along reference trajectories (`along`), and then a form costs milliseconds,
inner parameters included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.along import Along, Grid
from nodeflow.laws.basis import Basis
from nodeflow.laws.data import Group
from nodeflow.laws.form import Form

__all__ = ["Metric", "metric_along", "metric_weak"]

Array = NDArray[np.float64]

_WINDOW = 6
"""Pieces of time in a window of the weak form."""

_NEGLIGIBLE, _RANGE = 0.1, (1e-13, 1e-9)
"""A direction of v that changes the loss by less than so many variances of the noise is left out;
and bounds of its share in the whole.
"""


@dataclass(frozen=True, eq=False)
class Metric:
    """The loss of laws: `constant` + |root v − target|².

    Attributes:
        basis: in which v is.
        constant: smallest loss of any v.
        root: (R, C), rootᵀ root = matrix, but for directions that no loss tells apart.
        target: (R,), rootᵀ target = right.
    """

    basis: Basis
    constant: float
    root: Array
    target: Array

    @classmethod
    def of(cls, basis: Basis, matrix: Array, right: Array, total: float, noise: float) -> Metric:
        """From the products ZᵀZ, Zᵀz and zᵀz, and the noise of the observations."""
        scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
        least = np.clip(_NEGLIGIBLE * noise**2 / max(total, 1e-300), *_RANGE)
        kept = values > least * values[-1]
        sizes = np.sqrt(values[kept])
        root = (vectors[:, kept] * sizes).T * scale
        target = vectors[:, kept].T @ (right / scale) / sizes
        return cls(basis, max(total - float(target @ target), 0.0), root, target)

    @cached_property
    def _blocks(self) -> tuple[Array, Array, Array]:
        """`root` by columns of f, (R, K_f), and of products, (R, K_e, K_a) and (R, K_a, K_e)."""
        _, k_e, k_a = self.basis.counts
        own, products = np.split(self.root, [self.root.shape[1] - k_e * k_a], 1)
        by_ego = products.reshape(-1, k_e, k_a)
        return (
            np.ascontiguousarray(own), np.ascontiguousarray(by_ego),
            np.ascontiguousarray(by_ego.transpose(0, 2, 1)),
        )  # fmt: skip

    def residual(self, form: Form, parameters: Array) -> tuple[Array, Array]:
        """The vector root v − target of a law, and its derivatives by the parameters, (R, P)."""
        own, by_ego, by_alt = self._blocks
        residual, jacobian = -self.target, np.zeros((len(self.target), len(parameters)))
        if form.f:
            f, d_f = self.basis.function(form, "f", parameters)
            residual += own @ f
            jacobian[:, form.pieces["f"]] = own @ d_f.T
        if form.h_ego:
            ego, d_ego = self.basis.function(form, "h_ego", parameters)
            alt, d_alt = self.basis.function(form, "h_alt", parameters)
            # One function of the product at a time: no vector of all products is needed.
            with_alt = (by_ego.reshape(-1, len(alt)) @ alt).reshape(len(residual), -1)
            residual += with_alt @ ego
            jacobian[:, form.pieces["h_ego"]] = with_alt @ d_ego.T
            if len(d_alt):
                with_ego = (by_alt.reshape(-1, len(ego)) @ ego).reshape(len(residual), -1)
                jacobian[:, form.pieces["h_alt"]] = with_ego @ d_alt.T
        return residual, jacobian

    def without_f(self) -> Metric:
        """The metric of interactions, with the best f of the basis for each."""
        k = self.basis.counts[0]
        q, _ = np.linalg.qr(self.root[:, :k])
        complement = np.linalg.qr(q, mode="complete")[0][:, q.shape[1] :].T
        return Metric(
            self.basis, self.constant, complement @ self.root[:, k:], complement @ self.target
        )


def metric_weak(
    groups: Sequence[Group],
    grids: Sequence[Grid],
    paths: Sequence[Array],
    basis: Basis,
    noise: float,
) -> Metric:
    """The weak form: changes of smoothed states over windows against integrals of the velocity."""

    def windows(pieces: Array) -> Array:
        total = np.cumsum(np.concatenate([np.zeros_like(pieces[:1]), pieces]), 0)
        w = min(_WINDOW, len(pieces))
        return np.asarray(total[w :: max(w // 3, 1)] - total[: -w : max(w // 3, 1)])

    count = sum((basis.counts[0], basis.counts[1] * basis.counts[2]))
    matrix, right, total = np.zeros((count, count)), np.zeros(count), 0.0
    for group, grid, path in zip(groups, grids, paths, strict=True):
        for states in path:
            pieces = _pieces(basis, grid, group, states)
            z = windows(pieces).reshape(-1, count)
            y = windows(np.diff(states[grid.ends], axis=0)).ravel()
            matrix += z.T @ z
            right += z.T @ y
            total += float(y @ y)
    return Metric.of(basis, matrix, right, total, noise)


def metric_along(
    alongs: Sequence[Along], basis: Basis, form: Form, parameters: Array, noise: float
) -> Metric:
    """Trajectories, to first order around those of a reference law."""
    v = basis.vector(form, parameters)
    matrix, right, total = np.zeros((len(v), len(v))), np.zeros(len(v)), 0.0
    for along in alongs:
        residual = along.residual(along.model)
        for m in range(len(along.path)):
            one = slice(m, m + 1)
            pieces = _pieces(basis, along.grid, along.group, along.path[m])
            z = along.projected(along.responses(pieces[None], one), one)
            y = along.projected(residual[one], one)[:, 0]
            matrix += z.T @ z
            right += z.T @ y
            total += float(y @ y)
    # As if the reference were v itself: what the basis cannot say of it then cancels.
    total += float(2.0 * right @ v + v @ matrix @ v)
    return Metric.of(basis, matrix, right + matrix @ v, total, noise)


def _pieces(basis: Basis, grid: Grid, group: Group, states: Array) -> Array:
    """Integrals over pieces of all columns of one trajectory, (K, n, C)."""
    values = basis.values(states)
    f, ego, alt = (values[..., :count] for count in basis.counts)
    if basis.covariates:
        monomials = basis.monomials(states)
        scaled = [group.covariates[name][:, None] * monomials for name in basis.covariates]
        f = np.concatenate([f, *scaled], -1)
    q, n, k = alt.shape
    received = (group.adjacency @ alt.transpose(1, 0, 2).reshape(n, -1)).reshape(n, q, k)
    products = ego[..., None] * received.transpose(1, 0, 2)[:, :, None]
    columns = np.concatenate([f, products.reshape(q, n, -1)], -1)
    return np.asarray(grid.quadrature @ columns.reshape(q, -1)).reshape(-1, n, columns.shape[-1])
