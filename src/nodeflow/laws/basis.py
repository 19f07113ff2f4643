"""Functions of a state that all laws are made of, nearly: a space of some thirty of them.

All atoms, at all their inner parameters, lie close to it. The vector field is linear in f and
bilinear in h_ego and h_alt, so with a basis of it every law is a vector v of a few hundred numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as entry
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.atoms import Scale
from nodeflow.laws.families import families, starts
from nodeflow.laws.form import FUNCTIONS, Form, Function, Term
from nodeflow.laws.formulas import atom_of

__all__ = ["Basis", "Parts"]

Array = NDArray[np.float64]

_COUNTS = 32, 16, 28
"""Basis functions of f, h_ego and h_alt."""

_MONOMIALS = 4

_SMALLEST = 1e-7
"""Of principal components, in units of the largest: the least that is worth a basis function."""

Parts = tuple[Array, Sequence[tuple[float, ...]]]
"""Coefficients of the terms of a function, and their inner parameters."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Functions of a state, in the order of how much of the atoms they make up.

    The four monomials, then the principal components of what is left of all atoms at all inner
    parameters that a search starts from, and some between and beyond.

    Attributes:
        grid: (X,) states at which functions are compared.
        size: unit of states in which monomials are of order one.
        scale: sizes of the states.
        signed: some are negative.
        covariates: of the nodes; f has also the monomials times each of them.
        counts: how many of the functions serve for f, h_ego and h_alt.
        terms: the atoms with their inner parameters.
        mix: (4 + terms, K): the basis from monomials and atoms.
        onto: (K, X): coefficients of a function from its values on the grid.
        known: those of terms that have been needed.
        near: starts of functions that have been needed.
    """

    grid: Array
    size: float
    scale: Scale
    signed: bool
    covariates: tuple[str, ...]
    counts: tuple[int, int, int]
    terms: tuple[tuple[str, tuple[float, ...]], ...]
    mix: Array
    onto: Array
    known: dict[tuple[str, tuple[float, ...], str], Array] = entry(default_factory=dict)
    near: dict[Function, _Near] = entry(default_factory=dict)

    @classmethod
    def of(
        cls, states: Array, scale: Scale, signed: bool, covariates: tuple[str, ...] = ()
    ) -> Basis:
        """For laws along these states."""
        flat = states.ravel()
        low, high = float(flat.min()), float(flat.max())
        if not signed:
            low, flat = max(low, 0.0), np.maximum(flat, 0.0)
        grid = np.concatenate(
            [np.quantile(flat, np.linspace(0, 1, 200)), np.linspace(low, high, 100)]
        )
        size = float(np.sqrt(np.square(flat).mean()))
        grid = np.unique(np.maximum(grid, 1e-9 * size) if not signed else grid)
        terms = tuple(
            sorted(
                {
                    (term.atom, inner)
                    for name in FUNCTIONS
                    for function in families(name, signed)
                    for term in function
                    if None in term.fixed
                    for inner in starts(term, scale, dense=True)
                }
            )
        )
        values = _values(terms, grid, size)
        norms = np.sqrt(np.square(values).mean(0))
        values = values / norms
        q, r = np.linalg.qr(values[:, :4])
        share = q.T @ values[:, 4:]
        u, sizes, v = np.linalg.svd(values[:, 4:] - q @ share, full_matrices=False)
        count = min(max(_COUNTS) - 4, int((sizes > _SMALLEST * sizes[0]).sum()))
        components = v[:count].T / sizes[:count]
        inverse = np.linalg.inv(r)
        mix = np.block(
            [[inverse, -inverse @ share @ components], [np.zeros((len(terms), 4)), components]]
        )
        onto = np.concatenate([q, u[:, :count]], 1).T
        f, ego, alt = (min(k, len(onto)) for k in _COUNTS)
        counts = f + _MONOMIALS * len(covariates), ego, alt
        return cls(grid, size, scale, signed, covariates, counts, terms, mix / norms[:, None], onto)

    def families(self, name: str) -> tuple[Function, ...]:
        """The families of a function."""
        return families(name, self.signed, self.covariates)

    def values(self, x: Array) -> Array:
        """The basis functions at states, (…, K)."""
        return np.asarray(_values(self.terms, x, self.size) @ self.mix)

    def monomials(self, x: Array) -> Array:
        """The monomials up to degree 3 at states, (…, 4), in this unit."""
        return _values((), x, self.size)

    def vector(self, form: Form, parameters: Array) -> Array:
        """The vector v of a law."""
        f, ego, alt = (self.function(form, name, parameters)[0] for name in FUNCTIONS)
        return np.concatenate([f, np.outer(ego, alt).ravel()])

    def function(self, form: Form, name: str, parameters: Array) -> tuple[Array, Array]:
        """Coefficients of a function, and their derivatives by its parameters, (P, K)."""
        total, rows = self.whole(form, name, parameters)
        count = self.counts[FUNCTIONS.index(name)]
        return total[:count], rows[:, :count]

    def whole(self, form: Form, name: str, parameters: Array) -> tuple[Array, Array]:
        """The same with all functions of the basis, and the monomials times covariates."""
        count = len(self.onto) + _MONOMIALS * len(self.covariates)
        total, rows = np.zeros(count), []
        terms: Function = getattr(form, name)
        for i, (atom, coefficient, inner) in enumerate(form.split(name, parameters)):
            free = terms[i].free
            if free:
                columns = [atom_of(atom).value(self.grid, *inner)]
                columns += [atom_of(atom).by_inner[j](self.grid, *inner) for j in free]
                vectors = np.zeros((len(columns), count))
                vectors[:, : len(self.onto)] = np.stack(columns) @ self.onto.T
            else:
                vectors = self.of_term(terms[i], inner)[None]
            total += coefficient * vectors[0]
            if name != "h_alt" or i > 0:
                rows.append(vectors[0])
            rows += [coefficient * x for x in vectors[1:]]
        return total, np.array(rows).reshape(len(rows), count)

    def nearest(self, terms: Function, wanted: Array) -> Parts:
        """Coefficients and inner parameters, of all starts, of what is closest to a function.

        Args:
            terms: of the function.
            wanted: coefficients of `whole`.
        """
        if terms not in self.near:
            inner = list(product(*(list(starts(t, self.scale, dense=True)) for t in terms)))
            columns = np.stack(
                [
                    np.stack([self.of_term(t, i) for t, i in zip(terms, x, strict=True)], -1)
                    for x in inner
                ]
            )
            self.near[terms] = _Near(
                inner, columns, np.asarray(np.linalg.pinv(columns, rcond=1e-10), np.float64)
            )
        near = self.near[terms]
        solutions = near.inverse @ wanted
        away = np.einsum("sxt,st->sx", near.columns, solutions) - wanted
        closest = int(np.argmin(np.square(away).sum(1)))
        return solutions[closest], near.inner[closest]

    def of_term(self, term: Term, inner: tuple[float, ...]) -> Array:
        """A term as a vector (K,) of coefficients of `whole`, computed once."""
        key = term.atom, inner, term.by
        if key not in self.known:
            own = len(self.onto)
            self.known[key] = product = np.zeros(own + _MONOMIALS * len(self.covariates))
            if term.by:
                first = own + _MONOMIALS * self.covariates.index(term.by)
                degree = _degree(term)
                product[first + degree] = self.size**degree
            else:
                product[:own] = self.onto @ atom_of(term.atom).value(self.grid, *inner)
        return self.known[key]


@dataclass(frozen=True, eq=False)
class _Near:
    """The starts of a function: inner parameters, terms as vectors, least squares."""

    inner: list[tuple[tuple[float, ...], ...]]
    columns: Array
    """(S, K, T)."""
    inverse: Array
    """(S, T, K)."""


def _degree(term: Term) -> int:
    """Of a monomial."""
    known = {"one": 0, "square": 2}
    return known[term.atom] if term.atom in known else round(term.fixed[0] or 0)


def _values(terms: Sequence[tuple[str, tuple[float, ...]]], x: Array, size: float) -> Array:
    """The monomials up to degree 3 and atoms at states, (…, 4 + terms)."""
    values = np.empty((*x.shape, _MONOMIALS + len(terms)))
    for degree in range(_MONOMIALS):
        values[..., degree] = (x / size) ** degree
    for place, (atom, inner) in enumerate(terms, _MONOMIALS):
        values[..., place] = atom_of(atom).value(x, *inner)
    return values
