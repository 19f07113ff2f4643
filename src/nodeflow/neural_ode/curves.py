"""Functions given by their values at a few states, in place of networks.

Estimates and draws from posteriors are made as values, not as networks. They are vector fields all
the same: cubic in √x between their states, and a power law through their last values beyond them,
as functions of states that grow with the degree go on in most systems.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nodeflow.dynamics.systems import Field, Function

__all__ = ["Beyond", "Curves", "beyond"]

Array = NDArray[np.float64]

_LAST = 0.4
"""Share of the states, from the end, through which a function is continued."""


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
    sign there, and from the last value on; else a line. Below the first state exponents are not
    negative, so that functions stay finite at 0.

    Args:
        states: (K,) rising, not negative.
        values: (K,) of the function.
        below: whether to go on below the first state.
    """
    count = max(int(_LAST * len(states)), 3)
    x, y = (states[:count], values[:count]) if below else (states[-count:], values[-count:])
    end = 0 if below else -1
    clear = (x > 0) & (y * y[end] > 0)
    if y[end] != 0 and x[end] > 0 and clear.all():
        rate = float(np.polyfit(np.log(x), np.log(np.abs(y)), 1)[0])
        return Beyond(float(x[end]), float(y[end]), max(rate, 0.0) if below else rate, True)
    return Beyond(float(x[end]), float(y[end]), float(np.polyfit(x, y, 1)[0]), False)


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
    curves = [_Curve.through(states, x) for x in values]
    f, h_ego, h_alt = (_function(x) for x in curves)
    df, dh_ego, dh_alt = (_slope(x) for x in curves)
    return Field(f, h_ego, h_alt, df, dh_ego, dh_alt)


def _function(curve: _Curve) -> Function:
    return lambda x: curve.at(x)


def _slope(curve: _Curve) -> Function:
    return lambda x: curve.slope(x)


@dataclass(frozen=True, eq=False)
class _Curve:
    """One function: pieces of polynomials of √x, highest power first, (4, K − 1), and the rest."""

    pieces: Array
    width: float
    rest: Beyond

    @classmethod
    def through(cls, states: Array, values: Array) -> _Curve:
        roots = np.sqrt(states)
        pieces = np.asarray(CubicSpline(roots, values).c)
        return cls(pieces, float(roots[1] - roots[0]), beyond(states, values))

    def _place(self, x: Array) -> tuple[Array, Array]:
        """The coefficients of each state's piece, and how far into it √x is."""
        root = np.sqrt(np.clip(x, 0.0, self.rest.state))
        # What is no number any more stays none, in the first piece as in any.
        piece = np.minimum(np.nan_to_num(root) // self.width, self.pieces.shape[1] - 1)
        piece = piece.astype(np.int64)
        return self.pieces[:, piece], root - piece * self.width

    def at(self, x: Array) -> Array:
        (a, b, c, d), u = self._place(x)
        inside = ((a * u + b) * u + c) * u + d
        over = x > self.rest.state
        return np.where(over, self.rest.at(np.maximum(x, self.rest.state)), inside)

    def slope(self, x: Array) -> Array:
        (a, b, c, _), u = self._place(x)
        by_root = (3 * a * u + 2 * b) * u + c
        # √x is infinitely steep at 0; no further than a quarter of a piece from there.
        root = np.maximum(np.sqrt(np.clip(x, 0.0, self.rest.state)), self.width / 4)
        inside = np.where(x < 0, 0.0, by_root / (2 * root))
        over = x > self.rest.state
        return np.where(over, self.rest.slope(np.maximum(x, self.rest.state)), inside)
