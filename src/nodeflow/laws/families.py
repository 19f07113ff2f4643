"""Which forms are searched: the three functions' families, from atoms and polynomials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, product

from nodeflow.laws.atoms import ATOMS, Scale
from nodeflow.laws.form import Function, Term
from nodeflow.laws.formulas import atom_of

__all__ = ["families", "monomial", "starts"]

_LEVELS = {
    "f": (4, ((), (0,), (1,), (0, 1), (2,), (1, 2))),
    "h_ego": (3, ((), (0,), (1,))),
    "h_alt": (2, ((), (0,), (1,))),
}
"""For each function: how many monomials of degree 0 to 3 it may have, and which may stand beside an
atom that has parameters inside."""


def monomial(degree: int, signed: bool) -> Term:
    """x^degree; where states are never negative, the odd continuation is the safer one below 0."""
    if degree == 0:
        return Term("one")
    if degree == 2 and signed:
        return Term("square")
    return Term("power", (float(degree),))


_WITH_COVARIATES = 3
"""Monomials that f may have, where some are multiplied by covariates of the nodes."""


@cache
def families(name: str, signed: bool, covariates: tuple[str, ...] = ()) -> tuple[Function, ...]:
    """The families of a function, the simplest first.

    Args:
        name: "f", "h_ego" or "h_alt".
        signed: states are negative, too: atoms that are not defined there are left out.
        covariates: of the nodes; monomials of f may be multiplied by one.
    """
    most, beside = _LEVELS[name]
    functions: list[Function] = [()] if name == "f" else []
    for count in range(1, most + 1):
        for degrees in combinations((1, 2, 3, 0), count):
            functions.append(tuple(monomial(d, signed) for d in degrees))
    for atom in ATOMS.values():
        if not atom.inner or (signed and not atom.signed):
            continue
        free = Term(atom.name, (None,) * len(atom.inner))
        heads = [free]
        if atom.name == "hill":
            heads.append(Term("hill", (1.0, None)))
        for head in heads:
            functions += [
                (head, *(monomial(d, signed) for d in sorted(degrees, key=lambda d: d or 9)))
                for degrees in beside
            ]
    if name == "f" and covariates:
        plain = [monomial(d, signed) for d in (1, 2, 3, 0)]
        scaled = [replace(term, by=by) for by in covariates for term in plain]
        for count in range(1, _WITH_COVARIATES + 1):
            functions += [x for x in combinations((*scaled, *plain), count) if any(t.by for t in x)]
    return tuple(sorted(functions, key=_complexity))


def _complexity(function: Function) -> tuple[int, int]:
    return len(function) + sum(len(term.free) for term in function), len(function)


def starts(term: Term, scale: Scale, dense: bool = False) -> Iterator[tuple[float, ...]]:
    """Values of a term's inner parameters from which a search begins."""
    choices = [
        inner.starts(scale, dense) if fixed is None else [fixed]
        for inner, fixed in zip(atom_of(term.atom).inner, term.fixed, strict=True)
    ]
    return product(*choices)
