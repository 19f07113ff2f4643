"""Tails that the data leave open: atoms that are a power of x as long as x is small.

Where states were seen, x^p and K^p x^p / (K^p + x^p) are the same if K is large enough; far beyond
they are not. The shortest description takes the power, which has no K. That is no reason to believe
in it at a hub: how much of the range of K the data leave open says how much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.atoms import Scale
from nodeflow.laws.form import FUNCTIONS, Form, Term
from nodeflow.laws.formulas import atom_of
from nodeflow.laws.refine import Fit

__all__ = ["open_tails"]

Array = NDArray[np.float64]

_FIRST, _FIXED = 3.0, (1.0, 3.0, 10.0)
"""Where K starts, and where it is tried if it runs away, in units of the largest states."""

_AS_WELL = 1.35
"""Nats: a law whose loss is larger by so many is outside the 90 % interval of one parameter."""

_HOPELESS = 3.0
"""Times that: a fit that promises no less is given up on its way."""

_AT_BOUND = 0.98


def open_tails(
    best: Fit, scale: Scale, signed: bool, variance: float,
    refit: Callable[[Form, Array, float], Fit | None],
) -> Iterator[tuple[Fit, float]]:  # fmt: skip
    """Laws that end otherwise than the best one and fit as well.

    Args:
        best: the law of the shortest description.
        scale: sizes of the states.
        signed: some are negative.
        variance: of the noise.
        refit: fits a form, from parameters, and gives up where the loss stays above a limit.

    Yields:
        A law, and the nats that K costs it: the logarithm of the share of K's range, in its
        logarithm, that the data leave open.
    """
    for name in FUNCTIONS:
        terms = getattr(best.form, name)
        if any(term.free or term.by for term in terms):
            continue
        for place, term in enumerate(terms):
            if term.atom != "power" or (name == "h_alt" and place):
                continue
            [power] = term.fixed
            for head in _heads(power, signed):
                opened = _opened(best, name, place, power, head, scale, variance, refit)
                if opened is not None:
                    yield opened


def _heads(power: float | None, signed: bool) -> list[Term]:
    """Atoms that begin as x^p, K free."""
    heads = [] if signed else [Term("hill", (power, None))]
    return heads if power != 1.0 else [*heads, Term("tanh", (None,))]


def _opened(
    best: Fit, name: str, place: int, power: float | None, head: Term, scale: Scale,
    variance: float, refit: Callable[[Form, Array, float], Fit | None],
) -> tuple[Fit, float] | None:  # fmt: skip
    """The law with this atom in place of a power; None if the data exclude it."""
    assert power is not None
    inner = atom_of(head.atom).inner[-1]
    low, high = inner.bounds(scale)
    reach = float(np.log(high / low))

    def near(size: float, free: bool) -> Fit | None:
        parameter = size * scale.high if inner.unit > 0 else 1.0 / (size * scale.high)
        form, parameters = _replaced(
            best, name, place, head, (size * scale.high) ** power, parameter, free
        )
        return refit(form, parameters, best.loss + _HOPELESS * 2.0 * _AS_WELL * variance)

    def as_well(x: Fit | None) -> bool:
        return x is not None and 0.5 * (x.loss - best.loss) / variance < _AS_WELL

    x = near(_FIRST, True)
    if x is not None and as_well(x):
        slot = next(
            i for i, s in enumerate(x.form.slots) if s.function == name and s.inner is not None
        )
        parameter = float(x.parameters[slot])
        error = np.sqrt(max(x.covariance(np.sqrt(variance))[slot, slot], 0.0)) / parameter
        away = np.log(high / parameter) if inner.unit > 0 else np.log(parameter / low)
        if away > -np.log(_AT_BOUND):
            share = min(1.0, np.sqrt(2.0 * np.pi) * float(error) / reach)
            return x, -float(np.log(share))
    for size in _FIXED:
        x = near(size, False)
        if x is not None and as_well(x):
            limit = high / scale.high if inner.unit > 0 else 1.0 / (low * scale.high)
            return x, -float(np.log(np.log(limit / size) / reach))
    return None


def _replaced(
    best: Fit, name: str, place: int, head: Term, factor: float, value: float, free: bool
) -> tuple[Form, Array]:
    """Form and parameters with an atom for a power, equal to it for small states.

    Args:
        best: the law.
        name: function.
        place: of the power in it.
        head: the atom.
        factor: how much smaller the atom is than the power there.
        value: of its last inner parameter.
        free: whether that is fitted.
    """
    terms = list(getattr(best.form, name))
    del terms[place]
    new = head if free else replace(head, fixed=(*head.fixed[:-1], value))
    form = replace(best.form, **{name: (new, *terms)})
    coefficients = {n: [c for _, c, _ in best.form.split(n, best.parameters)] for n in FUNCTIONS}
    inners = {n: [i for _, _, i in best.form.split(n, best.parameters)] for n in FUNCTIONS}
    own = coefficients[name]
    coefficients[name] = [own[place] * factor, *own[:place], *own[place + 1 :]]
    exponent = [x for x in head.fixed[:-1] if x is not None]
    inners[name] = [(*exponent, value), *inners[name][:place], *inners[name][place + 1 :]]
    if name == "h_alt":
        coefficients["h_alt"] = [c / factor for c in coefficients["h_alt"]]
        coefficients["h_ego"] = [c * factor for c in coefficients["h_ego"]]
    return form, np.array(
        [
            coefficients[s.function][s.term]
            if s.inner is None
            else inners[s.function][s.term][s.inner]
            for s in form.slots
        ]
    )
