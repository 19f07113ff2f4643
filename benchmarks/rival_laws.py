"""Rivals of `nodeflow.laws`, for bench_laws.py: sparse regressions on a library of 32 terms.

The library was written by someone who knows the five systems and holds all their terms; numbers
inside them are not fitted. That is the best case for library methods. Terms are eight functions of
the own state, and the same eight summed over neighbours, times 1, x_i or 1 − x_i.

`weak_subset`: weak form (bumps of 41 times), then the best of all subsets of at most four terms; of
the sizes the smallest whose residual is within 1 % of the best. `sindy`: slopes, then PySINDy's
sequentially thresholded least squares, the threshold by BIC.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse as sp
from scipy.integrate import solve_ivp
from scipy.signal import savgol_filter

__all__ = ["RIVALS", "errors_of"]

Array = NDArray[np.float64]
Coefficients = Array
Rival = Callable[[Array, Array, sp.csr_array, bool], Coefficients]

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "1": np.ones_like,
    "x": lambda x: x,
    "x^2": lambda x: x * np.abs(x),
    "x^3": lambda x: x**3,
    "sqrt(x)": lambda x: np.sign(x) * np.sqrt(np.abs(x)),
    "tanh(x)": np.tanh,
    "x/(1+x)": lambda x: x / (1.0 + np.abs(x)),
    "x^2/(1+x^2)": lambda x: x**2 / (1.0 + x**2),
}
EGOS: dict[str, Callable[[Array], Array]] = {
    "": np.ones_like,
    "x": lambda x: x,
    "(1-x)": lambda x: 1.0 - x,
}
NAMES = [*FUNCTIONS, *(f"{ego} S[{name}]" for ego in EGOS for name in FUNCTIONS)]

_WINDOW, _LARGEST, _SLACK = 41, 4, 1.01


def columns(x: Array, adjacency: sp.csr_array) -> Array:
    """All terms at states (…, n), (…, n, 32)."""
    own = [f(x) for f in FUNCTIONS.values()]
    flat = [y.reshape(-1, x.shape[-1]) for y in own]
    received = [np.asarray((adjacency @ y.T).T).reshape(x.shape) for y in flat]
    products = [ego(x) * s for ego in EGOS.values() for s in received]
    return np.stack([*own, *products], -1)


def weak_subset(times: Array, states: Array, adjacency: sp.csr_array, noisy: bool) -> Coefficients:
    """Coefficients of all terms, most of them 0.

    Args:
        times: (T,) evenly spaced.
        states: (M, T, n).
        adjacency: (n, n).
        noisy: states are smoothed first (Savitzky–Golay, 21 points, degree 3).
    """
    x = savgol_filter(states, 21, 3, axis=1) if noisy else states
    step, u = times[1] - times[0], np.linspace(-1, 1, _WINDOW)
    bump = (1 - u**2) ** 4
    slope = -8 * u * (1 - u**2) ** 3 / (step * (_WINDOW - 1) / 2)
    first = np.arange(0, len(times) - _WINDOW + 1, _WINDOW // 4)
    test, change = np.zeros((2, len(first), len(times)))
    for row, begin in enumerate(first):
        test[row, begin : begin + _WINDOW] = step * bump
        change[row, begin : begin + _WINDOW] = -step * slope
    z = np.concatenate(
        [np.tensordot(test, columns(y, adjacency), 1).reshape(-1, len(NAMES)) for y in x]
    )
    y = np.concatenate([(change @ one).ravel() for one in states])
    scale = np.sqrt(np.square(z).sum(0))
    gram, right, total = z.T @ z / np.outer(scale, scale), z.T @ y / scale, float(y @ y)
    best: list[tuple[float, tuple[int, ...], Array]] = []
    for size in range(1, _LARGEST + 1):
        index = np.array(list(combinations(range(len(NAMES)), size)))
        left = gram[index[:, :, None], index[:, None, :]] + 1e-12 * np.eye(size)
        solution = np.linalg.solve(left, right[index][..., None])[..., 0]
        loss = total - (solution * right[index]).sum(-1)
        row = int(np.argmin(loss))
        best.append((float(loss[row]), tuple(index[row]), solution[row]))
    least = min(loss for loss, _, _ in best)
    floor = 1e-10 * total
    _, chosen, solution = next(b for b in best if b[0] <= _SLACK**2 * max(least, floor))
    found = np.zeros(len(NAMES))
    found[list(chosen)] = solution / scale[list(chosen)]
    return found


def sindy(times: Array, states: Array, adjacency: sp.csr_array, noisy: bool) -> Coefficients:
    """As `weak_subset`, by PySINDy's optimizer (which has to be installed)."""
    from pysindy.optimizers import STLSQ

    step = times[1] - times[0]
    window, degree = (21, 3) if noisy else (5, 4)
    x = savgol_filter(states, window, degree, axis=1)
    slope = savgol_filter(states, window, degree, deriv=1, delta=step, axis=1)
    z, y = columns(x, adjacency).reshape(-1, len(NAMES)), slope.reshape(-1, 1)
    best: tuple[float, Array] | None = None
    for threshold in np.geomspace(1e-4, 1.0, 13):
        fitted = STLSQ(threshold=threshold, alpha=1e-8, normalize_columns=False).fit(z, y)
        found = np.asarray(fitted.coef_).ravel()
        left = float(np.square(y[:, 0] - z @ found).mean())
        score = len(y) * np.log(max(left, 1e-300)) + np.log(len(y)) * np.count_nonzero(found)
        if best is None or score < best[0]:
            best = score, found
    assert best is not None
    return best[1]


RIVALS: dict[str, Rival] = {"weak_subset": weak_subset, "sindy": sindy}


def errors_of(
    found: Coefficients, adjacency: sp.csr_array, initial: Array, times: Array, truth: Array
) -> float:
    """Mean absolute error of the trajectory from one initial state; infinite if it fails."""
    chosen = np.flatnonzero(found)
    weights = found[chosen]
    own = [(c, list(FUNCTIONS.values())[k]) for c, k in zip(weights, chosen, strict=True) if k < 8]
    pairs = [
        (c, list(EGOS.values())[(k - 8) // 8], list(FUNCTIONS.values())[(k - 8) % 8])
        for c, k in zip(weights, chosen, strict=True)
        if k >= 8
    ]
    limit = 100.0 * (1.0 + float(np.abs(truth).max()))

    def velocity(_: float, x: Array) -> Array:
        if not np.abs(x).max() < limit:
            raise FloatingPointError
        total = np.zeros_like(x)
        for c, f in own:
            total += c * f(x)
        for c, ego, alt in pairs:
            total += c * ego(x) * (adjacency @ alt(x))
        return total

    try:
        with np.errstate(over="ignore", invalid="ignore"):
            solved = solve_ivp(
                velocity, (times[0], times[-1]), initial, t_eval=times, rtol=1e-7, atol=1e-8
            )
    except FloatingPointError:
        return float("inf")
    if not solved.success or solved.y.shape[1] != len(times):
        return float("inf")
    return float(np.abs(solved.y.T - truth).mean())
