"""A law as an equation: in sympy, in LaTeX, and in the dictionaries that files hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.form import FUNCTIONS, Form, Term
from nodeflow.laws.formulas import atom_of

if TYPE_CHECKING:
    import sympy

__all__ = ["expression", "functions_read", "functions_said", "latex", "rounded", "text"]

Array = NDArray[np.float64]


def expression(form: Form, values: Array, name: str, symbol: str = "x") -> sympy.Expr:
    """A function of a form, of a symbol whose index covariates take, too."""
    import sympy

    x = sympy.Symbol(symbol, real=True)
    total: sympy.Expr = sympy.Integer(0)
    for term, (atom, coefficient, inner) in zip(
        getattr(form, name), form.split(name, values), strict=True
    ):
        part = _number(coefficient) * atom_of(atom).expression(x, *map(_number, inner))
        if term.by:
            part *= sympy.Symbol(term.by + symbol[1:], real=True)
        total += part
    return total


def rounded(values: Array, errors: Array) -> Array:
    """Parameters with as many digits as their errors leave, six at most."""
    short = []
    for value, error in zip(values, errors, strict=True):
        size = abs(value) or 1.0
        digits = 6 if not error > 0 else int(np.clip(np.ceil(np.log10(size / error)) + 1, 1, 6))
        short.append(float(f"{value:.{digits}g}"))
    return np.array(short)


def text(form: Form, values: Array, name: str) -> str:
    """A function of a form in a line, with no more digits of its numbers than there are."""
    import sympy

    # By default sympy pads a number that stands alone with zeros: 0.300000000000000.
    return str(sympy.sstr(expression(form, values, name), full_prec=False))


def latex(form: Form, values: Array) -> str:
    """The equation of a form in LaTeX."""
    import sympy

    own = sympy.latex(expression(form, values, "f", "x_i"))
    if not form.h_ego:
        return rf"\dot x_i = {own}"
    ego = expression(form, values, "h_ego", "x_i")
    alt = expression(form, values, "h_alt", "x_j")
    scale = sympy.latex(ego)
    strength = rf"\left({scale}\right)" if ego.is_Add else scale
    part = sympy.latex(alt)
    inner = rf"\left({part}\right)" if alt.is_Add else part
    return rf"\dot x_i = {own} + {strength} \sum_j A_{{ij}} {inner}"


def functions_said(form: Form, values: Array) -> dict[str, list[dict[str, Any]]]:
    """The three functions in numbers, texts, lists and dictionaries, as JSON has them."""
    return {
        name: [
            _term_said(term, coefficient, inner)
            for term, (_, coefficient, inner) in zip(
                getattr(form, name), form.split(name, values), strict=True
            )
        ]
        for name in FUNCTIONS
    }


def _term_said(term: Term, coefficient: float, values: tuple[float, ...]) -> dict[str, Any]:
    names = [inner.name for inner in atom_of(term.atom).inner]
    return {
        "atom": term.atom,
        **({"covariate": term.by} if term.by else {}),
        "coefficient": coefficient,
        "inner": dict(zip(names, values, strict=True)),
        "fixed": [n for n, value in zip(names, term.fixed, strict=True) if value is not None],
    }


def functions_read(said: Mapping[str, Any]) -> tuple[Form, Array]:
    """The inverse of `functions_said`: a form and its parameters.

    Raises:
        KeyError, TypeError, ValueError, IndexError: this is none.
    """
    parts, values = {}, []
    for name in FUNCTIONS:
        terms = []
        for place, entry in enumerate(said[name]):
            atom = atom_of(entry["atom"])
            inner = [float(entry["inner"][x.name]) for x in atom.inner]
            fixed = tuple(
                value if x.name in entry["fixed"] else None
                for x, value in zip(atom.inner, inner, strict=True)
            )
            terms.append(Term(atom.name, fixed, entry.get("covariate", "")))
            if name != "h_alt" or place > 0:
                values.append(float(entry["coefficient"]))
            values += [value for value, known in zip(inner, fixed, strict=True) if known is None]
        parts[name] = tuple(terms)
    return Form(**parts), np.array(values, dtype=np.float64)


def _number(value: float) -> Any:
    import sympy

    return sympy.Integer(round(value)) if value == round(value) else sympy.Float(value)
