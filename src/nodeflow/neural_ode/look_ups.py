"""Look-ups in tables of straight lines, compiled; `nodeflow.neural_ode.table` says how."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit

__all__ = ["DEEPER", "FRACTION", "OCTAVES", "Array", "Unsigned", "look_up", "look_up_slope"]

Array = NDArray[np.float64]

Unsigned = NDArray[np.uint64]  # spares numba the check for negative indices

OCTAVES = 40
"""On either side of `low`: the table ends 2⁴⁰ − 1 widths of the range away from it. Far out, where
fields that diverge go, networks are all but straight, and a few lines do."""

FRACTION = 52
"""Bits of the fraction of a float64."""

DEEPER = -(2**63)
"""Added to the number of a bucket to tell it from that of a line."""

_TILE = 512

_BIAS, _MASK = np.uint64(1023), np.uint64(2**FRACTION - 1)

_SHIFT, _LAST = np.uint64(FRACTION), np.uint64(OCTAVES)

_FIRST_BUCKET = np.uint64(DEEPER % 2**64)


@njit(error_model="numpy")
def _find(
    x: Array,
    low: float,
    per_width: float,
    base: Unsigned,
    drop: Unsigned,
    origin: Unsigned,
    shift: Unsigned,
    z: Array,
    at: Unsigned,
) -> int:
    """The lines for at most a tile of states, into `at`; returns how many are outside, or NaN.

    Those are given the first line, so that loops over `at` need no exceptions. More than eight
    parameters, because compiled code takes arrays one by one.
    """
    missed = 0
    for i in range(len(x)):
        z[i] = 1.0 + abs((x[i] - low) * per_width)
    bits = z.view(np.uint64)
    for i in range(len(x)):
        octave = (bits[i] >> _SHIFT) - _BIAS
        if octave >= _LAST:
            at[i] = 0
            missed += 1
            continue
        if x[i] < low:
            octave += _LAST
        fraction = bits[i] & _MASK
        bucket = base[octave] + (fraction >> drop[octave])
        line = origin[bucket] + (fraction >> shift[bucket])
        while line >= _FIRST_BUCKET:
            bucket = line - _FIRST_BUCKET
            line = origin[bucket] + (fraction >> shift[bucket])
        at[i] = line
    return missed


@njit(error_model="numpy")
def look_up(
    x: Array,
    low: float,
    per_width: float,
    base: Unsigned,
    drop: Unsigned,
    origin: Unsigned,
    shift: Unsigned,
    lines: Array,
    out: Array,
) -> int:
    """Values at `x` into `out`; returns how many states are outside the table, or NaN.

    More than eight parameters, because compiled code takes arrays one by one.
    """
    missed = 0
    z, at = np.empty(_TILE), np.empty(_TILE, np.uint64)
    f, h_ego, h_alt = out[0], out[1], out[2]
    for first in range(0, len(x), _TILE):
        last = min(first + _TILE, len(x))
        missed += _find(x[first:last], low, per_width, base, drop, origin, shift, z, at)
        for i in range(first, last):
            j = at[i - first]
            f[i] = lines[j, 0] + lines[j, 1] * x[i]
            h_ego[i] = lines[j, 2] + lines[j, 3] * x[i]
            h_alt[i] = lines[j, 4] + lines[j, 5] * x[i]
    return missed


@njit(error_model="numpy")
def look_up_slope(
    x: Array,
    low: float,
    per_width: float,
    base: Unsigned,
    drop: Unsigned,
    origin: Unsigned,
    shift: Unsigned,
    lines: Array,
    column: int,
    out: Array,
) -> int:
    """One column of the lines at `x` into `out`; returns how many states are outside, or NaN.

    More than eight parameters, because compiled code takes arrays one by one.
    """
    missed = 0
    z, at = np.empty(_TILE), np.empty(_TILE, np.uint64)
    for first in range(0, len(x), _TILE):
        last = min(first + _TILE, len(x))
        missed += _find(x[first:last], low, per_width, base, drop, origin, shift, z, at)
        for i in range(first, last):
            out[i] = lines[at[i - first], column]
    return missed
