"""Trained scalar networks as plain functions on float64 arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from nodeflow.compiled import njit
from nodeflow.neural_ode.layout import SELU, SELU_ABOVE, SELU_BELOW

__all__ = ["ScalarNet"]

Array = NDArray[np.float64]

_BLOCK = 256


@dataclass(frozen=True)
class ScalarNet:
    """A multilayer perceptron from one number to one number.

    States are evaluated in blocks of a fixed number of rows, so that the value at a state does not
    depend on how many others are evaluated with it: BLAS sums in another order for another number.
    In a block that is not full, the rows that are left over are multiplied, but not activated.

    Attributes:
        weights: of each layer, float64, shape (fan_in, fan_out).
        biases: of each layer, float64, shape (fan_out,).
        activation: between the layers, one of `layout.ACTIVATIONS`.
    """

    weights: Sequence[Array]
    biases: Sequence[Array]
    activation: str = SELU

    def __call__(self, x: Array) -> Array:
        """Values at `x`, of its shape."""
        return _in_blocks(self._values, x)

    def derivative(self, x: Array) -> Array:
        """Exact derivatives at `x`, of its shape."""
        return _in_blocks(self._slopes, x)

    def _values(self, x: Array, count: int) -> Array:
        hidden = x * self.weights[0]
        activate, _ = _ACTIVATE[self.activation]
        for weight, bias in zip(self.weights[1:], self.biases[:-1], strict=True):
            activate(hidden, bias, count)
            hidden = hidden @ weight
        values: Array = hidden[:, 0] + self.biases[-1]
        return values

    def _slopes(self, x: Array, count: int) -> Array:
        hidden = x * self.weights[0]
        _, activate = _ACTIVATE[self.activation]
        slope = np.broadcast_to(self.weights[0], hidden.shape)
        for weight, bias in zip(self.weights[1:], self.biases[:-1], strict=True):
            slope = (slope * activate(hidden, bias, count)) @ weight
            hidden = hidden @ weight
        return slope[:, 0]


def _in_blocks(function: Callable[[Array, int], Array], x: Array) -> Array:
    flat = np.ravel(x)
    values = np.empty(len(flat))
    block = np.zeros((_BLOCK, 1))
    for start in range(0, len(flat), _BLOCK):
        part = flat[start : start + _BLOCK]
        block[: len(part), 0] = part
        values[start : start + _BLOCK] = function(block, len(part))[: len(part)]
    return values.reshape(np.shape(x))


@njit()
def _selu(z: Array, bias: Array, count: int) -> None:
    """SELU of z + bias in place of the first `count` rows of z, shape (rows, width)."""
    for row in range(count):
        for column in range(z.shape[1]):
            x = z[row, column] + bias[column]
            # No branch on x, which is not to be foreseen.
            below = SELU_BELOW * math.exp(0.0 if x > 0 else x)
            z[row, column] = SELU_ABOVE * x if x > 0 else below - SELU_BELOW


@njit()
def _selu_with_slopes(z: Array, bias: Array, count: int) -> Array:
    """As `_selu`; returns the slopes of SELU as well, zero in all other rows."""
    slopes = np.zeros_like(z)
    for row in range(count):
        for column in range(z.shape[1]):
            x = z[row, column] + bias[column]
            below = SELU_BELOW * math.exp(0.0 if x > 0 else x)
            z[row, column] = SELU_ABOVE * x if x > 0 else below - SELU_BELOW
            slopes[row, column] = SELU_ABOVE if x > 0 else below
    return slopes


def _gelu(x: Array) -> tuple[Array, Array]:
    share = ndtr(x)
    return x * share, share + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _silu(x: Array) -> tuple[Array, Array]:
    share = expit(x)
    return x * share, share * (1 + x * (1 - share))


def _softplus(x: Array) -> tuple[Array, Array]:
    return np.logaddexp(0.0, x), expit(x)


def _tanh(x: Array) -> tuple[Array, Array]:
    y = np.tanh(x)
    return y, 1 - y * y


def _smooth(function: Callable[[Array], tuple[Array, Array]]) -> tuple[_Activate, _WithSlopes]:
    """What `_selu` and `_selu_with_slopes` are, of a function with its derivative."""

    def with_slopes(z: Array, bias: Array, count: int) -> Array:
        slopes = np.zeros_like(z)
        z[:count], slopes[:count] = function(z[:count] + bias)
        return slopes

    def alone(z: Array, bias: Array, count: int) -> None:
        z[:count] = function(z[:count] + bias)[0]

    return alone, with_slopes


_Activate = Callable[[Array, Array, int], None]
_WithSlopes = Callable[[Array, Array, int], Array]

_ACTIVATE: Mapping[str, tuple[_Activate, _WithSlopes]] = {
    SELU: (_selu, _selu_with_slopes),
    "gelu": _smooth(_gelu),
    "silu": _smooth(_silu),
    "softplus": _smooth(_softplus),
    "tanh": _smooth(_tanh),
}
