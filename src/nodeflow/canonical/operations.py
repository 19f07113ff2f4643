"""How units pass through operations: a rule for each kind of operation of torch's exported graphs.

A rule takes the operation's arguments by name, tensors as values (see `nodeflow.canonical.axes`),
and the shape of what it makes, one for each tensor that it makes; it joins the axes that carry the
same units, freezes those that are read by their place, and returns what is made. Operations that
act on each number alone need no rule: torch says which they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import torch

from nodeflow.canonical.axes import (
    END,
    Axis,
    Value,
    fixed_axis,
    free_axis,
    freeze,
    join,
    parted,
    rigid,
    unite,
    viewed,
)

__all__ = ["RULES", "Made", "Rule", "elementwise", "rule_of"]

Made = Value | tuple[Value, ...]
"""What an operation makes: one tensor, or several."""

Rule = Callable[[Mapping[str, Any], Any], Made]
"""(arguments, shape or shapes) → what is made."""

_Shape = tuple[int, ...]
_BY_PLACE = "units are read by their place"
_PARTS = "parts of one axis that are read apart"
_SLIDES = "something slides along them"


# --- functions of single numbers -----------------------------------------------------------------

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

_UNTAGGED = _SCALE_AND_SIGN | {
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
    values = [one for one in a.values() if _is_value(one)]
    if len(values) != 1:
        return rigid(reduce(_met, values, []))
    (value,) = values
    for axis in value:
        axis.scale.forbid(
            positive=name not in _SCALE | _SCALE_AND_SIGN, odd=name not in _SIGN | _SCALE_AND_SIGN
        )
    return value


def _is_value(argument: Any) -> bool:
    """Whether an argument is a tensor: not a number, and not a list of sizes or of tensors."""
    return isinstance(argument, list) and all(isinstance(one, Axis) for one in argument)


def _met(x: Value, y: Value) -> Value:
    """Two tensors of which each number meets one other: their axes, the last ones together.

    Along an axis that only one of them has, units cannot be scaled, since what they meet is not.
    """
    long, short = (x, y) if len(x) >= len(y) else (y, x)
    value = list(long)
    missing = len(long) - len(short)
    rigid(value[:missing])
    for place, axis in enumerate(short, missing):
        if value[place].size == 1:
            value[place] = axis
            rigid([axis])
        elif axis.size > 1:
            unite(axis, value[place])
        else:
            rigid([value[place]])
    return value


def _sum(a: Any, shape: _Shape) -> Value:
    x, y = a["self"], a["other"]
    return _met(x, y) if _is_value(x) and _is_value(y) else rigid(x if _is_value(x) else y)


def _product(a: Any, shape: _Shape, divided: bool = False) -> Value:
    x, y = a["self"], a["other"]
    if not _is_value(y):
        value: Value = x
        return value
    if divided:
        rigid(y)
    made: Value = []
    for back in range(1, len(shape) + 1):
        pair = [one[-back] for one in (x, y) if len(one) >= back]
        wide = [axis for axis in pair if axis.size > 1] or pair[:1]
        if len(wide) == 2:
            rigid(wide)
            join(wide[1], wide[0])
        made.insert(0, wide[0])
    return made


def _prelu(a: Any, shape: _Shape) -> Value:
    x, weight = a["self"], rigid(a["weight"])
    for axis in x:
        axis.scale.forbid(positive=False)
    if weight[0].size > 1:
        join(weight[0], x[min(1, len(x) - 1)])
    value: Value = x
    return value


# --- layers --------------------------------------------------------------------------------------


def _linear(a: Any, shape: _Shape) -> Value:
    x, weight, bias = a["input"], a["weight"], a["bias"]
    unite(weight[1], x[-1], -1)
    if bias is not None:
        unite(bias[0], weight[0])
    return [*x[:-1], weight[0]]


def _convolution(a: Any, shape: _Shape, transposed: bool = False) -> Value:
    x, weight, bias, groups = a["input"], a["weight"], a["bias"], a["groups"]
    channel = len(x) - len(weight) + 1
    freeze(weight[2:], END)
    made, read = (weight[1], weight[0]) if transposed else (weight[0], weight[1])
    if groups == 1:
        unite(read, x[channel], -1)
    elif weight[1].size == 1:  # filters of each channel on its own
        viewed([weight[0]], (groups, weight[0].size // groups))[1].hold("filters of one channel")
        unite(weight[0], x[channel])
        rigid([weight[0]])
        made = weight[0]
    else:
        made = _grouped(x[channel], weight, groups, transposed)
    if bias is not None:
        unite(bias[0], made)
    return [*x[:channel], made, *_slid(x[channel + 1 :], shape[channel + 1 :])]


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


def _batch_norm(a: Any, shape: Any) -> Made:
    x = a["input"]
    rigid([x[1]])
    new = Axis(x[1].classes)
    for name in ("weight", "bias", "running_mean", "running_var"):
        learned = name in ("weight", "bias")
        if a[name] is not None:
            unite(a[name][0], new if learned else x[1])
        elif learned:
            rigid([new])
    made = [x[0], new, *x[2:]]
    return made if isinstance(shape, tuple) else (made, *_fixed(shape[1:]))


def _instance_norm(a: Any, shape: _Shape) -> Made:
    rigid(a["input"])
    return _batch_norm(a, shape)


def _group_norm(a: Any, shape: _Shape) -> Value:
    x, count = rigid(a["input"]), a["num_groups"]
    viewed([x[1]], (count, x[1].size // count))  # whole groups may move, and channels within each
    new = Axis(x[1].classes)
    for name in ("weight", "bias"):
        if a[name] is None:
            rigid([new])
        else:
            unite(a[name][0], new)
    return [x[0], new, *x[2:]]


def _layer_norm(a: Any, shape: _Shape) -> Value:
    x = rigid(a["input"])
    last = x[-len(a["normalized_shape"]) :]
    for name in ("weight", "bias"):
        for axis, other in zip(a.get(name) or (), last, strict=False):
            unite(axis, other)
    return x


def _weight_norm(a: Any, shape: _Shape) -> Value:
    direction, size = rigid(a["v"]), rigid(a["g"])
    return _met(direction, size)


def _embedding(a: Any, shape: _Shape) -> Value:
    a["weight"][0].freeze(END)
    return [*a["indices"], a["weight"][1]]


# --- products of matrices ------------------------------------------------------------------------


def _matmul(a: Any, shape: _Shape) -> Value:
    x, y = (rigid(a[name]) for name in (("self", "other") if "other" in a else ("self", "mat2")))
    if len(x) < 2 or len(y) < 2:
        freeze([*x, *y], "a product with a vector")
        return [fixed_axis(size) for size in shape]
    unite(x[-1], y[-2])
    return [*_met(x[:-2], y[:-2]), x[-2], y[-1]]


def _addmm(a: Any, shape: _Shape) -> Value:
    x, y = ("mat1", "mat2") if "mat1" in a else ("batch1", "batch2")
    return rigid(_met(_matmul({"self": a[x], "other": a[y]}, shape), a["self"]))


def _einsum(a: Any, shape: _Shape) -> Value:
    equation = a["equation"].replace(" ", "")
    if "." in equation or "->" not in equation:
        for value in a["tensors"]:
            freeze(value, f'the sum "{equation}" is not known here')
        return [fixed_axis(size) for size in shape]
    inputs, output = equation.split("->")
    axes: dict[str, Axis] = {}
    for letters, value in zip(inputs.split(","), a["tensors"], strict=True):
        for letter, axis in zip(letters, rigid(value), strict=True):
            if axis.size > 1 and axes.get(letter, axis).size > 1:
                unite(axis, axes.get(letter, axis))
            if letter not in axes or axes[letter].size == 1:
                axes[letter] = axis
    return [axes[letter] for letter in output]


def _attention(a: Any, shape: _Shape) -> Value:
    query, key, value = (rigid(a[name]) for name in ("query", "key", "value"))
    if a["attn_mask"] is not None or a["is_causal"]:
        freeze([query[-2], key[-2], *(a["attn_mask"] or ())], "what attention masks")
    unite(query[-1], key[-1])
    unite(key[-2], value[-2])
    if len(query) > 3 and query[-3].size != key[-3].size:  # several heads read the same keys
        freeze([query[-3], key[-3], value[-3]], "heads that share keys")
        return [*query[:-1], value[-1]]
    return [*_met(_met(key[:-2], value[:-2]), query[:-2]), query[-2], value[-1]]


# --- operations along some axes ------------------------------------------------------------------


def _replaced(axis: Axis, size: int, reason: str = _BY_PLACE) -> Axis:
    """What stands in the place of an axis whose units an operation reads by their place."""
    moving = any(not leaf.frozen for leaf in axis.leaves)
    axis.freeze(reason)
    return fixed_axis(size, reason if moving else END)


def _slid(axes: Sequence[Axis], sizes: Sequence[int]) -> Value:
    """What is left of axes in space or time along which something slides."""
    return [_replaced(axis, size, _SLIDES) for axis, size in zip(axes, sizes, strict=True)]


def _dims(a: Any, axes: int) -> list[int]:
    """The axes that an operation names; all if it names none."""
    given = a.get("dim", a.get("dims"))
    if given is None or given == []:
        return list(range(axes))
    return [one % axes for one in (given if isinstance(given, list) else [given])]


def _reduction(a: Any, shape: Any, positive: bool, odd: bool) -> Made:
    """Sums, largest numbers, norms …, for which the order of what they take does not matter.

    Args:
        positive: whether what is made grows with positive factors of the other units.
        odd: whether it changes its sign with them.
    """
    if "other" in a:  # the larger of two tensors
        return rigid(_sum(a, shape))
    x = a["self"]
    dims = set(_dims(a, len(x)))
    made = [
        free_axis(1) if place in dims else axis
        for place, axis in enumerate(x)
        if a.get("keepdim") or place not in dims
    ]
    rigid([x[place] for place in dims])
    for axis in made:
        axis.scale.forbid(positive=not positive, odd=not odd)
    if isinstance(shape, tuple):
        return made
    freeze([x[place] for place in dims], _BY_PLACE)  # where the largest was is made as well
    return made, *_fixed(shape[1:])


def _along(a: Any, shape: _Shape) -> Value:
    """What depends on the order of units along the axes named, and on nothing else."""
    x = rigid(a["self"])
    dims = _dims(a, len(x))
    return [_replaced(x[p], shape[p]) if p in dims else x[p] for p in range(len(x))]


def _local(a: Any, shape: Any, axes: int, odd: bool) -> Made:
    """Pooling and resizing: each channel on its own, along the last axes."""
    x = a["self"] if "self" in a else a["input"]
    if not odd:
        x[-axes - 1].scale.forbid(positive=False)  # a maximum turns into a minimum
    one = shape if isinstance(shape, tuple) else shape[0]
    made = [*x[:-axes], *_slid(x[-axes:], one[-axes:])]
    return made if isinstance(shape, tuple) else (made, *_fixed(shape[1:]))


def _pad(a: Any, shape: _Shape) -> Value:
    x = list(a["self"])
    places = a["pad"] if "pad" in a else a["padding"]
    for back in range(len(places) // 2):
        if places[2 * back] or places[2 * back + 1]:
            x[-back - 1] = _replaced(x[-back - 1], shape[-back - 1])
    return rigid(x) if a.get("value") else x


def _select(a: Any, shape: _Shape) -> Value:
    x = list(a["self"])
    x.pop(a["dim"] % len(x)).freeze(_BY_PLACE)
    return x


def _unbind(a: Any, shapes: Sequence[_Shape]) -> Made:
    return (_select(a, shapes[0]),) * len(shapes)


def _slice(a: Any, shape: _Shape) -> Value:
    x = list(a["self"])
    dim = a["dim"] % len(x)
    size, whole = shape[dim], x[dim].size
    start = (a["start"] or 0) % whole
    if 0 < size < whole and whole % size == start % size == 0 and a.get("step", 1) == 1:
        x[dim] = parted(x[dim], whole // size, _PARTS)
    elif size != whole:
        x[dim] = _replaced(x[dim], size)
    return x


def _split(a: Any, shapes: Sequence[_Shape]) -> Made:
    """Parts of one axis; if they are equal, the units of all of them move together."""
    x = a["self"]
    dim = a["dim"] % len(x)
    sizes = [shape[dim] for shape in shapes]
    if len(set(sizes)) == 1:
        inner = parted(x[dim], len(sizes), _PARTS)
        return ([*x[:dim], inner, *x[dim + 1 :]],) * len(sizes)
    parts = [_replaced(x[dim], size, "parts of unequal size along one axis") for size in sizes]
    return tuple([*x[:dim], part, *x[dim + 1 :]] for part in parts)


def _glu(a: Any, shape: _Shape) -> Value:
    x = rigid(a["self"])
    dim = a["dim"] % len(x)
    return [*x[:dim], parted(x[dim], 2, _PARTS), *x[dim + 1 :]]


def _cat(a: Any, shape: _Shape) -> Value:
    """Tensors side by side; if they are equally long, the units of all of them move together."""
    first, *others = a["tensors"]
    dim = a["dim"] % len(first)
    sides = [one[dim] for one in a["tensors"]]
    for other in others:
        for place, axis in enumerate(other):
            if place != dim:
                unite(axis, first[place])
    still = any(leaf.frozen for side in sides for leaf in side.leaves)
    if still or len({side.size for side in sides}) > 1:
        reason = "units beside others that are of another number or stay in place"
        beside = _replaced(
            Axis([one for side in sides for one in side.classes]), shape[dim], reason
        )
        rigid(sides)
        return [*first[:dim], beside, *first[dim + 1 :]]
    for side in sides[1:]:
        unite(side, sides[0])
    beside = Axis([*fixed_axis(len(sides), _PARTS).classes, *sides[0].classes], sides[0].scale)
    return [*first[:dim], beside, *first[dim + 1 :]]


def _stack(a: Any, shape: _Shape) -> Value:
    first, *others = a["tensors"]
    for other in others:
        for axis, same in zip(other, first, strict=True):
            unite(axis, same)
    value = list(first)
    value.insert(a["dim"] % len(shape), fixed_axis(len(a["tensors"]), _PARTS))
    return value


def _repeat(a: Any, shape: _Shape) -> Value:
    x = a["self"]
    new = [fixed_axis(1)] * (len(shape) - len(x)) + x
    return [
        _copies(size)
        if axis.size == 1
        else Axis([*fixed_axis(size // axis.size, _PARTS).classes, *axis.classes], axis.scale)
        for axis, size in zip(new, shape, strict=True)
    ]


def _copies(size: int) -> Axis:
    """Copies of one number, which may change places with each other whatever they meet."""
    axis = free_axis(size)
    axis.scale.forbid()
    return axis


def _repeat_interleave(a: Any, shape: _Shape) -> Value:
    x = list(a["self"])
    if a["dim"] is None or not isinstance(a["repeats"], int):
        freeze(x, _BY_PLACE)
        return [fixed_axis(size, _BY_PLACE) for size in shape]
    dim = a["dim"] % len(x)
    times = fixed_axis(shape[dim] // x[dim].size, _PARTS)
    x[dim] = Axis([*x[dim].classes, *times.classes], x[dim].scale)
    return x


# --- shapes --------------------------------------------------------------------------------------


def _fixed(shapes: Sequence[_Shape]) -> list[Value]:
    return [[fixed_axis(size) for size in shape] for shape in shapes]


def _view(a: Any, shape: _Shape) -> Value:
    return viewed(a["self"], shape)


def _transpose(a: Any, shape: _Shape) -> Value:
    value = list(a["self"])
    word = "dim" if "dim0" in a else "axis"
    one, other = a[f"{word}0"], a[f"{word}1"]
    value[one], value[other] = value[other], value[one]
    return value


def _permute(a: Any, shape: _Shape) -> Value:
    return [a["self"][dim] for dim in a["dims"]]


def _reverse(a: Any, shape: _Shape) -> Value:
    return list(reversed(a["self"]))


def _movedim(a: Any, shape: _Shape) -> Value:
    count = len(a["self"])
    source, target = (
        [one % count for one in (a[key] if isinstance(a[key], list) else [a[key]])]
        for key in ("source", "destination")
    )
    rest = [place for place in range(count) if place not in source]
    order = {to: place for to, place in zip(target, source, strict=True)}
    return [a["self"][order[to] if to in order else rest.pop(0)] for to in range(count)]


def _expand(a: Any, shape: _Shape) -> Value:
    x = [free_axis(1)] * (len(shape) - len(a["self"])) + a["self"]
    return [
        axis if axis.size == size else _copies(size) for axis, size in zip(x, shape, strict=True)
    ]


def _unsqueeze(a: Any, shape: _Shape) -> Value:
    value = list(a["self"])
    value.insert(a["dim"] % len(shape), free_axis(1))
    return value


def _filled(a: Any, shape: _Shape) -> Value:
    """A tensor of one number: whatever moves in it, nothing changes."""
    return [_copies(size) for size in shape]


def _named(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_SPATIAL = {"1d": 1, "2d": 2, "3d": 3}

RULES: Mapping[str, Rule] = {
    **_named("add sub rsub", _sum),
    **_named("mul multiply", _product),
    **_named("div divide true_divide", partial(_product, divided=True)),
    **_named("prelu _prelu_kernel", _prelu),
    **_named("linear", _linear),
    **_named("conv1d conv2d conv3d", _convolution),
    **_named(
        "conv_transpose1d conv_transpose2d conv_transpose3d", partial(_convolution, transposed=True)
    ),
    **_named("batch_norm _native_batch_norm_legit_no_training", _batch_norm),
    **_named("instance_norm", _instance_norm),
    **_named("group_norm", _group_norm),
    **_named("layer_norm rms_norm", _layer_norm),
    **_named("_weight_norm", _weight_norm),
    **_named("embedding", _embedding),
    **_named("matmul mm bmm", _matmul),
    **_named("addmm baddbmm", _addmm),
    **_named("einsum", _einsum),
    **_named("scaled_dot_product_attention", _attention),
    **_named("mean sum", partial(_reduction, positive=True, odd=True)),
    **_named("amax amin max min", partial(_reduction, positive=True, odd=False)),
    **_named(
        "logsumexp norm linalg_vector_norm std var prod all any",
        partial(_reduction, positive=False, odd=False),
    ),
    **_named("cumsum cumprod logcumsumexp flip roll", _along),
    **{
        f"{name}{axes}": partial(_local, axes=count, odd="max" not in name)
        for axes, count in _SPATIAL.items()
        for name in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool")
    },
    **_named("max_pool1d_with_indices", partial(_local, axes=1, odd=False)),
    **_named("max_pool2d_with_indices", partial(_local, axes=2, odd=False)),
    **_named("max_pool3d_with_indices", partial(_local, axes=3, odd=False)),
    **{
        f"upsample_{name}": partial(_local, axes=axes, odd=True)
        for name, axes in {
            "nearest1d": 1, "linear1d": 1, "nearest2d": 2, "bilinear2d": 2, "bicubic2d": 2,
            "nearest3d": 3, "trilinear3d": 3,
        }.items()
    },
    **_named("pad constant_pad_nd", _pad),
    **{f"{kind}_pad{axes}": _pad for axes in _SPATIAL for kind in ("reflection", "replication")},
    **_named("flatten unflatten view reshape view_as reshape_as squeeze _unsafe_view", _view),
    **_named("transpose swapaxes swapdims", _transpose),
    **_named("permute", _permute),
    **_named("t numpy_T", _reverse),
    **_named("movedim moveaxis", _movedim),
    **_named("expand expand_as", _expand),
    **_named("unsqueeze", _unsqueeze),
    **_named("select", _select),
    **_named("unbind", _unbind),
    **_named("slice narrow", _slice),
    **_named("chunk split split_with_sizes tensor_split unsafe_chunk unsafe_split", _split),
    **_named("glu", _glu),
    **_named("cat concat concatenate", _cat),
    **_named("stack", _stack),
    **_named("repeat tile", _repeat),
    **_named("repeat_interleave", _repeat_interleave),
    **_named(
        "zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full scalar_tensor",
        _filled,
    ),
}  # fmt: skip
"""The rule of each operation by its name in torch, without the variants that act in place."""


def rule_of(operation: Any) -> Rule | None:
    """The rule of an operation of torch; None if it is not known here.

    Args:
        operation: an overload, e.g. `torch.ops.aten.add.Tensor`.
    """
    schema = getattr(operation, "_schema", None)
    if schema is None:
        return None
    name = re.sub(r"^aten::", "", schema.name)
    if name in RULES:
        return RULES[name]
    if name in _UNTAGGED or torch.Tag.pointwise in operation.tags:
        return partial(elementwise, name)
    return None
