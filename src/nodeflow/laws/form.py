"""The form of a law: which atoms its three functions consist of; and their values at parameters.

A function is Σ_t c_t φ_t(x; θ_t). Only products h_ego h_alt matter, so one factor between the two
is free: here the first term of h_alt has the coefficient 1 (the gauge), and h_ego carries the
strength of the interaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.systems import Field
from nodeflow.laws.atoms import Scale
from nodeflow.laws.formulas import atom_of

__all__ = [
    "FUNCTIONS",
    "NO_COVARIATES",
    "Covariates",
    "Form",
    "Function",
    "Slot",
    "Term",
    "field_of",
]

Array = NDArray[np.float64]

FUNCTIONS = ("f", "h_ego", "h_alt")

Covariates = Mapping[str, Array]
"""By name, a number for each node, (n,)."""

NO_COVARIATES: Covariates = MappingProxyType({})


@dataclass(frozen=True, order=True)
class Term:
    """One term of a function.

    Attributes:
        atom: key of `ATOMS`, or a formula after an equals sign (`formulas`).
        fixed: for each parameter inside the atom its fixed value, or None where it is fitted.
        by: covariate of the nodes that multiplies the term; empty without one.
    """

    atom: str
    fixed: tuple[float | None, ...] = ()
    by: str = ""

    @property
    def free(self) -> tuple[int, ...]:
        """Which parameters inside the atom are fitted."""
        return tuple(i for i, value in enumerate(self.fixed) if value is None)


Function = tuple[Term, ...]
"""Terms whose sum is a function; none is the function 0."""


@dataclass(frozen=True)
class Slot:
    """What one parameter of a form is.

    Attributes:
        function: "f", "h_ego" or "h_alt".
        term: index of the term in it.
        inner: index of the parameter inside the atom; None for the coefficient.
    """

    function: str
    term: int
    inner: int | None


@dataclass(frozen=True)
class Form:
    """Which terms the three functions have; numbers come apart, as a vector of parameters."""

    f: Function
    h_ego: Function
    h_alt: Function

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """What each parameter is, in the order of the vector."""
        slots = []
        for name in FUNCTIONS:
            for i, term in enumerate(getattr(self, name)):
                if name != "h_alt" or i > 0:
                    slots.append(Slot(name, i, None))
                slots += [Slot(name, i, j) for j in term.free]
        return tuple(slots)

    @cached_property
    def pieces(self) -> dict[str, slice]:
        """Where the parameters of each function stand in the vector."""
        counts = [sum(slot.function == name for slot in self.slots) for name in FUNCTIONS]
        ends = np.cumsum([0, *counts]).tolist()
        return {name: slice(ends[i], ends[i + 1]) for i, name in enumerate(FUNCTIONS)}

    def split(self, name: str, parameters: Array) -> list[tuple[str, float, tuple[float, ...]]]:
        """The terms of a function as (atom, coefficient, inner parameters)."""
        values = iter(parameters[self.pieces[name]].tolist())
        parts = []
        for i, term in enumerate(getattr(self, name)):
            coefficient = 1.0 if name == "h_alt" and i == 0 else next(values)
            inner = tuple(next(values) if x is None else x for x in term.fixed)
            parts.append((term.atom, coefficient, inner))
        return parts

    def value(
        self, name: str, parameters: Array, x: Array, covariates: Covariates = NO_COVARIATES
    ) -> Array:
        """A function at states x."""
        return self.total(name, parameters, covariates)(x)

    def slope(
        self, name: str, parameters: Array, x: Array, covariates: Covariates = NO_COVARIATES
    ) -> Array:
        """Its derivative by x."""
        return self.total(name, parameters, covariates, slope=True)(x)

    def total(
        self, name: str, parameters: Array, covariates: Covariates = NO_COVARIATES,
        slope: bool = False,
    ) -> Callable[[Array], Array]:  # fmt: skip
        """A function, or its derivative by x, at these parameters."""
        terms: Function = getattr(self, name)
        constant, parts = 0.0, []
        for term, (atom, c, inner) in zip(terms, self.split(name, parameters), strict=True):
            if term.atom == "one" and not term.by:
                constant += 0.0 if slope else c
            else:
                parts.append(
                    (c, atom_of(atom).slope if slope else atom_of(atom).value, inner, term)
                )

        def function(x: Array) -> Array:
            # Integrators call this some hundred thousand times with few states.
            total = np.full(x.shape, constant)
            for coefficient, atom, inner, term in parts:
                value = atom(x, *inner)
                total += coefficient * (_times(value, term, covariates) if term.by else value)
            return total

        return function

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of those that it needs."""
        terms = (term for name in FUNCTIONS for term in getattr(self, name))
        return tuple(dict.fromkeys(term.by for term in terms if term.by))

    def by_parameters(
        self, name: str, parameters: Array, x: Array, covariates: Covariates = NO_COVARIATES
    ) -> tuple[Array, Array]:
        """A function at states x, and its derivatives by its own parameters, (…, parameters)."""
        total, columns = np.zeros_like(x), []
        terms: Function = getattr(self, name)
        for i, (atom, coefficient, inner) in enumerate(self.split(name, parameters)):
            value = _times(atom_of(atom).value(x, *inner), terms[i], covariates)
            total += coefficient * value
            if name != "h_alt" or i > 0:
                columns.append(value)
            for j in terms[i].free:
                change = coefficient * atom_of(atom).by_inner[j](x, *inner)
                columns.append(_times(change, terms[i], covariates))
        return total, np.stack(columns, -1) if columns else np.empty((*x.shape, 0))

    def bounds(self, scale: Scale) -> tuple[Array, Array]:
        """Smallest and largest value of each parameter, for states of these sizes."""
        low, high = np.full(len(self.slots), -np.inf), np.full(len(self.slots), np.inf)
        for place, slot in enumerate(self.slots):
            if slot.inner is not None:
                inner = atom_of(getattr(self, slot.function)[slot.term].atom).inner[slot.inner]
                low[place], high[place] = inner.bounds(scale)
        return low, high


def _times(values: Array, term: Term, covariates: Covariates) -> Array:
    """Values of an atom times the covariate of its term; nodes are the last axis, or repeat."""
    if not term.by:
        return values
    z = covariates[term.by]
    return (values.reshape(-1, len(z)) * z).reshape(values.shape)


def field_of(form: Form, parameters: Array, covariates: Covariates = NO_COVARIATES) -> Field:
    """The vector field of a form at its parameters.

    With covariates it is that of one graph: its functions take states (…, n), or those of several
    trajectories one after another.
    """
    p = np.array(parameters, dtype=np.float64)

    values = [form.total(name, p, covariates) for name in FUNCTIONS]
    slopes = [form.total(name, p, covariates, slope=True) for name in FUNCTIONS]
    return Field(*values, *slopes)
