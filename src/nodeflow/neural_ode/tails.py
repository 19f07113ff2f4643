"""Neural ODEs that do not explode: networks where they learned, the tails of a law beyond.

Networks know their three functions inside the states that they saw, and extrapolate badly beyond
them; a law (`nodeflow.laws`) holds there, too. A field with tails is the one inside, the other
outside, and continuous with its slope in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.systems import Field, Function
from nodeflow.neural_ode.field import as_table, exact_fields
from nodeflow.neural_ode.functions import factor_between
from nodeflow.neural_ode.layout import ModelProblem
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.table import TableProblem

__all__ = ["agreed", "models_with_tails", "tailed", "with_tails"]

Array = NDArray[np.float64]

_FADE = 0.2
"""Distance over which what network and law differ by at the end of the states fades, in ranges."""

_USUAL, _LEAST = 1.5, 0.5
"""Networks are used up to where they differ from the law by more than so many times the median over
the range seen, and in so large a share of the way from 0 in any case: near the end of
the range a single hub was seen, or few, and networks know little."""

_NOTHING = 1e-9
"""A difference that is none."""

_POINTS = 201
"""States at which networks and law are brought to one gauge, and compared."""


def with_tails(field: Field, law: Field, low: float, high: float) -> Field:
    """A learned field inside a range of states, and a law beyond.

    h_ego and h_alt are known up to a factor, c h_ego and h_alt / c being the same; those of the law
    are scaled so that its h_alt is closest to the learned one over the range, by least squares. At
    the ends of the range the two still differ by a little, in value and slope. That is added to the
    law, and fades like exp(−d) with the distance d from the range, in fifths of it: so functions
    and their slopes are continuous, and far away they are those of the law.

    Args:
        field: what was learned, exact or of tables.
        law: the law's field, in any gauge.
        low: smallest state that was learned from.
        high: largest.

    Returns:
        The field; inside the range its values are those of `field`, bit by bit.

    Raises:
        ModelProblem: the range is empty or not finite.
    """
    if not (np.isfinite([low, high]).all() and low < high):
        raise ModelProblem(f"Tails need a range of states low < high; got {low}, {high}.")
    at = np.linspace(low, high, _POINTS)
    c = factor_between(law.h_alt(at), field.h_alt(at))
    f = _Tail.of(field.f, field.df, law.f, law.df, 1.0, low, high)
    h_ego = _Tail.of(field.h_ego, field.dh_ego, law.h_ego, law.dh_ego, 1 / c, low, high)
    h_alt = _Tail.of(field.h_alt, field.dh_alt, law.h_alt, law.dh_alt, c, low, high)
    return _TailedField(
        f=_joined(field.f, f.at, low, high),
        h_ego=_joined(field.h_ego, h_ego.at, low, high),
        h_alt=_joined(field.h_alt, h_alt.at, low, high),
        df=_joined(field.df, f.slope, low, high),
        dh_ego=_joined(field.dh_ego, h_ego.slope, low, high),
        dh_alt=_joined(field.dh_alt, h_alt.slope, low, high),
        inner=field,
        tails=(f, h_ego, h_alt),
        low=low,
        high=high,
    )


def models_with_tails(models: Models, laws: Fields) -> Fields:
    """Neural ODEs, each with the tails of the law of its training graph.

    Args:
        models: trained graph by graph, from the first one on.
        laws: of the first training graphs, one each.

    Networks are taken as far as they agree with the law as well as elsewhere (`agreed`): at the end
    of their range they saw single hubs.

    Returns:
        The models on those graphs, in their order, as tables where their functions allow that.
        Where the training failed or no law was found, there is no field.
    """
    law = dict(zip(laws.training_graph.tolist(), laws.fields, strict=True))
    kept = np.flatnonzero(np.isin(models.training_graph, laws.training_graph))
    chosen = models.take(kept)
    bare = Models(chosen.parameters, {}, chosen.about, activation=models.activation)
    each = zip(exact_fields(bare), bare.training_graph.tolist(), bare.seen.tolist(), strict=True)
    return Fields(
        tuple(tailed(field, law[graph], low, high) for field, graph, (low, high) in each),
        bare.training_graph,
        bare.seen,
        bare.error,
    )


def tailed(field: Field | None, law: Field | None, low: float, high: float) -> Field | None:
    """A network as far as it agrees with a law (`agreed`), and the law beyond: `with_tails`.

    Args:
        field: the network; None where there is none.
        law: the law's field; None where there is none.
        low: smallest state seen.
        high: largest.

    Returns:
        The field, as a table where its functions allow that; None where one of the two is missing.
    """
    if field is None or law is None:
        return None
    low, high = agreed(field, law, low, high)
    whole = with_tails(field, law, low, high)
    try:
        return as_table(whole, low, high)
    except TableProblem:
        return whole


def agreed(field: Field, law: Field, low: float, high: float) -> tuple[float, float]:
    """The part of a range of states in which networks differ from a law by no more than usual.

    How much they differ at a state is the largest over the three functions, each in units of its
    largest value over the range, of the difference of values and of what that of slopes makes
    until it has faded. Only ends away from 0 move, and at most half of the way there.

    Args:
        field: the networks.
        law: the law's field.
        low: smallest state seen.
        high: largest.
    """
    x = np.linspace(low, high, _POINTS)
    apart = np.zeros(_POINTS)
    c = factor_between(law.h_alt(x), field.h_alt(x))
    for name, scale in (("f", 1.0), ("h_ego", 1 / c), ("h_alt", c)):
        values = scale * getattr(law, name)(x)
        off = np.abs(getattr(field, name)(x) - values)
        with np.errstate(all="ignore"):
            steeper = getattr(field, f"d{name}")(x) - scale * getattr(law, f"d{name}")(x)
        off += _FADE * (high - low) * np.abs(np.where(np.isfinite(steeper), steeper, 0.0))
        apart = np.maximum(apart, off / max(float(np.abs(values).max()), np.finfo(float).tiny))
    apart = np.where(np.isfinite(apart), apart, np.inf)
    agree = x[apart <= max(_USUAL * float(np.median(apart)), _NOTHING)]
    if high > 0:
        high = max(float(agree.max()), high - (1 - _LEAST) * min(high, high - low))
    if low < 0:
        low = min(float(agree.min()), low + (1 - _LEAST) * min(-low, high - low))
    return low, high


@dataclass(frozen=True)
class _Offset:
    """What is added to a law beyond one end of the range: (value + rate d) exp(−d / fade)."""

    value: float
    rate: float
    fade: float

    def at(self, distance: Array) -> Array:
        return np.asarray((self.value + self.rate * distance) * np.exp(-distance / self.fade))

    def slope(self, distance: Array) -> Array:
        """By the distance."""
        whole = self.rate - (self.value + self.rate * distance) / self.fade
        return np.asarray(whole * np.exp(-distance / self.fade))


@dataclass(frozen=True)
class _Tail:
    """One function of a law, scaled, with offsets beyond either end of a range."""

    law: Function
    law_slope: Function
    scale: float
    low: float
    high: float
    below: _Offset
    above: _Offset

    @classmethod
    def of(
        cls, value: Function, slope: Function, law: Function, law_slope: Function, scale: float,
        low: float, high: float,
    ) -> _Tail:  # fmt: skip
        ends = np.array([low, high])
        with np.errstate(all="ignore"):
            off = value(ends) - scale * law(ends)
            steeper = (slope(ends) - scale * law_slope(ends)) * [-1.0, 1.0]
        if not np.isfinite(off).all():
            raise ModelProblem(
                f"The law has no finite values at the states {low:g} and {high:g}, up to which the "
                "networks learned; take another law, or networks without tails."
            )
        fade = _FADE * (high - low)
        # A root is infinitely steep at 0: there the values alone can be continuous.
        rates = np.where(np.isfinite(steeper), steeper + off / fade, 0.0)
        below, above = (_Offset(float(v), float(r), fade) for v, r in zip(off, rates, strict=True))
        return cls(law, law_slope, scale, low, high, below, above)

    def at(self, x: Array) -> Array:
        """At states outside the range."""
        offset = np.where(x > self.high, *self._offsets(x, "at"))
        return np.asarray(self.scale * self.law(x) + offset)

    def slope(self, x: Array) -> Array:
        """The derivative by the state."""
        above, below = self._offsets(x, "slope")
        return np.asarray(self.scale * self.law_slope(x) + np.where(x > self.high, above, -below))

    def _offsets(self, x: Array, what: str) -> tuple[Array, Array]:
        """Above and below; each is of use on its own side only."""
        above = getattr(self.above, what)(np.maximum(x - self.high, 0.0))
        below = getattr(self.below, what)(np.maximum(self.low - x, 0.0))
        return above, below


@dataclass(frozen=True)
class _TailedField(Field):
    """A field whose values come at once wherever those of the inner field do."""

    inner: Field
    tails: tuple[_Tail, ...]
    low: float
    high: float

    def values(self, x: Array) -> tuple[Array, Array, Array]:
        f, h_ego, h_alt = self.inner.values(x)
        outside = _outside(x, self.low, self.high)
        if outside.any():
            there = x[outside]
            for values, tail in zip((f, h_ego, h_alt), self.tails, strict=True):
                values[outside] = tail.at(there)
        return f, h_ego, h_alt


def _outside(x: Array, low: float, high: float) -> NDArray[np.bool_]:
    return np.asarray((x < low) | (x > high))


def _joined(inner: Function, outer: Function, low: float, high: float) -> Function:
    def function(x: Array) -> Array:
        values = inner(x)
        outside = _outside(x, low, high)
        if outside.any():
            values[outside] = outer(x[outside])
        return values

    return function
