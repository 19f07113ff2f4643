"""What trajectories say about the three functions, before any network is trained.

The vector field is linear in f and bilinear in h_ego and h_alt. With the three as cubic splines, a
handful of least-squares problems find them: first the slopes of the observed states (where even
the starting point comes from a linear problem, so there is no local minimum to be caught in), then
the trajectories themselves, through the linear equation that the error e of a trajectory follows,

    de/dt = J(x(t)) e + F(x(t)) − dx/dt,   e(0) = 0,

along the observed x(t). The mean square of e is the loss of Laber, Eliassi-Rad and Klein (2026,
arXiv:2602.08980) to second order around its minimum. What comes out is that minimum and its
curvature: a quadratic form in the values of the functions, in which networks are then trained
without touching the data again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nodeflow.neural_ode.estimated_from import Array, SlopeRows, SmoothData
from nodeflow.neural_ode.jacobian import Jacobian, jacobian
from nodeflow.neural_ode.splines import Splines

__all__ = ["Estimate", "estimates", "pull_towards", "root_of"]


_KEEPS = 0.02
"""How much all runs count in the curvature of an estimate for which some count otherwise."""

_COARSE = 6
"""Pieces of the splines that the first guess is made of."""

_STIFFNESS = 0.1
"""How strongly noise in the data, per its variance, keeps the splines' second differences small."""

_BOUNDED = 0.05
"""Trajectory error, in units of the states, up to which the error equation is trusted."""

_SLOPE_STEPS = 60
_STALLED = 4
"""Steps in a row that lower the loss of the slopes by less than 2 % and so end their fit."""

_TRAJECTORY_STEPS = 4
_EXACT = 1e-4
"""Trajectory error, in units of the states, at which a step that fails is no loss."""

_GOOD_ENOUGH = 1e-3
"""Root mean squared error of slopes, relative to them, from which trajectories take over."""


@dataclass(frozen=True)
class Estimate:
    """The three functions as the data have them, and how much each of their values matters.

    Attributes:
        points: (K,) states.
        values: (3, K) f, h_ego and h_alt there; h_ego and h_alt have the same root mean square
            over the observed states, and h_alt a positive mean.
        root: (3K, 3K) matrix L: networks with values v have a mean squared trajectory error of
            |Lᵀ (v − values)|² above the smallest one.
        floor: the smallest root mean squared trajectory error.
        size: root mean square of the observed states.
    """

    points: Array
    values: Array
    root: Array
    floor: float
    size: float


def estimates(
    groups: Sequence[tuple[Array, NDArray[np.floating]]],
    adjacency: NDArray[np.floating] | csr_array,
    *,
    knots: int,
    steps: int,
    ridge: float,
    weights: Sequence[Array | None] = (None,),
) -> list[Estimate]:
    """Estimate f, h_ego and h_alt from trajectories on one graph, for several weightings of them.

    Args:
        groups: times (T,) and observed states (M, T, n), noisy or not, of runs with the same times.
        adjacency: (n, n); a sparse one is never made full.
        knots: number of pieces of the splines.
        steps: time steps of the error equation.
        ridge: pulls networks towards the estimate where data say little: a relative error of 1 of
            a whole function counts like a trajectory error of `ridge` times the states.
        weights: (M, B) how often each of B blocks of time of each run counts, the runs of all
            groups one after the other; None counts everything once.
    """
    matrix = adjacency.astype(np.float64)
    data = SmoothData.of(groups, matrix, steps, knots)
    fit = _fit_trajectories(data, _fit_slopes(data, _first_guess(data)))
    counts = {w.shape[1] for w in weights if w is not None}
    parts = {count: _by_block(data, fit, count) for count in counts}
    by_weight = []
    for weight in weights:
        mine = fit if weight is None else _reweighted(data, parts[weight.shape[1]], weight)
        by_weight.append(_estimate(data, mine, ridge))
    return by_weight


@dataclass(frozen=True)
class _Fit:
    """Coefficients that minimize a mean squared trajectory error.

    Attributes:
        coefficients: (3P,) coefficients.
        curvature: (3P, 3P) of half of it, with the term that keeps splines smooth.
        error: its square root.
        rough: (3P, 3P) that term.
        piece: time steps after which errors start at 0 again.
    """

    coefficients: Array
    curvature: Array
    error: float
    rough: Array
    piece: int


def _estimate(data: SmoothData, fit: _Fit, ridge: float) -> Estimate:
    coefficients, scale = _balanced(data, fit.coefficients)
    curvature = fit.curvature / np.outer(scale, scale)
    points = data.splines.centres
    basis = data.splines.basis(points)
    values = coefficients.reshape(3, -1) @ basis.T
    to_coefficients = np.kron(np.eye(3), np.linalg.inv(basis))
    metric = to_coefficients.T @ curvature @ to_coefficients
    size = float(np.sqrt(np.square(data.x).mean()))
    metric += pull_towards(values, ridge, size)
    return Estimate(points, values, root_of(metric), fit.error, size)


def pull_towards(values: Array, ridge: float, size: float) -> Array:
    """The form (3K, 3K) by which a ridge pulls three functions towards values (3, K).

    Args:
        values: of the functions.
        ridge: see `estimates`.
        size: root mean square of the observed states.
    """
    # A function that is zero everywhere is pulled to zero in units of the largest.
    typical = np.sqrt(np.square(values).mean(1))
    typical = np.maximum(typical, 1e-3 * typical.max())
    pull = np.square(ridge * size / typical) / values.size
    return np.diag(np.repeat(pull, values.shape[1]))


def root_of(form: Array) -> Array:
    """A matrix L with L Lᵀ the given form, which rounding may have made slightly indefinite."""
    eigenvalues, vectors = np.linalg.eigh(form)
    return np.asarray(vectors * np.sqrt(np.maximum(eigenvalues, 0.0)))


def _first_guess(data: SmoothData) -> Array:
    """From a linear problem: Σ_ab C_ab φ_a(x_i) Σ_j A_ij φ_b(x_j), then C of rank 1."""
    breaks = np.quantile(data.x, np.linspace(0, 1, _COARSE + 1))
    breaks[[0, -1]] = data.splines.knots[[0, -1]]
    breaks = np.maximum.accumulate(
        breaks + 1e-9 * (breaks[-1] - breaks[0]) * np.arange(_COARSE + 1)
    )
    coarse = Splines.on(breaks)
    p = coarse.count
    thin = data.rows(coarse, 4)
    own, others = thin.phi.reshape(-1, p), thin.psi.reshape(-1, p)
    columns = np.concatenate([own, (own[:, :, None] * others[:, None]).reshape(len(own), -1)], 1)
    ridge = 1e-9 + 1e-3 * data.slope_noise**2 / max(float(np.square(thin.slope).mean()), 1e-30)
    solution = _solve(columns.T @ columns, columns.T @ thin.slope.ravel(), ridge)
    # The closest product of two functions, in the metric of the observed states.
    small = 1e-9 * np.eye(p)
    left = np.linalg.cholesky(own.T @ own / len(own) + small)
    right = np.linalg.cholesky(others.T @ others / len(own) + small)
    u, s, v = np.linalg.svd(left.T @ solution[p:].reshape(p, p) @ right)
    ego = np.linalg.solve(left.T, u[:, 0]) * np.sqrt(s[0])
    alter = np.linalg.solve(right.T, v[0]) * np.sqrt(s[0])
    at = data.splines.centres
    back = np.linalg.solve(data.splines.basis(at), coarse.basis(at))
    return np.concatenate([back @ solution[:p], back @ ego, back @ alter])


def _fit_slopes(data: SmoothData, coefficients: Array) -> Array:
    """Levenberg–Marquardt on the slopes.

    At all times: fast systems such as BD leave their initial states within a few of them, and on
    what is left f and the interaction could not be told apart.
    """
    rows = data.all_rows
    scale = max(float(np.square(rows.slope).mean()), 1e-30)
    rough = (1e-9 * scale + _STIFFNESS * data.slope_noise**2) * _roughness(data.splines.count)
    damping, stalled = 1e-6, 0

    def objective(c: Array) -> float:
        return float(np.square(rows.residual(c)).mean() + c @ rough @ c)

    loss = objective(coefficients)
    for _ in range(_SLOPE_STEPS):
        columns = rows.forcing(*rows.interaction(coefficients)).reshape(-1, len(coefficients))
        residual = rows.residual(coefficients).ravel()
        curvature = columns.T @ columns / len(residual) + rough
        gradient = columns.T @ residual / len(residual) + rough @ coefficients
        while damping < 1e3:
            trial = coefficients - _solve(curvature, gradient, damping)
            new = objective(trial)
            if new < loss:
                break
            damping *= 10
        else:
            break
        stalled = stalled + 1 if new > 0.98 * loss else 0
        loss, coefficients, damping = new, trial, damping / 10
        if stalled == _STALLED or loss < _GOOD_ENOUGH**2 * scale:
            break
    return coefficients


def _fit_trajectories(data: SmoothData, coefficients: Array) -> _Fit:
    """Gauss–Newton steps on the trajectories.

    Where noise makes the first functions so bad that errors explode over whole trajectories, these
    are cut into shorter and shorter pieces, each of which starts on the observed states.
    """
    size = np.square(data.x).mean()
    rough = (1e-14 * size + _STIFFNESS * data.state_noise**2) * _roughness(data.splines.count)
    best, piece = coefficients, data.x.shape[1]
    curvature, gradient, error = _error_equation(data, coefficients, piece)
    while not error < _BOUNDED * np.sqrt(size) and piece > 1:
        piece = (piece + 3) // 4
        curvature, gradient, error = _error_equation(data, coefficients, piece)
    damping = 1e-10
    for _ in range(_TRAJECTORY_STEPS):
        trial = best - _solve(curvature + rough, gradient + rough @ best, damping)
        new_curvature, new_gradient, new_error = _error_equation(data, trial, piece)
        if not new_error < error:
            if error < _EXACT * np.sqrt(size):
                break
            damping *= 1e3
            continue
        much = new_error < 0.5 * error
        best, curvature, gradient, error = trial, new_curvature, new_gradient, new_error
        if not much:
            break
    return _Fit(best, curvature + rough, error, rough, piece)


def _error_equation(
    data: SmoothData, coefficients: Array, piece: int
) -> tuple[Array, Array, float]:
    """Curvature and gradient of the mean squared trajectory error / 2, and its square root.

    Errors start at 0 every `piece` time steps.
    """
    count = len(coefficients)
    products = np.zeros((count + 1, count + 1))
    for runs, _, error in _errors(data, coefficients, piece):
        flat = (error * np.sqrt(data.weight[runs, None, None])).reshape(-1, count + 1)
        products += flat.T @ flat
    trajectories, times, n = data.x.shape
    return _normalized(products / (trajectories * n * (times - 1)))


def _normalized(products: Array) -> tuple[Array, Array, float]:
    return products[:-1, :-1], products[:-1, -1], float(np.sqrt(products[-1, -1]))


def _errors(
    data: SmoothData, coefficients: Array, piece: int
) -> Iterator[tuple[slice, int, Array]]:
    """The error equation: for blocks of runs and times 1, 2, …, the errors (m, n, 3P + 1).

    The first 3P columns are the error's derivatives by the coefficients, the last one is the error.
    The trapezoidal rule, because hubs of SIS and MAK are stiff.
    """
    _, times, n = data.x.shape
    f, ego, alter = coefficients.reshape(3, -1)
    for runs in data.blocks:
        half = 0.5 * data.step[runs, None, None]

        def at(q: int, runs: slice = runs) -> tuple[Jacobian, Array]:
            basis = data.basis_at(runs, q)
            rows = SlopeRows(basis.phi, basis.psi, data.slope[runs, q])
            h_ego, received = rows.interaction(coefficients)
            diagonal = basis.dphi @ f + (basis.dphi @ ego) * received
            forcing = np.concatenate(
                [rows.forcing(h_ego, received), rows.residual(coefficients)[..., None]], axis=-1
            )
            return jacobian(data.adjacency, h_ego, basis.dphi @ alter, diagonal), forcing

        error = np.zeros((runs.stop - runs.start, n, len(coefficients) + 1))
        before, forcing_before = at(0)
        for q in range(1, times):
            after, forcing = at(q)
            right = error + half * (before @ error + forcing_before + forcing)
            error = after.solve(half, right)
            yield runs, q, error
            before, forcing_before = after, forcing
            if q % piece == 0:
                error = np.zeros_like(error)


@dataclass(frozen=True)
class _Blocks:
    """A fit, and the products of its errors for each run and block of time, (M, B, …)."""

    fit: _Fit
    products: Array

    def total(self, data: SmoothData, weights: Array | float) -> tuple[Array, Array, float]:
        """Curvature, gradient and error, as of `_error_equation`, where blocks have weights."""
        shares = np.broadcast_to(weights * data.weight[:, None], self.products.shape[:2])
        steps = (data.x.shape[1] - 1) / shares.shape[1]
        total = np.tensordot(shares, self.products, axes=2)
        return _normalized(total / (shares.sum() * steps * data.x.shape[2]))


def _by_block(data: SmoothData, fit: _Fit, count: int) -> _Blocks:
    """The fit with blocks of all runs, after some more steps, which go on as long as they help."""
    blocks = _Blocks(fit, _products(data, fit, count))
    for _ in range(_TRAJECTORY_STEPS):
        curvature, gradient, error = blocks.total(data, 1.0)
        old = blocks.fit.coefficients
        gradient = gradient + fit.rough @ old
        coefficients = old - _along(curvature + fit.rough, gradient, old)
        trial = _Blocks(
            replace(fit, coefficients=coefficients),
            _products(data, replace(fit, coefficients=coefficients), count),
        )
        new = trial.total(data, 1.0)[2]
        if not new**2 + coefficients @ fit.rough @ coefficients < error**2 + old @ fit.rough @ old:
            break
        much = new < 0.98 * error
        blocks = trial
        if not much:
            break
    return blocks


def _products(data: SmoothData, fit: _Fit, count: int) -> Array:
    size = len(fit.coefficients) + 1
    products = np.zeros((len(data.x), count, size, size))
    for runs, q, error in _errors(data, fit.coefficients, fit.piece):
        block = (q - 1) * count // (data.x.shape[1] - 1)
        products[runs, block] += np.matmul(error.transpose(0, 2, 1), error)
    return products


def _reweighted(data: SmoothData, blocks: _Blocks, weights: Array) -> _Fit:
    """The fit with other weights of runs and blocks of time: one Gauss–Newton step away.

    The gradient is the difference from that of equal weights, for which the fit is the answer. What
    the runs that count say nothing about stays as it is for all runs.
    """
    fit = blocks.fit
    curvature, gradient, error = blocks.total(data, weights)
    whole, start, _ = blocks.total(data, 1.0)
    curvature = curvature + fit.rough + _KEEPS * whole
    # A change of a whole function by its own size counts like the error that there is anyway.
    typical = np.sqrt(np.square(fit.coefficients.reshape(3, -1)).mean(1))
    typical = np.maximum(typical, 1e-3 * typical.max())
    pull = np.diag(np.repeat(np.square(error / typical), len(start) // 3)) / len(start)
    coefficients = fit.coefficients - _along(curvature + pull, gradient - start, fit.coefficients)
    return replace(fit, coefficients=coefficients, curvature=curvature, error=error)


def _along(curvature: Array, gradient: Array, coefficients: Array) -> Array:
    """A Newton step, but not along c h_ego, h_alt / c, which change no velocity."""
    _, ego, alter = coefficients.reshape(3, -1)
    gauge = np.concatenate([0 * ego, ego, -alter])
    gauge /= max(float(np.linalg.norm(gauge)), 1e-300)
    pinned = curvature + np.trace(curvature) * np.outer(gauge, gauge)
    return _solve(pinned, gradient - gauge * (gauge @ gradient), 1e-10)


def _balanced(data: SmoothData, coefficients: Array) -> tuple[Array, Array]:
    """Coefficients and their factors such that h_ego and h_alt are of one size, h_alt positive."""
    _, ego, alter = coefficients.reshape(3, -1)
    phi = data.all_rows.phi
    h_ego, h_alt = phi @ ego, phi @ alter
    sizes = np.square(h_ego).mean(), np.square(h_alt).mean()
    factor = float((sizes[1] / max(sizes[0], 1e-300)) ** 0.25) or 1.0
    factor = -factor if h_alt.mean() < 0 else factor
    scale = np.ones(len(coefficients))
    scale[len(ego) : 2 * len(ego)], scale[2 * len(ego) :] = factor, 1.0 / factor
    return coefficients * scale, scale


def _solve(matrix: Array, right: Array, damping: float) -> Array:
    """Least squares from normal equations, damped relative to the mean of the diagonal."""
    damped = matrix + damping * np.trace(matrix) / len(matrix) * np.eye(len(matrix))
    step: Array = np.linalg.solve(damped, right)
    return step


def _roughness(count: int) -> Array:
    """The quadratic form of the squared second differences of each function's coefficients."""
    second = np.diff(np.eye(count), 2, axis=0)
    return np.asarray(np.kron(np.eye(3), second.T @ second), dtype=np.float64)
