"""Functions given by their values at a few states, in place of networks.

Estimates and draws from posteriors are made as values, not as networks. They are vector fields all
the same: cubic in √x between their states, and a power law through their last values beyond them,
as functions of states that grow with the degree go on in most systems.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nodeflow.compiled import njit
from nodeflow.dynamics.systems import Field, Function

__all__ = ["Beyond", "Curves", "beyond"]

Array = NDArray[np.float64]

_LAST = 0.4
"""Share of the states, from the end, through which a function is continued."""

_FALLEN = 0.75
"""A function that is less than this share of what it was before, at their end, falls towards 0."""


@dataclass(frozen=True)
class Beyond:
    """How a function goes on from one of its states: a power law, or else a line.

    Attributes:
        state: where it begins.
        value: of the function there.
        rate: exponent of the power law, or slope of the line.
        power: whether it is a power law.
    """

    state: float
    value: float
    rate: float
    power: bool

    def at(self, x: Array) -> Array:
        """The function at states beyond."""
        if self.power:
            return np.asarray(self.value * (x / self.state) ** self.rate)
        return self.value + self.rate * (x - self.state)

    def slope(self, x: Array) -> Array:
        """Its derivative."""
        if self.power:
            return np.asarray(self.rate * self.at(x) / x)
        return np.full_like(x, self.rate)


def beyond(states: Array, values: Array, *, below: bool = False) -> Beyond:
    """How a function goes on beyond its last state, or below its first one.

    A power law by least squares through the last 40 % of the states, where the function has one
    sign there, and from the last value on; else a line. A line, too, where the function falls
    towards 0 there as a line does and as no power does: a power of the state never reaches 0, and
    what should end at a state, like 1 − x, would go on for ever. Below the first state exponents
    are not negative, so that functions stay finite at 0.

    Args:
        states: (K,) rising, not negative.
        values: (K,) of the function.
        below: whether to go on below the first state.
    """
    count = max(int(_LAST * len(states)), 3)
    x, y = (states[:count], values[:count]) if below else (states[-count:], values[-count:])
    end = 0 if below else -1
    clear = (x > 0) & (y * y[end] > 0)
    line = np.polyfit(x, y, 1)
    if y[end] != 0 and x[end] > 0 and clear.all():
        rate, height = np.polyfit(np.log(x), np.log(np.abs(y)), 1)
        power = np.sign(y[end]) * np.exp(height) * x**rate
        falls = abs(y[end]) < _FALLEN * abs(y[-1 - end])
        if below or not falls or _missed(y, power) <= _missed(y, np.polyval(line, x)):
            rate = max(float(rate), 0.0) if below else float(rate)
            return Beyond(float(x[end]), float(y[end]), rate, True)
    return Beyond(float(x[end]), float(y[end]), float(line[0]), False)


def _missed(values: Array, found: NDArray[Any]) -> float:
    return float(np.square(values - found).sum())


@dataclass(frozen=True, eq=False)
class Curves:
    """R triples of functions f, h_ego and h_alt; below 0 they are constant.

    Attributes:
        states: (K,) equally spaced in √x, from 0.
        values: (R, 3, K) the functions there.
    """

    states: Array
    values: Array

    def __len__(self) -> int:
        return len(self.values)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """(R,) which can be used: those whose values are finite."""
        return np.asarray(np.isfinite(self.values).all(axis=(1, 2)))

    @property
    def seen(self) -> Array:
        """(R, 2) smallest and largest state."""
        return np.tile(self.states[[0, -1]], (len(self), 1))

    @cached_property
    def fields(self) -> list[Field]:
        """The vector field of each that can be used."""
        return [_field(self.states, x) for x in self.values[self.ok]]


def _field(states: Array, values: Array) -> Field:
    roots = np.sqrt(states)
    pieces = np.moveaxis(np.asarray(CubicSpline(roots, values.T).c), 2, 0)
    rest = tuple(beyond(states, x) for x in values)
    curves = _Three(np.ascontiguousarray(pieces), float(roots[1] - roots[0]), rest)
    f, h_ego, h_alt = (_function(curves, k) for k in range(3))
    df, dh_ego, dh_alt = (_slope(curves, k) for k in range(3))
    return _CurveField(f, h_ego, h_alt, df, dh_ego, dh_alt, curves)


def _function(curves: _Three, number: int) -> Function:
    return lambda x: curves.at(x, number, number + 1)[0]


def _slope(curves: _Three, number: int) -> Function:
    return lambda x: curves.slope(x, number)


@dataclass(frozen=True)
class _CurveField(Field):
    """A field whose three functions are found together."""

    curves: _Three

    def values(self, x: Array) -> tuple[Array, Array, Array]:
        f, h_ego, h_alt = self.curves.at(x, 0, 3)
        return f, h_ego, h_alt


@dataclass(frozen=True, eq=False)
class _Three:
    """Three functions: polynomials of √x, (3, 4, K − 1), highest power first, and the rest."""

    pieces: Array
    width: float
    rest: tuple[Beyond, ...]

    @property
    def _end(self) -> float:
        return self.rest[0].state

    def at(self, x: Array, first: int, last: int) -> Array:
        """Those from `first` to before `last`."""
        flat = np.ascontiguousarray(x, dtype=np.float64).ravel()
        values = np.empty((last - first, len(flat)))
        if _cubics(self.pieces[first:last], self.width, self._end, flat, values):
            over = flat > self._end
            for row, rest in zip(values, self.rest[first:last], strict=True):
                row[over] = rest.at(flat[over])
        return values.reshape(last - first, *np.shape(x))

    def slope(self, x: Array, number: int) -> Array:
        """The derivative of one of them."""
        flat = np.ascontiguousarray(x, dtype=np.float64).ravel()
        slopes = np.empty(len(flat))
        if _slopes(self.pieces[number], self.width, self._end, flat, slopes):
            over = flat > self._end
            slopes[over] = self.rest[number].slope(flat[over])
        return slopes.reshape(np.shape(x))


@njit(error_model="numpy")
def _place(x: float, width: float, end: float, last: int) -> tuple[int, float]:
    """The piece of a state, and √x; what is no number stays none, in the first piece as in any."""
    root = np.sqrt(min(max(x, 0.0), end)) if x == x else x
    return min(int(root / width), last) if x == x else 0, root


@njit(error_model="numpy")
def _cubics(pieces: Array, width: float, end: float, x: Array, out: Array) -> int:
    """Values at `x`, (functions, n), into `out`; returns how many states are beyond the end."""
    beyond_end = 0
    for i in range(len(x)):
        piece, root = _place(x[i], width, end, pieces.shape[2] - 1)
        u = root - piece * width
        for k in range(len(pieces)):
            a, b, c, d = (
                pieces[k, 0, piece],
                pieces[k, 1, piece],
                pieces[k, 2, piece],
                pieces[k, 3, piece],
            )
            out[k, i] = ((a * u + b) * u + c) * u + d
        beyond_end += x[i] > end
    return beyond_end


@njit(error_model="numpy")
def _slopes(pieces: Array, width: float, end: float, x: Array, out: Array) -> int:
    """Derivatives of one function, as `_cubics`.

    √x is infinitely steep at 0; no further than a quarter of a piece from there.
    """
    beyond_end = 0
    for i in range(len(x)):
        piece, root = _place(x[i], width, end, pieces.shape[1] - 1)
        u = root - piece * width
        a, b, c = pieces[0, piece], pieces[1, piece], pieces[2, piece]
        by_root = (3 * a * u + 2 * b) * u + c
        out[i] = 0.0 if x[i] < 0 else by_root / (2 * max(root, width / 4))
        beyond_end += x[i] > end
    return beyond_end
