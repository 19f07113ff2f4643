"""Rules of functions of single numbers, of one tensor or of several at the same place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from nodeflow.canonical.axes import Axis, Value, join, rigid, unite

__all__ = [
    "UNTAGGED",
    "elementwise",
    "is_value",
    "met",
    "plus",
    "prelu",
    "times",
]

_Shape = tuple[int, ...]


_SCALE_AND_SIGN = {
    "alias", "alpha_dropout", "clone", "contiguous", "detach", "dropout", "feature_alpha_dropout",
    "feature_dropout", "lift_fresh_copy", "neg", "positive",
}  # fmt: skip
"""f(s x) = s f(x) for every s."""

_SCALE = {"abs", "leaky_relu", "relu", "rrelu"}
"""f(s x) = s f(x) for every s > 0."""

_SIGN = {
    "asin", "asinh", "atan", "erf", "hardshrink", "round", "sgn", "sign", "sin", "sinh",
    "softshrink", "tan", "tanh", "trunc",
}  # fmt: skip
"""f(-x) = -f(x)."""

UNTAGGED = _SCALE_AND_SIGN | {
    "_log_softmax", "_softmax", "_to_copy", "hardswish", "log_sigmoid", "log_softmax",
    "masked_fill", "softmax", "to", "type_as",
}  # fmt: skip
"""Functions of single numbers, or of numbers whose order does not matter, that torch's tag
`pointwise` leaves out."""


def elementwise(name: str, a: Mapping[str, Any], shape: _Shape) -> Value:
    """A function of single numbers, or of those of several tensors at the same place.

    Args:
        name: of the operation.
        a: its arguments.
        shape: of what it makes.
    """
    tensors: list[Value] = [one for one in a.values() if is_value(one)]
    if len(tensors) != 1:
        return rigid(reduce(met, tensors, []))
    (x,) = tensors
    for axis in x:
        axis.scale.forbid(
            positive=name not in _SCALE | _SCALE_AND_SIGN, odd=name not in _SIGN | _SCALE_AND_SIGN
        )
    return x


def is_value(argument: Any) -> bool:
    """Whether an argument is a tensor: not a number, and not a list of sizes or of tensors."""
    return isinstance(argument, list) and all(isinstance(one, Axis) for one in argument)


def met(x: Value, y: Value) -> Value:
    """Two tensors of which each number meets one other: their axes, the last ones together.

    Along an axis that only one of them has, units cannot be scaled, since what they meet is not.
    """
    long, short = (x, y) if len(x) >= len(y) else (y, x)
    axes = list(long)
    missing = len(long) - len(short)
    rigid(axes[:missing])
    for index, axis in enumerate(short, missing):
        if axes[index].size == 1:
            axes[index] = axis
            rigid([axis])
        elif axis.size > 1:
            unite(axis, axes[index])
        else:
            rigid([axes[index]])
    return axes


def plus(a: Any, shape: _Shape) -> Value:
    """Sums and differences, of two tensors or with a number."""
    x, y = a["self"], a["other"]
    return met(x, y) if is_value(x) and is_value(y) else rigid(x if is_value(x) else y)


def times(a: Any, shape: _Shape, divided: bool = False) -> Value:
    """Products, and quotients if `divided`."""
    x, y = a["self"], a["other"]
    product: Value = []
    if not is_value(y):
        product += x
        return product
    if divided:
        rigid(y)
    for back in range(1, len(shape) + 1):
        pair = [one[-back] for one in (x, y) if len(one) >= back]
        wide = [axis for axis in pair if axis.size > 1] or pair[:1]
        if len(wide) == 2:
            rigid(wide)
            join(wide[1], wide[0])
        product.insert(0, wide[0])
    return product


def prelu(a: Any, shape: _Shape) -> Value:
    """A ReLU with slopes below zero, one for all units or one for each."""
    x: Value = a["self"]
    weight = rigid(a["weight"])
    for axis in x:
        axis.scale.forbid(positive=False)
    if weight[0].size > 1:
        join(weight[0], x[min(1, len(x) - 1)])
    return x
