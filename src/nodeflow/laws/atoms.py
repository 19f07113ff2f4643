"""The elementary functions that laws are made of.

They are those that models of dynamics on networks are written with (docs/laws.md says where each
comes from), not those of any list of systems. Every atom has parameters inside it that enter
non-linearly: exponents, half points, rates. Where such a parameter has a unit, the search for it is
relative to the size of the states, so that a change of units changes nothing but the law's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import sympy

__all__ = ["ATOMS", "Atom", "Inner", "Scale"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """How large states are: all searches for numbers with a unit are relative to this.

    Attributes:
        low: a size that a fifth of the states stays below.
        high: a size that a twentieth of the states exceeds.
    """

    low: float
    high: float

    @classmethod
    def of(cls, states: Array, noise: float) -> Scale:
        """Of some states; what is smaller than noise is no size."""
        low, high = np.quantile(np.abs(states), [0.2, 0.95]).tolist()
        return cls(max(low, 0.02 * high, min(3.0 * noise, 0.5 * high)), high)


@dataclass(frozen=True)
class Inner:
    """A parameter inside an atom.

    Attributes:
        name: as it is printed.
        unit: power of the unit of states that it has: 0 for exponents, 1 for half points, −1 for
            rates.
        first: where searches begin: from this (of exponents; else times `Scale.low` or over
            `Scale.high`) …
        last: … to this (times `Scale.high` or over `Scale.low`).
        low: smallest value allowed, likewise.
        high: largest value allowed, likewise.
        rounds: an exponent: small fractions are tried for it.
        slow: a rate that is relative to the largest states only.
    """

    name: str
    unit: int
    first: float
    last: float
    low: float
    high: float
    rounds: bool = False
    slow: bool = False

    def starts(self, scale: Scale, dense: bool = False) -> list[float]:
        """Where searches begin, evenly spaced in the logarithm; twice as close if `dense`."""
        first, last = self._absolute(scale, self.first, self.last)
        ratio = _EXPONENTS if self.unit == 0 else _APART
        count = max(2, 1 + round(float(np.log(last / first) / np.log(ratio))))
        values = np.geomspace(first, last, count)
        if dense:
            step = (last / first) ** (0.5 / (count - 1))
            values = np.geomspace(first / step, last * step, 2 * count + 1)
        low, high = self.bounds(scale)
        return [float(v) for v in values if low <= v <= high]

    def bounds(self, scale: Scale) -> tuple[float, float]:
        """Smallest and largest value allowed."""
        return self._absolute(scale, self.low, self.high)

    def _absolute(self, scale: Scale, low: float, high: float) -> tuple[float, float]:
        if self.unit == 0:
            return low, high
        if self.unit == 1:
            return low * (scale.low if low > 0 else scale.high), high * scale.high
        return low / scale.high, high / (scale.high if self.slow else scale.low)


@dataclass(frozen=True)
class Atom:
    """An elementary function φ(x; θ).

    Attributes:
        name: its key in `ATOMS`.
        inner: what θ consists of.
        value: φ.
        slope: its derivative by x.
        by_inner: its derivatives by θ.
        expression: φ in sympy.
        signed: its formula holds for negative states too; the others are continued as odd functions
            for what an integrator may need just below 0.
        source: where dynamics on networks have it.
        nodes: of a formula's tree, where it was found by symbolic regression.
    """

    name: str
    inner: tuple[Inner, ...]
    value: Callable[..., Array]
    slope: Callable[..., Array]
    by_inner: tuple[Callable[..., Array], ...]
    expression: Callable[..., sympy.Expr]
    signed: bool
    source: str
    nodes: int = 0


_TINY = 1e-300

_APART, _EXPONENTS = 3.0, 1.9
"""Ratio of neighbouring starts, of numbers with a unit and of exponents."""


def _log(x: Array) -> Array:
    return np.asarray(np.log(np.maximum(np.abs(x), _TINY)))


def _power(x: Array, p: float) -> Array:
    if p == 1.0:
        return x.copy()
    if p == 2.0:
        return x * np.abs(x)
    if p == 3.0:
        return x * x * x
    if p == 0.5:
        return np.asarray(np.copysign(np.sqrt(np.abs(x)), x))
    return np.asarray(np.copysign(np.abs(x) ** p, x))


def _power_slope(x: Array, p: float) -> Array:
    if p == 1.0:
        return np.ones_like(x)
    with np.errstate(divide="ignore"):
        return np.asarray(p * np.abs(x) ** (p - 1.0))


def _square(x: Array) -> Array:
    return x * x


def _hill(x: Array, h: float, half: float) -> Array:
    u = (np.abs(x) / half) ** h
    return np.asarray(np.copysign(u / (1.0 + u), x))


def _hill_slope(x: Array, h: float, half: float) -> Array:
    if h == 1.0:
        return np.asarray(half / (half + np.abs(x)) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (np.abs(x) / half) ** h
        return np.asarray(h / half * (np.abs(x) / half) ** (h - 1.0) / (1.0 + u) ** 2)


def _hill_bend(x: Array, h: float, half: float) -> Array:
    """u/(1+u)² with the sign of x: the derivative by log u."""
    u = (np.abs(x) / half) ** h
    return np.asarray(np.copysign(u / (1.0 + u) ** 2, x))


def _sech2(u: Array) -> Array:
    return np.asarray(1.0 - np.tanh(u) ** 2)


def _sigmoid(u: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * u))


def _bell(u: Array) -> Array:
    """The derivative of the logistic function."""
    s = _sigmoid(u)
    return s * (1.0 - s)


def _decay(u: Array) -> Array:
    """exp(−u), which does not overflow for states just below 0."""
    return np.asarray(np.exp(-np.maximum(u, -50.0)))


def _sympy() -> Any:
    import sympy

    return sympy


_RATE = Inner("b", -1, 0.5, 3.0, 2e-2, 2e1)
_HALF = Inner("K", 1, 0.4, 1.5, 3e-2, 3e1)

_ALL = (
    Atom(
        "one", (), np.ones_like, np.zeros_like, (), lambda x: _sympy().Integer(1), True,
        "influx, degree-only coupling",
    ),
    Atom(
        "power", (Inner("p", 0, 0.4, 2.6, 0.2, 5.0, rounds=True),),
        _power, _power_slope, (lambda x, p: _power(x, p) * _log(x),),
        lambda x, p: x**p, False,
        "generalized mass action and birth–death (Barzel and Barabási 2013; Voit 2013)",
    ),
    Atom(
        "square", (), _square, lambda x: 2.0 * x, (), lambda x: x**2, True,
        "logistic growth, Lotka–Volterra",
    ),
    Atom(
        "hill",
        (Inner("h", 0, 0.8, 3.0, 0.5, 6.0, rounds=True), _HALF),
        _hill, _hill_slope,
        (
            lambda x, h, half: _hill_bend(x, h, half) * (_log(x) - np.log(half)),
            lambda x, h, half: _hill_bend(x, h, half) * (-h / half),
        ),
        lambda x, h, half: x**h / (half**h + x**h), False,
        "gene regulation (Hill), functional responses (Holling II and III; Gao et al. 2016)",
    ),
    Atom(
        "tanh", (_RATE,), lambda x, b: np.asarray(np.tanh(b * x)),
        lambda x, b: b * _sech2(b * x), (lambda x, b: x * _sech2(b * x),),
        lambda x, b: _sympy().tanh(b * x), True,
        "firing rates (Hopfield 1984; Sompolinsky et al. 1988)",
    ),
    Atom(
        "saturation", (_RATE,), lambda x, b: 1.0 - _decay(b * x),
        lambda x, b: b * _decay(b * x), (lambda x, b: x * _decay(b * x),),
        lambda x, b: 1 - _sympy().exp(-b * x), True,
        "Ivlev response, infection by several contacts",
    ),
    Atom(
        "logistic", (_RATE, Inner("c", 1, 0.8, 1.1, -1.0, 1.2)),
        lambda x, b, c: _sigmoid(b * (x - c)),
        lambda x, b, c: b * _bell(b * (x - c)),
        (
            lambda x, b, c: (x - c) * _bell(b * (x - c)),
            lambda x, b, c: -b * _bell(b * (x - c)),
        ),
        lambda x, b, c: 1 / (1 + _sympy().exp(-b * (x - c))), True,
        "neural masses (Wilson and Cowan 1972)",
    ),
    Atom(
        "log", (_RATE,), lambda x, b: np.asarray(np.copysign(np.log1p(b * np.abs(x)), x)),
        lambda x, b: b / (1.0 + b * np.abs(x)), (lambda x, b: x / (1.0 + b * np.abs(x)),),
        lambda x, b: _sympy().log(1 + b * x), False,
        "responses that never saturate",
    ),
    Atom(
        "sine", (Inner("w", -1, 0.5, 8.0, 2e-2, 2e1, slow=True),),
        lambda x, b: np.asarray(np.sin(b * x)), lambda x, b: b * np.cos(b * x),
        (lambda x, b: x * np.cos(b * x),), lambda x, b: _sympy().sin(b * x), True,
        "oscillators (Kuramoto 1975)",
    ),
    Atom(
        "ricker", (_RATE,), lambda x, b: x * _decay(b * x),
        lambda x, b: (1.0 - b * x) * _decay(b * x), (lambda x, b: -x * x * _decay(b * x),),
        lambda x, b: x * _sympy().exp(-b * x), True,
        "overcompensation (Ricker 1954)",
    ),
)  # fmt: skip

ATOMS: Mapping[str, Atom] = MappingProxyType({atom.name: atom for atom in _ALL})
"""All atoms by name. `square` is x² on the whole axis, where `power` with p = 2 is x|x|."""
