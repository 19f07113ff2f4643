"""Forms that may be the law, with their parameters and losses, by length of description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.atoms import ATOMS
from nodeflow.laws.basis import Parts
from nodeflow.laws.form import FUNCTIONS, Form
from nodeflow.laws.formulas import atom_of

__all__ = [
    "BIASED",
    "Candidate",
    "assembled",
    "description",
    "distinct",
    "mixed",
    "parts_of",
    "promising",
    "ranked",
    "simplest",
    "variance_of",
]

Array = NDArray[np.float64]

BIASED = 30.0

_SURE, _NEARLY = 3, 100.0
"""Forms that are refined in any case, and nats by which the description of others may be longer."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A form with parameters and its loss in some metric."""

    form: Form
    parameters: Array
    loss: float


def description(form: Form, count: int) -> float:
    """Nats that it takes to say which form it is and what its parameters are.

    Each parameter costs ½ ln n (Rissanen 1978; Schwarz 1978), each term the choice of its atom,
    each exponent that is no whole number the choice of a fraction, each term with a covariate the
    choice of that, and each node in the tree of a formula the choice of what it is.
    """
    terms = [term for name in FUNCTIONS for term in getattr(form, name)]
    fractions = sum(
        fixed is not None and fixed != round(fixed) for term in terms for fixed in term.fixed
    )
    return float(
        0.5 * np.log(count) * len(form.slots)
        + np.log(len(ATOMS) + 3) * len(terms)
        + np.log(12.0) * fractions
        + np.log(12.0) * sum(atom_of(term.atom).nodes for term in terms)
        + np.log(4.0) * sum(bool(term.by) for term in terms)
    )


def ranked(found: Sequence[Candidate], noise: float, count: int) -> list[Candidate]:
    """By length of description, with the smallest loss for noise where it is larger."""
    variance = variance_of(found, noise, count)
    return sorted(found, key=lambda x: 0.5 * x.loss / variance + description(x.form, count))


def variance_of(found: Sequence[Candidate], noise: float, count: int) -> float:
    """Of the noise, with the smallest loss for it where that is larger."""
    return max(noise**2, min(x.loss for x in found) / count)


def simplest(found: Sequence[Candidate], count: int) -> list[Candidate]:
    """Forms in another order: as if the smallest loss were a bias of thirty times its variance.

    Smoothed states are biased where they change fast, and rich forms explain the bias.
    """
    variance = BIASED * min(x.loss for x in found) / count
    return sorted(found, key=lambda x: 0.5 * x.loss / variance + description(x.form, count))


def promising(found: Sequence[Candidate], noise: float, count: int, most: int) -> list[Candidate]:
    """The first of forms in their order, without those that are far from the first.

    Args:
        found: forms by length of description.
        noise: standard deviation of the observations.
        count: how many observations there are.
        most: at most so many.
    """
    variance = variance_of(found, noise, count)
    lengths = [0.5 * x.loss / variance + description(x.form, count) for x in found[:most]]
    return [x for i, x in enumerate(found[:most]) if i < _SURE or lengths[i] < lengths[0] + _NEARLY]


def mixed(one: Sequence[Candidate], other: Sequence[Candidate]) -> list[Candidate]:
    """The first of both orders, then the second of both, and so on."""
    return distinct([x for pair in zip(one, other, strict=True) for x in pair])


def distinct(found: Sequence[Candidate]) -> list[Candidate]:
    """Each form once, where it comes first."""
    seen, kept = set(), []
    for x in found:
        if x.form not in seen:
            seen.add(x.form)
            kept.append(x)
    return kept


def assembled(form: Form, parts: Mapping[str, Parts]) -> Array:
    """The vector of parameters from coefficients and inner parameters of the terms."""
    values = []
    for slot in form.slots:
        coefficients, inner = parts[slot.function]
        values.append(
            coefficients[slot.term] if slot.inner is None else inner[slot.term][slot.inner]
        )
    return np.array(values)


def parts_of(x: Candidate, name: str) -> Parts:
    """Coefficients and inner parameters of a function."""
    terms = x.form.split(name, x.parameters)
    return np.array([c for _, c, _ in terms]), [inner for _, _, inner in terms]
