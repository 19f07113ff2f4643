"""Simpler forms than those found: with a term less or an exponent rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.candidates import description
from nodeflow.laws.form import FUNCTIONS, Form, Term
from nodeflow.laws.formulas import atom_of
from nodeflow.laws.refine import Fit

__all__ = ["MARGIN", "simpler", "without_idle"]

Array = NDArray[np.float64]

MARGIN = 3.0


def simpler(x: Fit, variance: float, count: int) -> list[tuple[Form, Array]]:
    """Forms with a term less or an exponent rounded that the data may not tell from this one.

    Args:
        x: a fitted law.
        variance: of the noise.
        count: how many observations there are.
    """
    covariance = x.covariance(float(np.sqrt(variance)))
    errors = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    before = description(x.form, count)
    forms = []
    for place, slot in enumerate(x.form.slots):
        term = getattr(x.form, slot.function)[slot.term]
        if slot.inner is None:
            form, kept = _without(x.form, slot.function, slot.term)
            cost = 0.5 * (x.parameters[place] / errors[place]) ** 2
            if cost < before - description(form, count) + MARGIN:
                # What the others become when this one is 0, to first order.
                moved = x.parameters - covariance[:, place] * (
                    x.parameters[place] / max(covariance[place, place], 1e-300)
                )
                usable = np.isfinite(moved).all() and all(
                    s.inner is None or moved[i] > 0 for i, s in enumerate(x.form.slots)
                )
                forms.append((form, (moved if usable else x.parameters)[kept]))
        elif atom_of(term.atom).inner[slot.inner].rounds:
            for fraction in _fractions(float(x.parameters[place]), float(errors[place])):
                change = fraction - x.parameters[place]
                moved = x.parameters + covariance[:, place] * (
                    change / max(covariance[place, place], 1e-300)
                )
                fixed = list(term.fixed)
                fixed[slot.inner] = fraction
                form = _with(x.form, slot.function, slot.term, replace(term, fixed=tuple(fixed)))
                forms.append((form, np.delete(moved, place)))
    return forms


def _fractions(value: float, error: float) -> list[float]:
    """The simplest fractions that an exponent may be."""
    nearby = []
    for denominator in (1, 2, 3, 4):
        nearest = Fraction(round(value * denominator), denominator)
        if nearest > 0 and abs(float(nearest) - value) < 5.0 * error and nearest not in nearby:
            nearby.append(nearest)
    return [float(x) for x in nearby[:2]]


def _without(form: Form, name: str, term: int) -> tuple[Form, list[int]]:
    """A form without a term, and the places of the parameters that are left.

    Without the last term of h_ego there is no interaction; that of h_alt has no coefficient.
    """
    terms = getattr(form, name)
    left = terms[:term] + terms[term + 1 :]
    if name == "h_ego" and not left:
        return Form(form.f, (), ()), list(range(form.pieces["f"].stop))
    kept = [
        i for i, slot in enumerate(form.slots) if not (slot.function == name and slot.term == term)
    ]
    return replace(form, **{name: left}), kept


def _with(form: Form, name: str, term: int, new: Term) -> Form:
    terms = getattr(form, name)
    return replace(form, **{name: (*terms[:term], new, *terms[term + 1 :])})


def without_idle(ordered: Sequence[Fit]) -> list[Fit]:
    """Laws by length of description, without those that only add to a shorter one."""
    kept: list[Fit] = []
    for x in ordered:
        if not any(_extends(x.form, y.form) for y in kept):
            kept.append(x)
    return kept


def _extends(form: Form, other: Form) -> bool:
    """Whether a form has all terms of another one, perhaps with exponents free."""
    return all(
        any(
            (mine.atom, mine.by) == (term.atom, term.by)
            and all(m is None or m == t for m, t in zip(mine.fixed, term.fixed, strict=True))
            for mine in getattr(form, name)
        )
        for name in FUNCTIONS
        for term in getattr(other, name)
    )
