"""A trained neural ODE as a vector field for the same integrator as the true system."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.systems import Field
from nodeflow.node.model import NETS, Parameters, widths_of

__all__ = ["as_field", "tabulated"]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_LARGEST_TABLE = 2**17


def as_field(parameters: Parameters, replicate: int) -> Field:
    """One replicate's three networks as float64 functions with exact derivatives."""
    functions = [_network(parameters, net, replicate) for net in NETS]
    values = [lambda x, net=net: net(x)[0] for net in functions]
    slopes = [lambda x, net=net: net(x)[1] for net in functions]
    return Field(*values, *slopes)


def tabulated(field: Field, low: float, high: float, tolerance: float = 1e-5) -> Field:
    """The same field with f, h_ego and h_alt read from tables on [low, high].

    Outside, and for derivatives, the given functions are used: how a network goes on beyond the
    states that it was trained on is what is studied. A table is refined until its largest error at
    the midpoints between knots is below `tolerance` times the largest value; a function that needs
    more than 131,072 knots is not tabulated.

    Args:
        field: functions to tabulate.
        low: lower end of the tables.
        high: upper end.
        tolerance: largest relative error of a table.
    """
    if not high > low:
        return field
    f, h_ego, h_alt = (
        _table(function, low, high, tolerance) for function in (field.f, field.h_ego, field.h_alt)
    )
    return Field(f, h_ego, h_alt, field.df, field.dh_ego, field.dh_alt)


def _table(function: Function, low: float, high: float, tolerance: float) -> Function:
    count = 2**12
    while count <= _LARGEST_TABLE:
        knots = np.linspace(low, high, count + 1)
        values = function(knots)
        middle = function((knots[1:] + knots[:-1]) / 2)
        error = np.abs((values[1:] + values[:-1]) / 2 - middle).max()
        if error <= tolerance * max(np.abs(values).max(), 1e-300):
            return lambda x: _look(x, knots, values, function)
        count *= 2
    return function


def _look(x: Array, knots: Array, values: Array, function: Function) -> Array:
    found: Array = np.interp(x, knots, values)
    outside = (x < knots[0]) | (x > knots[-1])
    if outside.any():
        found[outside] = function(x[outside])
    return found


def _network(
    parameters: Parameters, net: str, replicate: int
) -> Callable[[Array], tuple[Array, Array]]:
    layers = [
        (
            parameters[f"{net}.{layer}.weight"][replicate].double().numpy(),
            parameters[f"{net}.{layer}.bias"][replicate].double().numpy(),
        )
        for layer in range(len(widths_of(parameters)) - 1)
    ]

    def evaluate(x: Array) -> tuple[Array, Array]:
        h = np.reshape(x, (-1, 1)).astype(np.float64)
        slope = np.ones_like(h)
        for place, (weight, bias) in enumerate(layers):
            h, slope = h @ weight.T + bias, slope @ weight.T
            if place < len(layers) - 1:
                rise = np.exp(np.minimum(h, 0.0))
                slope = slope * _SELU_SCALE * np.where(h > 0, 1.0, _SELU_ALPHA * rise)
                h = _SELU_SCALE * np.where(h > 0, h, _SELU_ALPHA * (rise - 1.0))
        return h.reshape(np.shape(x)), slope.reshape(np.shape(x))

    return evaluate
