"""Symbolic regression of the three functions, where no family of the lists explains the data.

The values of the functions at the states seen follow from the metric along a law, without any
family: v is free there. Genetic programming (pyoperon, Burlacu et al. 2020; the extra
`nodeflow[symbolic]`) writes formulas of them, which then stand beside all other candidates: they
are fitted through trajectories, simplified and chosen by the length of their description.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.families import monomial
from nodeflow.laws.form import FUNCTIONS, Form, Function, Term
from nodeflow.laws.formulas import FormulaError, named_by, read_formula
from nodeflow.laws.metric import Metric

if TYPE_CHECKING:
    import sympy

__all__ = ["available", "free_functions", "proposed"]

Array = NDArray[np.float64]
_Proposal = tuple[Function, Array]
"""The terms of a function, and for each its coefficient and what is inside."""

_SYMBOLS = "add,sub,mul,div,constant,variable,exp,log,sin,tanh,sqrt"
_LENGTH, _EVALUATIONS, _SEED = 20, 150_000, 1
_SWEEPS, _FORMULAS, _TERMS, _TOGETHER = 12, 4, 4, 2
_ROUND = 1e-3
"""Numbers this close to a small whole number are taken for it where they are exponents."""


def available() -> bool:
    """Whether the extra is installed."""
    return find_spec("pyoperon") is not None


def free_functions(metric: Metric, form: Form, parameters: Array, noise: float) -> list[Array]:
    """Values of the three functions on the basis's grid that fit best, of no family.

    Alternating least squares from a law; that its coefficients are of the order of those of the
    law is all that is assumed of what the data leave open.
    """
    basis = metric.basis
    k_f, k_e, k_a = basis.counts
    parts = [basis.function(form, name, parameters)[0] for name in FUNCTIONS]
    f, ego, alt = parts
    if not form.h_ego:
        ego, alt = np.zeros(k_e), np.zeros(k_a)
        ego[0] = alt[0] = 1e-3
    own, products = np.split(metric.root, [metric.root.shape[1] - k_e * k_a], 1)
    both = products.reshape(-1, k_e, k_a)
    sizes = [max(float(np.linalg.norm(p)), 1e-9) for p in (f, ego, alt)]

    def solved(columns: Array, about: Array, spread: Array) -> Array:
        rows = np.concatenate([columns, np.diag(noise / spread)])
        right = np.concatenate([metric.target - columns @ about, np.zeros(len(about))])
        return np.asarray(about + np.linalg.lstsq(rows, right, rcond=None)[0], np.float64)

    start_f, start_ego, start_alt = f, ego, alt
    for _ in range(_SWEEPS):
        about = np.concatenate([start_f, start_ego])
        spread = np.repeat(sizes[:2], [k_f, k_e])
        linear = solved(np.concatenate([own, both @ alt], 1), about, spread)
        f, ego = linear[:k_f], linear[k_f:]
        about = np.concatenate([start_f, start_alt])
        spread = np.repeat([sizes[0], sizes[2]], [k_f, k_a])
        with_ego = np.einsum("rea,e->ra", both, ego)
        linear = solved(np.concatenate([own, with_ego], 1), about, spread)
        f, alt = linear[:k_f], linear[k_f:]
    count = len(basis.onto)
    return [part[:count] @ basis.onto[: min(count, len(part))] for part in (f, ego, alt)]


def proposed(
    metric: Metric, form: Form, parameters: Array, noise: float
) -> list[tuple[Form, Array]]:
    """Laws with formulas from symbolic regression in place of one function, or of all.

    Args:
        metric: along a law.
        form: of that law.
        parameters: of that law.
        noise: standard deviation of the observations.
    """
    values = free_functions(metric, form, parameters, noise)
    parts = {name: parameters[form.pieces[name]] for name in FUNCTIONS}
    choices: dict[str, list[_Proposal]] = {}
    for name, target in zip(FUNCTIONS, values, strict=True):
        texts = _regressed(metric.basis.grid, target)
        read = [_terms(text, metric.basis.signed) for text in texts]
        choices[name] = [x for x in read if x is not None and (name == "f" or x[0])]
    laws = [{name: x} for name in FUNCTIONS for x in choices[name]]
    together = [[None, *choices[name][:_TOGETHER]] for name in FUNCTIONS]
    for several in product(*together):
        chosen = {n: x for n, x in zip(FUNCTIONS, several, strict=True) if x is not None}
        if len(chosen) > 1:
            laws.append(chosen)
    return [_law(form, parts, chosen) for chosen in laws if form.h_ego or _whole(chosen)]


def _whole(chosen: dict[str, _Proposal]) -> bool:
    return ("h_ego" in chosen) == ("h_alt" in chosen)


def _law(form: Form, parts: dict[str, Array], chosen: dict[str, _Proposal]) -> tuple[Form, Array]:
    """A law with some functions replaced, in the gauge of its first term of h_alt."""
    functions = {name: x[0] for name, x in chosen.items()}
    vectors = {**parts, **{name: x[1] for name, x in chosen.items()}}
    whole = replace(form, **functions)
    if "h_alt" in chosen:
        first = vectors["h_alt"][0]
        alt = vectors["h_alt"].copy()
        for place, slot in enumerate(s for t in _slots(whole.h_alt) for s in t):
            if slot:
                alt[place] /= first
        vectors["h_alt"] = alt[1:]
        ego = vectors["h_ego"].copy()
        for place, slot in enumerate(s for t in _slots(whole.h_ego) for s in t):
            if slot:
                ego[place] *= first
        vectors["h_ego"] = ego
    return whole, np.concatenate([vectors[name] for name in FUNCTIONS])


def _slots(function: Function) -> list[list[bool]]:
    """For each parameter of a function, the first of h_alt included: is it a coefficient?"""
    return [[True, *(False for _ in term.free)] for term in function]


def _regressed(x: Array, values: Array) -> list[str]:
    """Formulas of x for these values, the most accurate first."""
    from pyoperon.sklearn import SymbolicRegressor

    size = float(np.abs(values).max())
    if not size > 0 or not np.isfinite(size):
        return []
    machine: Any = SymbolicRegressor(
        allowed_symbols=_SYMBOLS, objectives=["r2", "length"], max_length=_LENGTH,
        optimizer_iterations=10, max_evaluations=_EVALUATIONS, n_threads=1, random_state=_SEED,
    )  # fmt: skip
    machine.fit(x[:, None], values / size)
    # The most accurate of the front: what its length is worth is decided along trajectories.
    front = sorted(machine.pareto_front_, key=lambda one: one["mean_squared_error"])
    texts = [machine.get_model_string(one["tree"], 12, ["x"]) for one in front[:_FORMULAS]]
    return [f"{size!r}*({text})" for text in texts]


def _terms(text: str, signed: bool) -> _Proposal | None:
    """The terms of a formula with their numbers as parameters; None where it is unusable."""
    import sympy

    try:
        formula = sympy.expand(read_formula(text))
    except FormulaError:
        return None
    x = sympy.Symbol("x", real=True)
    terms: dict[Term, tuple[float, Sequence[float]]] = {}
    for part in sympy.Add.make_args(formula):
        number, rest = part.as_coeff_Mul()
        if rest == 1:
            terms[Term("one")] = (float(number), ())
        elif (rest.is_Pow and rest.base == x and rest.exp in (2, 3)) or rest == x:
            degree = 1 if rest == x else int(rest.exp)
            terms[monomial(degree, signed)] = (float(number), ())
        else:
            body, inner = _with_parameters(rest)
            if not body.has(x) or len(inner) > 4:
                return None
            terms[Term(named_by(body), (None,) * len(inner))] = (float(number), inner)
    if not 0 < len(terms) <= _TERMS or any(not np.isfinite(c) for c, _ in terms.values()):
        return None
    vector = [v for c, inner in terms.values() for v in (c, *inner)]
    return tuple(terms), np.array(vector)


def _with_parameters(formula: sympy.Expr) -> tuple[sympy.Expr, list[float]]:
    """A formula with its numbers as c0, c1 …, but for whole exponents."""
    import sympy

    numbers: list[float] = []

    def changed(node: sympy.Expr) -> sympy.Expr:
        if node.is_Float:
            numbers.append(float(node))
            return sympy.Symbol(f"c{len(numbers) - 1}", real=True)
        if node.is_Pow and node.exp.is_Float and abs(node.exp - round(node.exp)) < _ROUND:
            return changed(node.base) ** round(node.exp)
        if not node.args:
            return node
        return node.func(*(changed(inner) for inner in node.args))

    return changed(formula), numbers
