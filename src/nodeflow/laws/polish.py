"""Forms with the parameters that fit best in a metric, and those a step away from the best form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.basis import Basis, Parts
from nodeflow.laws.candidates import (
    BIASED,
    Candidate,
    assembled,
    parts_of,
    ranked,
    variance_of,
)
from nodeflow.laws.families import monomial
from nodeflow.laws.form import FUNCTIONS, Form
from nodeflow.laws.metric import Metric

__all__ = ["climb", "closest_polynomial", "levenberg", "polish_all", "polished"]

Array = NDArray[np.float64]

_CYCLES = 3
"""Times that each function is changed."""

_TRIED, _HOPELESS = 3, 300.0
"""After so many steps a form is left as it is if all that its steps promise leaves its loss so many
nats above the smallest."""


def polished(metric: Metric, laws: Sequence[tuple[Form, Array]]) -> list[Candidate]:
    """Known laws with the parameters that are best in this metric."""
    return [polish(metric, form, p, 10) for form, p in laws]


def polish(
    metric: Metric, form: Form, parameters: Array, steps: int, limit: float = np.inf
) -> Candidate:
    """Levenberg–Marquardt on all parameters of a form."""
    low, high = form.bounds(metric.basis.scale)
    with np.errstate(over="ignore", invalid="ignore"):  # formulas may leave all bounds
        fitted, loss = levenberg(
            lambda p: metric.residual(form, p), np.clip(parameters, low, high), low, high, steps,
            limit - metric.constant,
        )  # fmt: skip
    return Candidate(form, fitted, loss + metric.constant)


def polish_all(
    metric: Metric, found: Sequence[Candidate], steps: int, noise: float, count: int
) -> list[Candidate]:
    """All of these, where smoothed states may have biased the losses."""
    polished: list[Candidate] = []
    for x in found:
        limit = hopeless(polished, noise, count, BIASED) if polished else np.inf
        polished.append(polish(metric, x.form, x.parameters, steps, limit))
    return polished


def hopeless(found: Sequence[Candidate], noise: float, count: int, biased: float = 1.0) -> float:
    """A loss that is too large for any description to be among the short ones."""
    nats = biased * _HOPELESS * variance_of(found, noise, count)
    return min(x.loss for x in found) + 2.0 * nats


def levenberg(
    at: Callable[[Array], tuple[Array, Array]],
    start: Array,
    low: Array,
    high: Array,
    steps: int,
    limit: float = np.inf,
) -> tuple[Array, float]:
    """Levenberg–Marquardt within bounds: parameters and sum of squares.

    Args:
        at: residuals and their derivatives.
        start: parameters to start from.
        low: lower bounds.
        high: upper bounds.
        steps: at most so many.
        limit: a sum of squares that is of no interest: what promises no less is left as it is.
    """
    p = start
    residual, jacobian = at(p)
    loss = float(residual @ residual)
    damping = 1e-4
    for number in range(steps):
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ residual
        diagonal = np.maximum(np.diag(normal), 1e-300)
        scale = np.sqrt(diagonal)
        scaled = normal / np.outer(scale, scale)
        if number >= _TRIED and loss > limit:
            right = gradient / scale
            promised = right @ np.linalg.solve(scaled + 1e-9 * np.eye(len(p)), right)
            if loss - promised > limit:
                break
        better = False
        while damping < 1e6:
            step = np.linalg.solve(scaled + damping * np.eye(len(p)), gradient / scale) / scale
            trial = np.clip(p - step, low, high)
            r, j = at(trial)
            new = float(r @ r)
            if new < loss:
                better = True
                break
            damping *= 8.0
        if not better:
            break
        gain = 1.0 - new / max(loss, 1e-300)
        p, residual, jacobian, loss = trial, r, j, new
        damping = max(damping / 10.0, 1e-12)
        if gain < 1e-4:
            break
    return p, loss


def climb(metric: Metric, found: Sequence[Candidate], noise: float, count: int) -> list[Candidate]:
    """From the best form on: one function at a time takes the family that fits best.

    Args:
        metric: of losses.
        found: where it starts: the best of these.
        noise: standard deviation of the observations.
        count: how many observations there are.

    Returns:
        All forms that were tried, by length of description.
    """
    basis = metric.basis
    tried = {x.form: x for x in found}
    best, settled = ranked(found, noise, count)[0], 0
    least = min(found, key=lambda x: x.loss)
    limit = hopeless([least], noise, count)
    for name in _CYCLES * FUNCTIONS:
        settled += 1
        if getattr(best.form, name):
            for function in basis.families(name):
                form = replace(best.form, **{name: function})
                if function and form not in tried:
                    start = _nearest(form, name, best, basis)
                    tried[form] = x = polish(metric, form, start, 15, limit)
                    if x.loss < least.loss:
                        least = x
                        limit = hopeless([least], noise, count)
            first = ranked(list(tried.values()), noise, count)[0]
            if first.form != best.form:
                best, settled = first, 0
        if settled == len(FUNCTIONS):
            break
    return ranked(list(tried.values()), noise, count)


def _nearest(form: Form, name: str, best: Candidate, basis: Basis) -> Array:
    """Parameters of a form whose one other function is close to that of the best."""
    wanted, _ = basis.whole(best.form, name, best.parameters)
    coefficients, inner_values = basis.nearest(getattr(form, name), wanted)
    parts: dict[str, Parts] = {n: parts_of(best, n) for n in FUNCTIONS}
    parts[name] = coefficients, inner_values
    if name == "h_alt":
        first = coefficients[0] if abs(coefficients[0]) > 1e-9 else 1e-9
        parts["h_alt"] = coefficients / first, inner_values
        ego, inner_ego = parts["h_ego"]
        parts["h_ego"] = ego * first, inner_ego
    return assembled(form, parts)


def closest_polynomial(
    metric: Metric, best: Candidate, degrees: tuple[tuple[int, ...], ...]
) -> Candidate:
    """The law whose functions are polynomials of these degrees, from what is close to a law."""
    x = best
    for name, chosen in zip(FUNCTIONS, degrees, strict=True):
        function = tuple(monomial(d, metric.basis.signed) for d in chosen)
        form = replace(x.form, **{name: function})
        x = replace(x, form=form, parameters=_nearest(form, name, x, metric.basis))
    return polish(metric, x.form, x.parameters, 30)
