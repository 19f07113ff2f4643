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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodeflow.node.lookup import place_knots
from nodeflow.node.splines import Smoothed, Splines, smooth

__all__ = ["Estimate", "estimate_functions"]

Array = NDArray[np.float64]

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


def estimate_functions(
    times: Array,
    states: NDArray[np.floating],
    adjacency: NDArray[np.floating],
    *,
    knots: int,
    steps: int,
    ridge: float,
) -> Estimate:
    """Estimate f, h_ego and h_alt from trajectories on one graph.

    Args:
        times: (T,) observation times.
        states: (M, T, n) observed states, noisy or not.
        adjacency: (n, n).
        knots: number of pieces of the splines.
        steps: time steps of the error equation.
        ridge: pulls networks towards the estimate where data say little: a relative error of 1 of
            a whole function counts like a trajectory error of `ridge` times the states.
    """
    at = np.linspace(times[0], times[-1], steps + 1)
    data = _Data.of(smooth(times, states, at), adjacency.astype(np.float64), at, knots)
    found = _fit_slopes(data, _first_guess(data))
    found, curvature, error = _fit_trajectories(data, found)
    found, scale = _balanced(data, found)
    curvature /= np.outer(scale, scale)
    points = data.splines.centres
    basis = data.splines.basis(points)
    values = found.reshape(3, -1) @ basis.T
    to_coefficients = np.kron(np.eye(3), np.linalg.inv(basis))
    metric = to_coefficients.T @ curvature @ to_coefficients
    size = float(np.sqrt(np.square(data.x).mean()))
    # A function that is zero everywhere is pulled to zero in units of the largest.
    typical = np.sqrt(np.square(values).mean(1))
    typical = np.maximum(typical, 1e-3 * typical.max())
    pull = np.square(ridge * size / typical) / values.size
    metric += np.diag(np.repeat(pull, len(points)))
    eigenvalues, vectors = np.linalg.eigh(metric)
    root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    return Estimate(points, values, root, error, size)


@dataclass(frozen=True)
class _Data:
    """Observed states and what the basis functions are along them.

    Arrays have the axes trajectory m, time q, node i, basis function p.
    """

    splines: Splines
    adjacency: Array
    step: float
    x: Array
    slope: Array
    state_noise: float
    slope_noise: float
    phi: Array
    """Basis functions at the states."""
    dphi: Array
    """Their derivatives."""
    psi: Array
    """Sums of the basis functions over neighbours."""

    @classmethod
    def of(cls, data: Smoothed, adjacency: Array, at: Array, knots: int) -> _Data:
        splines = Splines.on(place_knots(data.states, knots + 1))
        phi = splines.basis(data.states)
        return cls(
            splines, adjacency, float(at[1] - at[0]), data.states, data.slopes,
            data.state_noise, data.slope_noise, phi, splines.slopes(data.states),
            np.matmul(adjacency, phi),
        )  # fmt: skip

    def thinned(self, every: int) -> _Data:
        """Every so many-th time only."""
        names = ("x", "slope", "phi", "dphi", "psi")
        kept = {name: getattr(self, name)[:, ::every] for name in names}
        return _Data(
            splines=self.splines, adjacency=self.adjacency, step=every * self.step,
            state_noise=self.state_noise, slope_noise=self.slope_noise, **kept,
        )  # fmt: skip

    def interaction(self, found: Array) -> tuple[Array, Array]:
        """h_ego, and the sum of h_alt over neighbours, at all states."""
        _, ego, alter = found.reshape(3, -1)
        return self.phi @ ego, self.psi @ alter

    def residual(self, found: Array) -> Array:
        """Velocity minus observed slope at all states."""
        h_ego, received = self.interaction(found)
        return self.phi @ found[: self.splines.count] + h_ego * received - self.slope

    def forcing(self, h_ego: Array, received: Array) -> Array:
        """Derivative of the velocity by the coefficients, (…, 3P)."""
        ego, alter = received[..., None] * self.phi, h_ego[..., None] * self.psi
        return np.concatenate([self.phi, ego, alter], -1)


def _first_guess(data: _Data) -> Array:
    """From a linear problem: Σ_ab C_ab φ_a(x_i) Σ_j A_ij φ_b(x_j), then C of rank 1."""
    thin = data.thinned(4)
    breaks = np.quantile(data.x, np.linspace(0, 1, _COARSE + 1))
    breaks[[0, -1]] = data.splines.knots[[0, -1]]
    breaks = np.maximum.accumulate(
        breaks + 1e-9 * (breaks[-1] - breaks[0]) * np.arange(_COARSE + 1)
    )
    coarse = Splines.on(breaks)
    p = coarse.count
    own = coarse.basis(thin.x)
    others = np.matmul(data.adjacency, own).reshape(-1, p)
    own = own.reshape(-1, p)
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


def _fit_slopes(data: _Data, found: Array) -> Array:
    """Levenberg–Marquardt on the slopes.

    At all times: fast systems such as BD leave their initial states within a few of them, and on
    what is left f and the interaction could not be told apart.
    """
    scale = max(float(np.square(data.slope).mean()), 1e-30)
    rough = (1e-9 * scale + _STIFFNESS * data.slope_noise**2) * _roughness(data.splines.count)
    damping, stalled = 1e-6, 0

    def objective(c: Array) -> float:
        return float(np.square(data.residual(c)).mean() + c @ rough @ c)

    loss = objective(found)
    for _ in range(_SLOPE_STEPS):
        columns = data.forcing(*data.interaction(found)).reshape(-1, len(found))
        residual = data.residual(found).ravel()
        curvature = columns.T @ columns / len(residual) + rough
        gradient = columns.T @ residual / len(residual) + rough @ found
        while damping < 1e3:
            trial = found - _solve(curvature, gradient, damping)
            new = objective(trial)
            if new < loss:
                break
            damping *= 10
        else:
            break
        stalled = stalled + 1 if new > 0.98 * loss else 0
        loss, found, damping = new, trial, damping / 10
        if stalled == _STALLED or loss < _GOOD_ENOUGH**2 * scale:
            break
    return found


def _fit_trajectories(data: _Data, found: Array) -> tuple[Array, Array, float]:
    """Gauss–Newton steps on the trajectories: coefficients, curvature and error at the best.

    Where noise makes the first functions so bad that errors explode over whole trajectories, these
    are cut into shorter and shorter pieces, each of which starts on the observed states.
    """
    size = np.square(data.x).mean()
    rough = (1e-14 * size + _STIFFNESS * data.state_noise**2) * _roughness(data.splines.count)
    best, piece = found, data.x.shape[1]
    curvature, gradient, error = _error_equation(data, found, piece)
    while not error < _BOUNDED * np.sqrt(size) and piece > 1:
        piece = (piece + 3) // 4
        curvature, gradient, error = _error_equation(data, found, piece)
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
    return best, curvature + rough, error


def _error_equation(data: _Data, found: Array, piece: int) -> tuple[Array, Array, float]:
    """Curvature and gradient of the mean squared trajectory error / 2, and its square root.

    The trapezoidal rule, because hubs of SIS and MAK are stiff. Errors start at 0 every `piece`
    time steps.
    """
    trajectories, times, n = data.x.shape
    count = len(found)
    f, ego, alter = found.reshape(3, -1)
    h_ego, received = data.interaction(found)
    forcing = np.concatenate(
        [data.forcing(h_ego, received), data.residual(found)[..., None]], axis=-1
    )
    own = data.dphi @ f + (data.dphi @ ego) * received
    slope = data.dphi @ alter
    identity = np.eye(n)
    half = 0.5 * data.step

    def jacobian(q: int) -> Array:
        across = h_ego[:, q, :, None] * data.adjacency * slope[:, q, None, :]
        found_here: Array = across + own[:, q, :, None] * identity
        return found_here

    error = np.zeros((trajectories, n, count + 1))
    products = np.zeros((count + 1, count + 1))
    before = jacobian(0)
    for q in range(1, times):
        after = jacobian(q)
        right = error + half * (before @ error + forcing[:, q - 1] + forcing[:, q])
        error = np.linalg.solve(identity - half * after, right)
        flat = error.reshape(-1, count + 1)
        products += flat.T @ flat
        before = after
        if q % piece == 0:
            error = np.zeros_like(error)
    products /= trajectories * n * (times - 1)
    return products[:count, :count], products[:count, count], float(np.sqrt(products[-1, -1]))


def _balanced(data: _Data, found: Array) -> tuple[Array, Array]:
    """Coefficients and their factors such that h_ego and h_alt are of one size, h_alt positive."""
    _, ego, alter = found.reshape(3, -1)
    h_ego, h_alt = data.phi @ ego, data.phi @ alter
    sizes = np.square(h_ego).mean(), np.square(h_alt).mean()
    factor = float((sizes[1] / max(sizes[0], 1e-300)) ** 0.25) or 1.0
    factor = -factor if h_alt.mean() < 0 else factor
    scale = np.ones(len(found))
    scale[len(ego) : 2 * len(ego)], scale[2 * len(ego) :] = factor, 1.0 / factor
    return found * scale, scale


def _solve(matrix: Array, right: Array, damping: float) -> Array:
    """Least squares from normal equations, damped relative to the mean of the diagonal."""
    damped = matrix + damping * np.trace(matrix) / len(matrix) * np.eye(len(matrix))
    found: Array = np.linalg.solve(damped, right)
    return found


def _roughness(count: int) -> Array:
    """The quadratic form of the squared second differences of each function's coefficients."""
    second = np.diff(np.eye(count), 2, axis=0)
    return np.asarray(np.kron(np.eye(3), second.T @ second), dtype=np.float64)
