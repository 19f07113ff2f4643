"""Rivals of `nodeflow.laws`, for bench_laws.py: each makes a right-hand side of the same data.

Library methods choose from 32 terms that were written down by someone who knows the five systems
and hold all their terms; numbers inside them are not fitted. That is the best case for such
methods. Terms are eight functions of the own state, and the same eight summed over neighbours,
times 1, x_i or 1 − x_i.

`weak_subset`: weak form (bumps of 41 times), then the best of all subsets of at most four terms; of
the sizes the smallest whose residual is within 1 % of the best. `sindy`: slopes, then PySINDy's
sequentially thresholded least squares of the 24 independent terms, the threshold by BIC.
`two_phase`: two-phase inference after Gao and Yan (Nature Computational Science 2022): an
L1-penalized regression on slopes keeps ten terms, then they are dropped in the order of their
importance while an information criterion does not rise by much, on twenty samples of ten nodes; the
terms are those of the majority. `operon`: genetic programming (pyoperon) of the slope from x, the
degree, Σ_j A_ij x_j and Σ_j A_ij x_j²; `operon_informed` has also the sums of √x, tanh x and
x²/(1 + x²), which hold the truth.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy import sparse as sp
from scipy.integrate import solve_ivp
from scipy.signal import savgol_filter

__all__ = ["RIVALS", "TRUE_TERMS", "Found", "error_of"]

Array = NDArray[np.float64]
Velocity = Callable[[Array, sp.csr_array], Array]

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
    "x ": lambda x: x,
    "(1-x) ": lambda x: 1.0 - x,
}
NAMES = [*FUNCTIONS, *(f"{ego}S[{name}]" for ego in EGOS for name in FUNCTIONS)]

TRUE_TERMS: Mapping[str, frozenset[str]] = MappingProxyType({
    "SIS": frozenset({"x", "S[x]", "x S[x]"}),
    "MAK": frozenset({"1", "x", "x S[x]"}),
    "MM": frozenset({"x", "S[x^2/(1+x^2)]"}),
    "BD": frozenset({"x^2", "S[sqrt(x)]"}),
    "ND": frozenset({"x", "tanh(x)", "S[tanh(x)]"}),
})  # fmt: skip
"""The terms of the five systems, those with 1 − x taken apart."""

_WINDOW, _LARGEST, _SLACK = 41, 4, 1.01
_KEPT, _SAMPLES, _NODES, _RISE, _EVERY = 10, 20, 10, 0.1, 12
_EVALUATIONS, _ROWS = 200_000, 4_000


@dataclass(frozen=True)
class Found:
    """What a rival found.

    Attributes:
        velocity: dx/dt of states (n,) on a network (n, n).
        text: its formula.
        terms: its terms, named as in the library, those with 1 − x taken apart.
    """

    velocity: Velocity
    text: str
    terms: frozenset[str]


def columns(x: Array, adjacency: sp.csr_array) -> Array:
    """All terms at states (…, n), (…, n, 32)."""
    own = [f(x) for f in FUNCTIONS.values()]
    received = [_received(y, adjacency) for y in own]
    products = [ego(x) * s for ego in EGOS.values() for s in received]
    return np.stack([*own, *products], -1)


def _received(values: Array, adjacency: sp.csr_array) -> Array:
    flat = values.reshape(-1, values.shape[-1])
    return np.asarray((adjacency @ flat.T).T).reshape(values.shape)


def _of_library(coefficients: Array) -> Found:
    """A sum of terms of the library."""
    chosen = np.flatnonzero(coefficients)
    own = [(coefficients[k], list(FUNCTIONS.values())[k]) for k in chosen if k < len(FUNCTIONS)]
    summed: dict[str, list[tuple[float, Callable[[Array], Array]]]] = {}
    apart: Counter[str] = Counter()
    for k in chosen:
        c = float(coefficients[k])
        if k < len(FUNCTIONS):
            apart[NAMES[k]] += c
            continue
        ego, alt = divmod(int(k) - len(FUNCTIONS), len(FUNCTIONS))
        summed.setdefault(list(EGOS)[ego], []).append((c, list(FUNCTIONS.values())[alt]))
        name = f"S[{list(FUNCTIONS)[alt]}]"
        if ego != 1:
            apart[name] += c
        if ego > 0:
            apart[f"x {name}"] += c if ego == 1 else -c
    largest = max((abs(c) for c in apart.values()), default=0.0)

    def velocity(x: Array, adjacency: sp.csr_array) -> Array:
        total = np.zeros_like(x)
        for c, f in own:
            total += c * f(x)
        for name, terms in summed.items():
            total += EGOS[name](x) * (adjacency @ sum(c * alt(x) for c, alt in terms))
        return total

    return Found(
        velocity, " + ".join(f"{coefficients[k]:.4g} {NAMES[k]}" for k in chosen),
        frozenset(name for name, c in apart.items() if abs(c) > 1e-6 * largest),
    )  # fmt: skip


def _slopes(times: Array, states: Array, noisy: bool) -> tuple[Array, Array]:
    """Smoothed states and their slopes (Savitzky–Golay; 21 points where there is noise)."""
    window, degree = (21, 3) if noisy else (5, 4)
    step = times[1] - times[0]
    return (
        savgol_filter(states, window, degree, axis=1),
        savgol_filter(states, window, degree, deriv=1, delta=step, axis=1),
    )


def weak_subset(times: Array, states: Array, adjacency: sp.csr_array, noisy: bool) -> Found:
    """The best subset in the weak form.

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
    return _of_library(found)


def sindy(times: Array, states: Array, adjacency: sp.csr_array, noisy: bool) -> Found:
    """By PySINDy's optimizer (which has to be installed); arguments as of `weak_subset`."""
    from pysindy.optimizers import STLSQ

    x, slope = _slopes(times, states, noisy)
    # Products with 1 − x are sums of the others: with them, rounding decides what is dropped.
    some = 3 * len(FUNCTIONS)
    z, y = columns(x, adjacency)[..., :some].reshape(-1, some), slope.ravel()
    # Least squares of z are those of its triangle, up to a residual that no coefficient changes.
    across, triangle = np.linalg.qr(z)
    target = across.T @ y
    rest = float(np.square(y - across @ target).sum())
    best: tuple[float, Array] | None = None
    for threshold in np.geomspace(1e-4, 1.0, 13):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            machine = STLSQ(threshold=threshold, alpha=1e-8, normalize_columns=False)
            found = np.asarray(machine.fit(triangle, target[:, None]).coef_).ravel()
        left = (rest + float(np.square(target - triangle @ found).sum())) / len(y)
        score = len(y) * np.log(max(left, 1e-300)) + np.log(len(y)) * np.count_nonzero(found)
        if best is None or score < best[0]:
            best = score, found
    assert best is not None
    return _of_library(best[1])


def two_phase(times: Array, states: Array, adjacency: sp.csr_array, noisy: bool) -> Found:
    """Two-phase inference; arguments as of `weak_subset`."""
    from sklearn.linear_model import LassoCV

    def lasso(z: Array, y: Array) -> tuple[Array, float]:
        """Coefficients with the penalty that five folds choose, and the criterion of Akaike."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = LassoCV(alphas=30, cv=5, fit_intercept=False, max_iter=1_000).fit(z, y)
        left = float(np.square(y - z @ fitted.coef_).mean())
        return np.asarray(fitted.coef_), len(y) * np.log(max(left, 1e-300)) + 2 * z.shape[1]

    x, slope = _slopes(times, states, noisy)
    x, slope = x[:, ::_EVERY], slope[:, ::_EVERY]
    z, y = columns(x, adjacency), slope
    size_z, size_y = np.abs(z).mean((0, 1, 2)), np.abs(y).mean()
    z, y = z / size_z, y / size_y
    count = len(NAMES)
    first, _ = lasso(z.reshape(-1, count), y.ravel())
    kept = np.sort(np.argsort(-np.abs(first))[:_KEPT])
    kept = kept[first[kept] != 0]
    generator = np.random.default_rng(0)
    results = np.zeros((_SAMPLES, count))
    for sample in range(_SAMPLES):
        nodes = generator.choice(y.shape[-1], min(_NODES, y.shape[-1]), replace=False)
        some, target = z[:, :, nodes].reshape(-1, count), y[:, :, nodes].ravel()
        without = [lasso(some[:, np.delete(kept, i)], target)[1] for i in range(len(kept))]
        # Those come last without which the criterion gets worse the most.
        ordered = kept[np.argsort(without)]
        path = []
        for gone in range(len(kept)):
            coefficients, criterion = lasso(some[:, ordered[gone:]], target)
            path.append((criterion, ordered[gone:], coefficients))
        criteria = np.array([x[0] for x in path])
        spread = max(np.ptp(criteria), 1e-300)
        stop = 0
        while stop + 1 < len(path) and criteria[stop + 1] - criteria[stop] <= _RISE * spread:
            stop += 1
        results[sample, path[stop][1]] = path[stop][2]
    often = (results != 0).mean(0) > 0.5
    found = np.zeros(count)
    for k in np.flatnonzero(often):
        found[k] = np.median(results[results[:, k] != 0, k])
    return _of_library(found * size_y / size_z)


def _inputs(x: Array, adjacency: sp.csr_array, informed: bool) -> Array:
    """What symbolic regression sees of states (…, n), (…, n, inputs)."""
    names = ["1", "x", "x^2", *(["sqrt(x)", "tanh(x)", "x^2/(1+x^2)"] if informed else [])]
    return np.stack([x, *(_received(FUNCTIONS[name](x), adjacency) for name in names)], -1)


def _terms_of(formula: str) -> frozenset[str]:
    """Terms of a formula of `_inputs`, by their names in the library where they have one."""
    x, _, *sums = sympy.symbols("X1:8")
    known = {sympy.Integer(1): "1", x: "x", x**2: "x^2", sympy.tanh(x): "tanh(x)"}
    for symbol, of in zip(sums, ("x", "x^2", "sqrt(x)", "tanh(x)", "x^2/(1+x^2)"), strict=True):
        known |= {symbol: f"S[{of}]", x * symbol: f"x S[{of}]"}
    found = sympy.expand(sympy.sympify(formula.replace("^", "**"))).as_coefficients_dict()
    largest = max((abs(float(c)) for c in found.values()), default=0.0)
    return frozenset(
        known.get(term, str(term)) for term, c in found.items() if abs(float(c)) > 1e-6 * largest
    )


def _operon(informed: bool) -> Callable[[Array, Array, sp.csr_array, bool], Found]:
    def symbolic(times: Array, states: Array, adjacency: sp.csr_array, noisy: bool) -> Found:
        """Symbolic regression on slopes by pyoperon; arguments as of `weak_subset`."""
        from pyoperon.sklearn import SymbolicRegressor

        x, slope = _slopes(times, states, noisy)
        z = _inputs(x, adjacency, informed)
        z, y = z.reshape(-1, z.shape[-1]), slope.ravel()
        rows = np.random.default_rng(0).choice(len(y), min(_ROWS, len(y)), replace=False)
        machine = SymbolicRegressor(
            allowed_symbols="add,sub,mul,div,constant,variable,sqrt,exp,log,tanh,sin",
            objectives=["r2", "length"], model_selection_criterion="minimum_description_length",
            max_length=30, optimizer_iterations=5, max_evaluations=_EVALUATIONS, n_threads=1,
            random_state=1,
        )  # fmt: skip
        machine.fit(z[rows], y[rows])

        def velocity(state: Array, network: sp.csr_array) -> Array:
            at = np.ascontiguousarray(_inputs(state, network, informed))
            return np.asarray(machine.predict(at), np.float64).ravel()

        text = machine.get_model_string(machine.model_, 4)
        return Found(velocity, text, _terms_of(text))

    return symbolic


RIVALS: Mapping[str, Callable[[Array, Array, sp.csr_array, bool], Found]] = MappingProxyType({
    "weak_subset": weak_subset,
    "sindy": sindy,
    "two_phase": two_phase,
    "operon": _operon(informed=False),
    "operon_informed": _operon(informed=True),
})  # fmt: skip


def error_of(
    found: Found, adjacency: sp.csr_array, initial: Array, times: Array, truth: Array,
    evaluations: int,
) -> float:  # fmt: skip
    """Mean absolute error of the trajectory from one initial state.

    Infinite if it fails, leaves a hundred times the true states or needs more evaluations.
    """
    limit = 100.0 * (1.0 + float(np.abs(truth).max()))
    count = 0

    def velocity(_: float, x: Array) -> Array:
        nonlocal count
        count += 1
        if not np.abs(x).max() < limit or count > evaluations:
            raise FloatingPointError
        return found.velocity(x, adjacency)

    try:
        with np.errstate(all="ignore"):
            solved = solve_ivp(
                velocity, (times[0], times[-1]), initial, t_eval=times, rtol=1e-7, atol=1e-8
            )
    except (FloatingPointError, ValueError):
        return float("inf")
    if not solved.success or solved.y.shape[1] != len(times):
        return float("inf")
    return float(np.abs(solved.y.T - truth).mean())
