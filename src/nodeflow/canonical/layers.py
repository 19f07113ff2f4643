"""Rules of layers with parameters, and of products of matrices."""

from __future__ import annotations

from typing import Any

from nodeflow.canonical.axes import (
    END,
    Axis,
    Value,
    fixed_axis,
    freeze,
    parted,
    rigid,
    unite,
    viewed,
)
from nodeflow.canonical.elementwise import met
from nodeflow.canonical.reshaping import Made, fixed, slid

__all__ = [
    "addmm",
    "attention",
    "batch_norm",
    "convolution",
    "einsum",
    "embedding",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "linear",
    "matmul",
    "weight_norm",
]

_Shape = tuple[int, ...]


def linear(a: Any, shape: _Shape) -> Value:
    """A linear layer."""
    x, weight, bias = a["input"], a["weight"], a["bias"]
    unite(weight[1], x[-1], -1)
    if bias is not None:
        unite(bias[0], weight[0])
    return [*x[:-1], weight[0]]


def convolution(a: Any, shape: _Shape, transposed: bool = False) -> Value:
    """Convolutions of any number of axes, in groups or not, and transposed ones."""
    x, weight, bias, groups = a["input"], a["weight"], a["bias"], a["groups"]
    channel = len(x) - len(weight) + 1
    freeze(weight[2:], END)
    output, read = (weight[1], weight[0]) if transposed else (weight[0], weight[1])
    if groups == 1:
        unite(read, x[channel], -1)
    elif weight[1].size == 1:  # filters of each channel on its own
        viewed([weight[0]], (groups, weight[0].size // groups))[1].hold("filters of one channel")
        unite(weight[0], x[channel])
        rigid([weight[0]])
        output = weight[0]
    else:
        output = _grouped(x[channel], weight, groups, transposed)
    if bias is not None:
        unite(bias[0], output)
    return [*x[:channel], output, *slid(x[channel + 1 :], shape[channel + 1 :])]


def _grouped(x: Axis, weight: Value, groups: int, transposed: bool) -> Axis:
    """The channels that a convolution in groups makes; groups stay, channels move in all alike."""
    reason = "groups of a convolution"
    inside = parted(weight[0], groups, reason)
    other = parted(x, groups, reason)
    if not transposed:
        unite(weight[1], other, -1)
        return weight[0]
    unite(inside, other, -1)
    return Axis([*fixed_axis(groups, reason).classes, *weight[1].classes], weight[1].scale)


def batch_norm(a: Any, shape: Any) -> Made:
    """Normalization of each channel."""
    x = a["input"]
    rigid([x[1]])
    new = Axis(x[1].classes)
    for name in ("weight", "bias", "running_mean", "running_var"):
        learned = name in ("weight", "bias")
        if a[name] is not None:
            unite(a[name][0], new if learned else x[1])
        elif learned:
            rigid([new])
    axes = [x[0], new, *x[2:]]
    return axes if isinstance(shape, tuple) else (axes, *fixed(shape[1:]))


def instance_norm(a: Any, shape: _Shape) -> Made:
    """Normalization of each channel of each item."""
    rigid(a["input"])
    return batch_norm(a, shape)


def group_norm(a: Any, shape: _Shape) -> Value:
    """Normalization of groups of channels."""
    x, count = rigid(a["input"]), a["num_groups"]
    viewed([x[1]], (count, x[1].size // count))  # whole groups may move, and channels within each
    new = Axis(x[1].classes)
    for name in ("weight", "bias"):
        if a[name] is None:
            rigid([new])
        else:
            unite(a[name][0], new)
    return [x[0], new, *x[2:]]


def layer_norm(a: Any, shape: _Shape) -> Value:
    """Normalization over the last axes, with or without their mean."""
    x = rigid(a["input"])
    last = x[-len(a["normalized_shape"]) :]
    for name in ("weight", "bias"):
        for axis, other in zip(a.get(name) or (), last, strict=False):
            unite(axis, other)
    return x


def weight_norm(a: Any, shape: _Shape) -> Value:
    """Directions and sizes of weights (Salimans & Kingma 2016, arXiv:1602.07868)."""
    direction, size = rigid(a["v"]), rigid(a["g"])
    return met(direction, size)


def embedding(a: Any, shape: _Shape) -> Value:
    """Rows of a table."""
    a["weight"][0].freeze(END)
    return [*a["indices"], a["weight"][1]]


# --- products of matrices -------------------------------------------------------------------------


def matmul(a: Any, shape: _Shape) -> Value:
    """Products of matrices, or of stacks of them."""
    x, y = (rigid(a[name]) for name in (("self", "other") if "other" in a else ("self", "mat2")))
    if len(x) < 2 or len(y) < 2:
        freeze([*x, *y], "a product with a vector")
        return [fixed_axis(size) for size in shape]
    unite(x[-1], y[-2])
    return [*met(x[:-2], y[:-2]), x[-2], y[-1]]


def addmm(a: Any, shape: _Shape) -> Value:
    """A product of matrices and what is added to it."""
    x, y = ("mat1", "mat2") if "mat1" in a else ("batch1", "batch2")
    return rigid(met(matmul({"self": a[x], "other": a[y]}, shape), a["self"]))


def einsum(a: Any, shape: _Shape) -> Value:
    """A sum of products by its letters."""
    equation = a["equation"].replace(" ", "")
    if "." in equation or "->" not in equation:
        for x in a["tensors"]:
            freeze(x, f'the sum "{equation}" is not known here')
        return [fixed_axis(size) for size in shape]
    inputs, output = equation.split("->")
    axes: dict[str, Axis] = {}
    for letters, x in zip(inputs.split(","), a["tensors"], strict=True):
        for letter, axis in zip(letters, rigid(x), strict=True):
            if axis.size > 1 and axes.get(letter, axis).size > 1:
                unite(axis, axes.get(letter, axis))
            if letter not in axes or axes[letter].size == 1:
                axes[letter] = axis
    return [axes[letter] for letter in output]


def attention(a: Any, shape: _Shape) -> Value:
    """Fused attention of queries (…, tokens, rows) over keys and values."""
    query, key, value = (rigid(a[name]) for name in ("query", "key", "value"))
    if a["attn_mask"] is not None or a["is_causal"]:
        freeze([query[-2], key[-2], *(a["attn_mask"] or ())], "what attention masks")
    unite(query[-1], key[-1])
    unite(key[-2], value[-2])
    if len(query) > 3 and query[-3].size != key[-3].size:  # several heads read the same keys
        freeze([query[-3], key[-3], value[-3]], "heads that share keys")
        return [*query[:-1], value[-1]]
    return [*met(met(key[:-2], value[:-2]), query[:-2]), query[-2], value[-1]]
