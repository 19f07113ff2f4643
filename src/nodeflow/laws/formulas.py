"""Atoms beyond the lists: any formula of x, as symbolic regression finds them.

Such an atom is named by its formula after an equals sign, as "=x*exp(-c0*x)", with parameters c0,
c1 … So laws that have one are saved and read like all others. Formulas are read by a parser that
knows arithmetic and a few functions; nothing in a file is ever run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.atoms import ATOMS, Atom, Inner

if TYPE_CHECKING:
    import sympy

__all__ = ["FormulaError", "atom_of", "named_by", "read_formula"]

Array = NDArray[np.float64]

_FUNCTIONS = ("exp", "log", "sin", "cos", "tanh", "sqrt")
_LONGEST = 400


class FormulaError(ValueError):
    """A text is no formula."""


def atom_of(name: str) -> Atom:
    """An atom of the lists by its key, or of a formula.

    Raises:
        KeyError: there is no such atom.
        FormulaError: what follows the equals sign is no formula.
    """
    return _formula(name[1:]) if name.startswith("=") else ATOMS[name]


def named_by(formula: sympy.Expr) -> str:
    """The name of the atom of a formula of x and numbers c0, c1 and so on."""
    return f"={formula}"


def read_formula(text: str) -> sympy.Expr:
    """A formula of x and c0, c1 … in the notation of Python, where ^ is a power, too.

    Raises:
        FormulaError: it has anything but arithmetic, numbers, those symbols and exp, log, sin, cos,
            tanh and sqrt.
    """
    if len(text) > _LONGEST:
        raise FormulaError(f"a formula of {len(text)} characters is too long")
    try:
        return _expression(ast.parse(text.replace("^", "**"), mode="eval").body)
    except (SyntaxError, RecursionError) as error:
        raise FormulaError(f"{text!r} is no formula") from error


def _expression(node: ast.expr) -> sympy.Expr:
    import sympy

    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return sympy.Integer(value) if value == round(value) else sympy.Float(value)
        case ast.Name(id=name) if name == "x" or (name[0] == "c" and name[1:].isdigit()):
            return sympy.Symbol(name, real=True)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_expression(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _expression(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_expression(left), _expression(right))
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
            return getattr(sympy, name)(_expression(inner))
    raise FormulaError(f"{ast.unparse(node)!r} is no part of a formula")


_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


@lru_cache(maxsize=256)
def _formula(text: str) -> Atom:
    import sympy

    formula = read_formula(text)
    x = sympy.Symbol("x", real=True)
    inner = sorted(formula.free_symbols - {x}, key=lambda symbol: int(symbol.name[1:]))

    def function(expression: sympy.Expr) -> Callable[..., Array]:
        compiled = sympy.lambdify([x, *inner], expression, "numpy")

        def values(states: Array, *parameters: float) -> Array:
            with np.errstate(all="ignore"):
                values = compiled(states, *parameters)
            return np.array(np.broadcast_to(values, states.shape), dtype=np.float64)

        return values

    return Atom(
        name=f"={text}",
        inner=tuple(Inner(s.name, 0, 0.5, 2.0, -np.inf, np.inf) for s in inner),
        value=function(formula),
        slope=function(sympy.diff(formula, x)),
        by_inner=tuple(function(sympy.diff(formula, symbol)) for symbol in inner),
        expression=lambda at, *values: formula.subs(
            {x: at, **dict(zip(inner, values, strict=True))}
        ),
        signed=True,
        source="symbolic regression",
        nodes=sum(1 for _ in sympy.preorder_traversal(formula)),
    )
