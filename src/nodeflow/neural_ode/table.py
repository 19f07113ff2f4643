"""The three networks of a neural ODE as one table of straight lines, with a checked error.

On a large graph most of the work would be the networks, so they are tabulated, and a look-up has to
cost no more than the functions of a true system do. It therefore searches nothing. A state x gives
the number z = 1 + |x − low| / (high − low), and what is to be looked up stands in the bits of z:
its exponent is the octave (the first one is the range low … high itself, each further one twice as
wide as the one before), the first bits of its fraction are the bucket in the octave, and as many
further bits as the bucket needs are the line in the bucket; where networks have kinks, there are
buckets in the bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nodeflow.neural_ode.look_ups import (
    DEEPER,
    FRACTION,
    OCTAVES,
    Array,
    Unsigned,
    look_up,
    look_up_slope,
)
from nodeflow.problems import Problem

__all__ = ["Scalar", "Table", "TableProblem", "tabulate"]


_BUCKET_BITS = (12, 7)
"""Of the range itself, and of the other octaves."""

_FIRST_PIECES = (256, 8)
"""Pieces that refinement starts with, likewise."""

_SPLIT_BITS = 5
"""A bucket that needs more bits is split into buckets of its own, so that kinks cost few lines."""


_SMALL, _SAMPLED = 1 / 16, 65
"""Largest value, of so many over the range, below which networks are small."""

_MOST_PIECES = 2**20

_MOST_ENDS = 64
"""Pieces as short as floats allow, on either side of `low`."""


class TableProblem(Problem):
    """Networks cannot be tabulated as asked for."""


class Scalar(Protocol):
    """A function of one number: a network, or what else can be tabulated."""

    def __call__(self, x: Array) -> Array:
        """Values at `x`, of its shape."""

    def derivative(self, x: Array) -> Array:
        """Derivatives at `x`, of its shape."""


@dataclass(frozen=True)
class Table:
    """The three functions as straight lines, piece by piece; made by `tabulate`.

    Inside the table values come from its lines, outside from the networks themselves.

    Attributes:
        nets: f, h_ego and h_alt.
        low: start of the range where most look-ups fall.
        per_width: one over the width of that range.
        base: first bucket of each octave, those above `low` first.
        drop: bits of the fraction that do not count for the bucket, by octave.
        origin: line, or first bucket of its own, of each bucket for a fraction of zero (modulo 2⁶⁴;
            2⁶³ is added to numbers of buckets).
        shift: bits of the fraction that do not count for the line, by bucket.
        lines: (L, 6) value at state 0 and slope of each network.
    """

    nets: tuple[Scalar, ...]
    low: float
    per_width: float
    base: Unsigned
    drop: Unsigned
    origin: Unsigned
    shift: Unsigned
    lines: Array

    def values(self, x: Array) -> Array:
        """Values of f, h_ego and h_alt, shape (3, *x.shape)."""
        flat = np.ravel(x)
        values = np.empty((3, len(flat)))
        if look_up(flat, *self._index, values):
            outside = self._outside(flat)
            for row, net in zip(values, self.nets, strict=True):
                row[outside] = net(flat[outside])
        return values.reshape(3, *np.shape(x))

    def slope(self, number: int, x: Array) -> Array:
        """Slope of the line of one network at `x`; outside the table that of the network."""
        flat = np.ravel(x)
        slopes = np.empty(len(flat))
        if look_up_slope(flat, *self._index, 2 * number + 1, slopes):
            outside = self._outside(flat)
            slopes[outside] = self.nets[number].derivative(flat[outside])
        return slopes.reshape(np.shape(x))

    @property
    def _index(self) -> tuple[float, float, Unsigned, Unsigned, Unsigned, Unsigned, Array]:
        return (
            self.low, self.per_width, self.base, self.drop, self.origin, self.shift, self.lines
        )  # fmt: skip

    def _outside(self, flat: Array) -> NDArray[np.bool_]:
        return ~(1.0 + np.abs((flat - self.low) * self.per_width) < 2.0**OCTAVES)


def tabulate(
    nets: Sequence[Scalar],
    low: float,
    high: float,
    *,
    tolerance: float = 1e-6,
    trained: bool = False,
) -> Table:
    """A table of networks with errors within `tolerance` · (1 + |value|).

    A piece is split in four until its line is four times as good at three points inside it. The
    factor covers what may happen between those points, but for rare kinks that hide each other: of
    330 random networks one was a third above the tolerance somewhere.

    Args:
        nets: f, h_ego and h_alt.
        low: smallest state of the range where most look-ups fall.
        high: largest state of that range.
        tolerance: bound of the error.
        trained: the networks are of use. If their values are small, then because states or times
            are in other units, and the largest value of each takes the place of the 1.

    Raises:
        TableProblem: an empty range, or a network too rough for a table of a million pieces.
    """
    if not (np.isfinite([low, high]).all() and low < high and tolerance > 0):
        raise TableProblem(
            f"A table needs a range low < high and a tolerance > 0; got {low}, {high}, {tolerance}."
        )
    width = high - low
    sizes = _sizes(nets, low, high) if trained else [1.0] * len(nets)
    sides = [
        [
            _Pieces.of(net, low, sign * width, tolerance, size)
            for net, size in zip(nets, sizes, strict=True)
        ]
        for sign in (1.0, -1.0)
    ]
    buckets = _Buckets.first()
    base = np.flatnonzero(buckets.prefix == 0)
    drop = FRACTION - buckets.bits[base]
    origin, shift, lines = [], [], []
    known, ready = len(buckets.bits), 0
    while len(buckets.bits):
        needed = np.zeros(len(buckets.bits), np.int64)
        for side, pieces in enumerate(sides):
            mine = buckets.side == side
            for each in pieces:
                needed[mine] = np.maximum(needed[mine], each.needed(buckets.some(mine)))
        deep = needed > _SPLIT_BITS
        more = np.minimum(needed, _SPLIT_BITS)
        count = 2**more
        start = np.where(
            deep,
            known + _before(count * deep) + np.int64(DEEPER),
            ready + _before(count * ~deep),
        )
        origin.append(start - (buckets.prefix << more))
        shift.append(FRACTION - buckets.bits - more)
        shallow = buckets.some(~deep).split(more[~deep])
        for side, pieces in enumerate(sides):
            middle = shallow.some(shallow.side == side).middle()
            lines.append(np.concatenate([each.lines(middle) for each in pieces], axis=1))
        ready += len(shallow.bits)
        buckets = buckets.some(deep).split(more[deep])
        known += len(buckets.bits)
    return Table(
        tuple(nets), low, 1.0 / width, base.astype(np.uint64), drop.astype(np.uint64),
        np.concatenate(origin).view(np.uint64), np.concatenate(shift).astype(np.uint64),
        np.concatenate(lines),
    )  # fmt: skip


def _before(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum of all earlier counts."""
    return np.cumsum(count) - count


@dataclass(frozen=True)
class _Buckets:
    """Binary fractions of octaves, those above `low` first.

    Attributes:
        side: 0 above `low`, 1 below.
        octave: number of the octave on that side.
        bits: of the fraction that name the bucket.
        prefix: these bits.
    """

    side: NDArray[np.int64]
    octave: NDArray[np.int64]
    bits: NDArray[np.int64]
    prefix: NDArray[np.int64]

    @classmethod
    def first(cls) -> _Buckets:
        """All buckets of all octaves."""
        bits = np.full(2 * OCTAVES, _BUCKET_BITS[1])
        bits[0] = _BUCKET_BITS[0]
        side, octave = np.divmod(np.arange(2 * OCTAVES), OCTAVES)
        return cls(side, octave, 0 * bits, 0 * bits).split(bits)

    def some(self, chosen: NDArray[np.bool_]) -> _Buckets:
        """The chosen ones."""
        return _Buckets(
            self.side[chosen], self.octave[chosen], self.bits[chosen], self.prefix[chosen]
        )

    def split(self, more: NDArray[np.int64]) -> _Buckets:
        """Each in 2^more, in the place of its parent."""
        count = 2**more
        parent = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(parent)) - _before(count)[parent]
        return _Buckets(
            self.side[parent],
            self.octave[parent],
            (self.bits + more)[parent],
            (self.prefix << more)[parent] + number,
        )

    @property
    def left(self) -> Array:
        """Where they start, as z."""
        return 2.0**self.octave * (1.0 + self.prefix / 2.0**self.bits)

    def middle(self) -> Array:
        """Their middle, as z."""
        return 2.0**self.octave * (1.0 + (self.prefix + 0.5) / 2.0**self.bits)


def _sizes(nets: Sequence[Scalar], low: float, high: float) -> list[float]:
    """What the error of each network is small beside, where its value is 0."""
    largest = [float(np.abs(net(np.linspace(low, high, _SAMPLED))).max()) for net in nets]
    if not max(largest) < _SMALL:
        return [1.0] * len(nets)
    return [max(size, _SMALL * max(largest)) or 1.0 for size in largest]


def _too_rough(tolerance: float) -> TableProblem:
    return TableProblem(
        f"A network cannot be tabulated to {tolerance:g} with {_MOST_PIECES} pieces; "
        "evaluate it exactly or allow a larger tolerance."
    )


@dataclass(frozen=True)
class _Pieces:
    """One network on one side of `low`, as lines between knots.

    Attributes:
        low: state at z = 1.
        width: change of the state with z, negative below `low`.
        z: (K,) knots, from 1 to 2^octaves; pieces are binary fractions of their octave.
        values: of the network there.
    """

    low: float
    width: float
    z: Array
    values: Array

    @classmethod
    def of(cls, net: Scalar, low: float, width: float, tolerance: float, size: float) -> _Pieces:
        """Refine until the error is within the tolerance."""
        first = _FIRST_PIECES if width > 0 else _FIRST_PIECES[1:] * 2
        octaves = [
            2.0**q * (1.0 + np.arange(count) / count)
            for q, count in enumerate([first[0], *[first[1]] * (OCTAVES - 1)])
        ]
        z = np.concatenate([*octaves, [2.0**OCTAVES]])
        quarters = np.array([0.25, 0.5, 0.75])[:, None]
        values = net(low + (z - 1.0) * width)
        done_z, done = [z], [values]
        left, right, y_left, y_right = z[:-1], z[1:], values[:-1], values[1:]
        count, ends = len(z), 0
        while len(left):
            inner = left + quarters * (right - left)
            y = net(low + (inner - 1.0) * width)
            if not np.isfinite(y).all():
                raise _too_rough(tolerance)
            error = y - (y_left + quarters * (y_right - y_left))
            bound = 0.25 * tolerance * (size + np.abs(y))
            rough = (np.abs(error) > bound).any(axis=0)
            # Where √x begins, or at a jump, no line is good, and between neighbouring floats none
            # can be better. At more than a few places it is the network that rounding decides.
            apart = right - left >= 4 * np.spacing(left)
            ends += int(np.count_nonzero(rough & ~apart))
            rough &= apart
            count += 3 * int(np.count_nonzero(rough))
            if count > _MOST_PIECES or ends > _MOST_ENDS:
                raise _too_rough(tolerance)
            done_z.append(inner[:, rough].ravel())
            done.append(y[:, rough].ravel())
            rough &= ~_foreseen(error, bound)
            knots = np.vstack([left[rough], inner[:, rough], right[rough]])
            heights = np.vstack([y_left[rough], y[:, rough], y_right[rough]])
            left, right = knots[:-1].ravel(), knots[1:].ravel()
            y_left, y_right = heights[:-1].ravel(), heights[1:].ravel()
        z, values = np.concatenate(done_z), np.concatenate(done)
        order = np.argsort(z, kind="stable")
        return cls(low, width, z[order], values[order])

    def needed(self, buckets: _Buckets) -> NDArray[np.int64]:
        """How many bits beyond its own each of the buckets, all of this side, needs."""
        bits = np.zeros(len(buckets.bits), np.int64)
        if not len(bits):
            return bits
        left = buckets.left
        size = 2.0 ** (buckets.octave - buckets.bits)
        bucket = np.searchsorted(left, self.z[:-1], side="right") - 1
        inside = (bucket >= 0) & (self.z[:-1] < (left + size)[bucket])
        bucket = bucket[inside]
        more = np.log2(size[bucket] / np.diff(self.z)[inside])
        np.maximum.at(bits, bucket, np.rint(more).astype(np.int64))
        return bits

    def lines(self, z: Array) -> Array:
        """Value at state 0 and slope of the lines at `z`, shape (len(z), 2)."""
        states = self.low + (self.z - 1.0) * self.width
        slopes = np.diff(self.values) / np.diff(states)
        at = np.searchsorted(self.z, z, side="right") - 1
        return np.stack([self.values[at] - slopes[at] * states[at], slopes[at]], axis=1)


def _foreseen(error: Array, bound: Array) -> NDArray[np.bool_]:
    """Whether the quarters of a piece are known to be within a bound without looking at them.

    The line of a parabola is off by 3 : 4 : 3 at the quarters of a piece, and those of its quarters
    by up to a sixteenth of the 4. The line of the quarter where a kink stands is off by up to 2.7
    times as much as the kink takes away from that proportion, wherever it stands.

    Args:
        error: of the line at the quarters of each piece, with its sign, shape (3, L).
        bound: of its size, likewise.
    """
    off = np.abs(error[::2] - 0.75 * error[1]).max(axis=0)
    resolved: NDArray[np.bool_] = np.abs(error[1]) / 16 + 3.0 * off <= bound.min(axis=0)
    return resolved
