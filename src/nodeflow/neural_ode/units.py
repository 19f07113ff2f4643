"""States and times of any size, and the units in which the recipes see them.

Steps, tolerances and initial weights of the recipes are made for states and durations of order one.
States in parts per million, temperatures in kelvin, times in seconds since 1970 or years of
milliseconds are therefore shifted and divided before training, and the trained networks are
rewritten for the user's units after it: with x = m + s x̂ and t = τ t̂ the vector field

    dx/dt = s/τ (f̂(x̂) + ĥ_ego(x̂_i) Σ_j A_ij ĥ_alt(x̂_j))

has networks of the same form, whose first layers take x and whose last ones give s/τ times as much.

Where states and times are of a size that the recipes are made for anyway, nothing is done at all:
m = 0, s = τ = 1. That is so for every shipped configuration, whose results units do not touch. s
and τ are powers of two, so that dividing and multiplying by them is exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodeflow.neural_ode.layout import NETS
from nodeflow.neural_ode.observations import Observations
from nodeflow.neural_ode.settings import (
    GaussNewtonSettings,
    MatchingSettings,
    PaperSettings,
    RecipeProblem,
    Settings,
)

__all__ = ["Units", "in_given_units", "scaled", "units_of"]

_USUAL: Mapping[type[Settings], tuple[tuple[float, float], tuple[float, float]]] = {
    GaussNewtonSettings: ((1 / 32, 128.0), (1 / 16, 16.0)),
    MatchingSettings: ((1 / 2, 2.0), (1 / 2, 2.0)),
    PaperSettings: ((1 / 32, 128.0), (1 / 16, 16.0)),
}
"""Mean distances of states from 0, and durations, that need no unit. Towards the ends of states
Gauss–Newton loses a factor of ten in its errors, and more beyond them; they leave room for the hubs
of large graphs. The paper's recipe keeps to its source there. Matching, whose steps have one
length, knows one size only."""

_NONE = (math.inf, math.inf)

_FAR = 4.0
"""States whose middle is farther from 0 than so many times half their range are shifted."""

_FARTHEST = 1e4
"""Beyond this, float32 weights cannot say where on their range states are."""

_EXPONENTS = (-60, 50)
"""Of the smallest and the largest unit."""


@dataclass(frozen=True)
class Units:
    """What training subtracts from states and divides them and times by.

    Attributes:
        offset: m, in the user's unit of states.
        state: s, a power of two.
        time: τ, a power of two.
    """

    offset: float = 0.0
    state: float = 1.0
    time: float = 1.0


def _unit(size: float, usual: tuple[float, float]) -> float:
    """1 for a size between the `usual` ones, else the power of two next to it; 1 for 0."""
    if usual[0] <= size <= usual[1] or not 0 < size < math.inf:
        return 1.0
    return 2.0 ** int(np.clip(round(math.log2(size)), *_EXPONENTS))


def units_of(data: Observations, settings: Settings) -> Units:
    """The units in which a recipe learns from some observations.

    Raises:
        RecipeProblem: states vary too little around a value far from 0.
    """
    low, high = data.range
    middle, half = (low + high) / 2, (high - low) / 2
    offset = 0.0
    total = [float(np.abs(states).mean(dtype=np.float64)) for _, states in data.groups]
    size = float(np.average(total, weights=[states.size for _, states in data.groups]))
    if abs(middle) > _FAR * half > 0:
        if abs(middle) > _FARTHEST * half:
            raise RecipeProblem(
                f"the states of graph {data.graph} vary by {high - low:.3g} around {middle:.6g}, "
                "which is too little for float32; subtract a constant from all states."
            )
        # A multiple of the unit, so that subtracting it is exact where states are.
        unit = _unit(half, _NONE)
        offset = round(middle / unit) * unit
        size = half
    duration = max(float(times[-1] - times[0]) for times, _ in data.groups)
    states, times = _USUAL[type(settings)]
    return Units(offset, _unit(size, states), _unit(duration, times))


def scaled(data: Observations, units: Units) -> Observations:
    """The same in other units, with states in float32; the same object if nothing changes."""
    if units == Units() and all(states.dtype == np.float32 for _, states in data.groups):
        return data

    def change(times: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inner = (states.astype(np.float64) - units.offset) / units.state
        return times / units.time, inner.astype(np.float32)

    return data.mapped(change)


def in_given_units(
    parameters: Mapping[str, NDArray[np.float32]], units: Sequence[Units]
) -> dict[str, NDArray[np.float32]]:
    """Networks that were trained in other units, for states and times as they were given.

    Args:
        parameters: arrays of shape (…, R, *shape of one), such as (R, 64, 1) or (S, R, 64, 1).
        units: of each of the R replicates.

    Returns:
        New arrays; the given ones where no replicate has units of its own.
    """
    rescaled = dict(parameters)
    if all(unit == Units() for unit in units):
        return rescaled
    offset = np.array([unit.offset for unit in units])
    state = np.array([unit.state for unit in units])
    rate = state / np.array([unit.time for unit in units])
    # The two parts of the interaction share the factor, as evenly as powers of two can.
    ego = 2.0 ** np.floor(np.log2(rate) / 2)
    last = sum(name.startswith("f.") and name.endswith(".weight") for name in rescaled) - 1
    for net, factor in zip(NETS, (rate, ego, rate / ego), strict=True):
        weight, bias = f"{net}.0.weight", f"{net}.0.bias"
        slope = rescaled[weight].astype(np.float64) / state[:, None, None]
        shift = (slope * offset[:, None, None]).squeeze(-1)
        rescaled[bias] = (rescaled[bias].astype(np.float64) - shift).astype(np.float32)
        rescaled[weight] = slope.astype(np.float32)
        weight, bias = f"{net}.{last}.weight", f"{net}.{last}.bias"
        rescaled[weight] = (rescaled[weight] * factor[:, None, None]).astype(np.float32)
        rescaled[bias] = (rescaled[bias] * factor[:, None]).astype(np.float32)
    return rescaled
