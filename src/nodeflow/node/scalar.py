"""Trained scalar networks as plain functions on float64 arrays: exact, and tabulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from nodeflow.problems import Problem

__all__ = ["ScalarNet", "TableProblem", "TabulatedNet", "tabulate"]

Array = NDArray[np.float64]

_BLOCK = 256
_SCALE = 1.0507009873554804934193349852946
_NEGATIVE_SCALE = _SCALE * 1.6732632423543772848170429916717


class TableProblem(Problem):
    """A network cannot be tabulated as asked for."""


@dataclass(frozen=True)
class ScalarNet:
    """A multilayer perceptron from one number to one number, with SELU between its layers.

    States are evaluated in blocks of a fixed number of rows, so that the value at a state does not
    depend on how many others are evaluated with it.

    Attributes:
        weights: of each layer, float64, shape (fan_in, fan_out).
        biases: of each layer, float64, shape (fan_out,).
    """

    weights: Sequence[Array]
    biases: Sequence[Array]

    def __call__(self, x: Array) -> Array:
        """Values at `x`, of its shape."""
        return _in_blocks(self._values, x)

    def derivative(self, x: Array) -> Array:
        """Exact derivatives at `x`, of its shape."""
        return _in_blocks(self._slopes, x)

    def _values(self, x: Array) -> Array:
        hidden = x * self.weights[0] + self.biases[0]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            hidden = _selu(hidden) @ weight + bias
        return hidden[:, 0]

    def _slopes(self, x: Array) -> Array:
        hidden = x * self.weights[0] + self.biases[0]
        slope = np.broadcast_to(self.weights[0], hidden.shape)
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            slope = (slope * _selu_slope(hidden)) @ weight
            hidden = _selu(hidden) @ weight + bias
        return slope[:, 0]


def _in_blocks(function: Callable[[Array], Array], x: Array) -> Array:
    flat = np.ravel(x)
    out = np.empty(len(flat))
    block = np.zeros((_BLOCK, 1))
    for start in range(0, len(flat), _BLOCK):
        part = flat[start : start + _BLOCK]
        block[: len(part), 0] = part
        out[start : start + _BLOCK] = function(block)[: len(part)]
    return out.reshape(np.shape(x))


def _selu(z: Array) -> Array:
    return np.where(z > 0, _SCALE * z, _NEGATIVE_SCALE * np.expm1(np.minimum(z, 0.0)))


def _selu_slope(z: Array) -> Array:
    return np.where(z > 0, _SCALE, _NEGATIVE_SCALE * np.exp(np.minimum(z, 0.0)))


# --- tables ---------------------------------------------------------------------------------------

_BUCKETS = 4096
_MOST_KNOTS = 2**20


@dataclass(frozen=True)
class TabulatedNet:
    """A scalar network as a piecewise linear table with a checked error; made by `tabulate`.

    Inside the table values come from the table, outside from the network itself.

    Attributes:
        net: the network.
        knots: shape (K,), increasing; dense where the network bends.
        values: of the network at the knots.
        slopes: between each knot and the next, shape (K − 1,).
        low: start of the range that is indexed for fast look-up.
        per_state: buckets per unit of state in that range.
        first: knot at or before the start of each bucket, and of the end of the last one.
    """

    net: ScalarNet
    knots: Array
    values: Array
    slopes: Array
    low: float
    per_state: float
    first: NDArray[np.int64]

    def __call__(self, x: Array) -> Array:
        """Values at `x`, of its shape."""
        flat = np.ravel(x)
        out = np.empty(len(flat))
        missed = _look_up(
            flat, self.knots, self.values, self.slopes, self.low, self.per_state, self.first, out
        )
        if missed:
            outside = ~((flat >= self.knots[0]) & (flat <= self.knots[-1]))
            out[outside] = self.net(flat[outside])
        return out.reshape(np.shape(x))

    def derivative(self, x: Array) -> Array:
        """Slopes of the table at `x`, of its shape; outside the table those of the network."""
        flat = np.ravel(x)
        out = np.empty(len(flat))
        missed = _look_up_slopes(
            flat, self.knots, self.slopes, self.low, self.per_state, self.first, out
        )
        if missed:
            outside = ~((flat >= self.knots[0]) & (flat <= self.knots[-1]))
            out[outside] = self.net.derivative(flat[outside])
        return out.reshape(np.shape(x))


def tabulate(
    net: ScalarNet, low: float, high: float, *, tolerance: float = 1e-6, reach: float = 1e3
) -> TabulatedNet:
    """A table of a network whose error is at most `tolerance` · (1 + |value|).

    An interval between two knots is split in four until linear interpolation is twice as good at
    three points inside it; the factor of two covers what may happen between those points.

    Args:
        net: the network.
        low: smallest state of the range where most look-ups fall.
        high: largest state of that range.
        tolerance: bound of the error.
        reach: how far the table goes beyond that range on either side, in units of its width.

    Raises:
        TableProblem: an empty range, or a network too rough for a table of a million knots.
    """
    if not (np.isfinite([low, high]).all() and low < high) or not (tolerance > 0 and reach >= 0):
        raise TableProblem(
            f"A table needs a range low < high, a tolerance > 0 and a reach ≥ 0; got {low}, "
            f"{high}, {tolerance}, {reach}."
        )
    knots, values = _refine(net, _first_knots(low, high, reach), tolerance)
    edges = np.linspace(low, high, _BUCKETS + 1)
    first = np.clip(np.searchsorted(knots, edges, side="right") - 1, 0, len(knots) - 2)
    slopes = np.diff(values) / np.diff(knots)
    return TabulatedNet(net, knots, values, slopes, low, _BUCKETS / (high - low), first)


def _first_knots(low: float, high: float, reach: float) -> Array:
    inner = np.linspace(low, high, 65)
    if reach == 0:
        return inner
    beyond = (high - low) * np.geomspace(min(1e-2, reach / 2), reach, 64)
    return np.concatenate([low - beyond[::-1], inner, high + beyond])


def _refine(net: ScalarNet, knots: Array, tolerance: float) -> tuple[Array, Array]:
    shares = np.array([0.25, 0.5, 0.75])[:, None]
    values = net(knots)
    done_x, done_y = [knots], [values]
    left, right, y_left, y_right = knots[:-1], knots[1:], values[:-1], values[1:]
    count = len(knots)
    while len(left):
        x = left + shares * (right - left)
        y = net(x)
        error = np.abs(y - (y_left + shares * (y_right - y_left)))
        rough = (error > 0.5 * tolerance * (1.0 + np.abs(y))).any(axis=0)
        count += 3 * int(np.count_nonzero(rough))
        if not np.isfinite(y).all() or count > _MOST_KNOTS:
            raise TableProblem(
                f"A network cannot be tabulated to {tolerance:g} with {_MOST_KNOTS} knots; "
                "evaluate it exactly or allow a larger tolerance."
            )
        x, y = x[:, rough], y[:, rough]
        done_x.append(x.ravel())
        done_y.append(y.ravel())
        ends_x, ends_y = (left[rough], right[rough]), (y_left[rough], y_right[rough])
        x_all = np.vstack([ends_x[0], x, ends_x[1]])
        y_all = np.vstack([ends_y[0], y, ends_y[1]])
        left, right = x_all[:-1].ravel(), x_all[1:].ravel()
        y_left, y_right = y_all[:-1].ravel(), y_all[1:].ravel()
    x, y = np.concatenate(done_x), np.concatenate(done_y)
    order = np.argsort(x, kind="stable")
    return x[order], y[order]


@numba.njit(cache=True)
def _segment(
    state: float,
    knots: Array,
    low: float,
    per_state: float,
    first: NDArray[np.int64],
) -> int:
    """The last knot at or before a state inside the table."""
    buckets = len(first) - 1
    place = (state - low) * per_state
    if place < 0.0:
        below, above = 0, first[0] + 1
    elif place >= buckets:
        below, above = first[buckets], len(knots) - 1
    else:
        bucket = int(place)
        # One knot on either side, because `place` is rounded.
        below, above = max(first[bucket] - 1, 0), min(first[bucket + 1] + 2, len(knots) - 1)
    while above - below > 1:
        middle = (below + above) >> 1
        if knots[middle] <= state:
            below = middle
        else:
            above = middle
    return int(below)


@numba.njit(cache=True)
def _look_up(
    x: Array,
    knots: Array,
    values: Array,
    slopes: Array,
    low: float,
    per_state: float,
    first: NDArray[np.int64],
    out: Array,
) -> int:
    """Interpolate at `x` into `out`; returns how many states are outside the table, or NaN."""
    missed = 0
    for i in range(len(x)):
        if x[i] >= knots[0] and x[i] <= knots[-1]:
            below = _segment(x[i], knots, low, per_state, first)
            out[i] = values[below] + (x[i] - knots[below]) * slopes[below]
        else:
            missed += 1
    return missed


@numba.njit(cache=True)
def _look_up_slopes(
    x: Array,
    knots: Array,
    slopes: Array,
    low: float,
    per_state: float,
    first: NDArray[np.int64],
    out: Array,
) -> int:
    """Slopes at `x` into `out`; returns how many states are outside the table, or NaN."""
    missed = 0
    for i in range(len(x)):
        if x[i] >= knots[0] and x[i] <= knots[-1]:
            out[i] = slopes[_segment(x[i], knots, low, per_state, first)]
        else:
            missed += 1
    return missed
