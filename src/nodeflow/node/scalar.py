"""Trained scalar networks as plain functions on float64 arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit
from nodeflow.node.layout import SELU_ABOVE, SELU_BELOW

__all__ = ["ScalarNet"]

Array = NDArray[np.float64]

_BLOCK = 256


@dataclass(frozen=True)
class ScalarNet:
    """A multilayer perceptron from one number to one number, with SELU between its layers.

    States are evaluated in blocks of a fixed number of rows, so that the value at a state does not
    depend on how many others are evaluated with it: BLAS sums in another order for another number.
    In a block that is not full, the rows that are left over are multiplied, but not activated.

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

    def _values(self, x: Array, count: int) -> Array:
        hidden = x * self.weights[0]
        for weight, bias in zip(self.weights[1:], self.biases[:-1], strict=True):
            _activate(hidden, bias, count)
            hidden = hidden @ weight
        values: Array = hidden[:, 0] + self.biases[-1]
        return values

    def _slopes(self, x: Array, count: int) -> Array:
        hidden = x * self.weights[0]
        slope = np.broadcast_to(self.weights[0], hidden.shape)
        for weight, bias in zip(self.weights[1:], self.biases[:-1], strict=True):
            slope = (slope * _activate_with_slopes(hidden, bias, count)) @ weight
            hidden = hidden @ weight
        return slope[:, 0]


def _in_blocks(function: Callable[[Array, int], Array], x: Array) -> Array:
    flat = np.ravel(x)
    out = np.empty(len(flat))
    block = np.zeros((_BLOCK, 1))
    for start in range(0, len(flat), _BLOCK):
        part = flat[start : start + _BLOCK]
        block[: len(part), 0] = part
        out[start : start + _BLOCK] = function(block, len(part))[: len(part)]
    return out.reshape(np.shape(x))


@njit()
def _activate(z: Array, bias: Array, count: int) -> None:
    """SELU of z + bias in place of the first `count` rows of z, shape (rows, width)."""
    for row in range(count):
        for column in range(z.shape[1]):
            x = z[row, column] + bias[column]
            # No branch on x, which is not to be foreseen.
            below = SELU_BELOW * math.exp(0.0 if x > 0 else x)
            z[row, column] = SELU_ABOVE * x if x > 0 else below - SELU_BELOW


@njit()
def _activate_with_slopes(z: Array, bias: Array, count: int) -> Array:
    """As `_activate`; returns the slopes of SELU as well, zero in all other rows."""
    slopes = np.zeros_like(z)
    for row in range(count):
        for column in range(z.shape[1]):
            x = z[row, column] + bias[column]
            below = SELU_BELOW * math.exp(0.0 if x > 0 else x)
            z[row, column] = SELU_ABOVE * x if x > 0 else below - SELU_BELOW
            slopes[row, column] = SELU_ABOVE if x > 0 else below
    return slopes
