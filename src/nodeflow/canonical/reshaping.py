"""Rules of operations along some axes, and of those that only give numbers other places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nodeflow.canonical.axes import (
    END,
    Axis,
    Value,
    fixed_axis,
    free_axis,
    freeze,
    parted,
    rigid,
    unite,
    viewed,
)
from nodeflow.canonical.elementwise import plus

__all__ = [
    "Made",
    "along",
    "expanded",
    "filled",
    "fixed",
    "glu",
    "interleaved",
    "moved_axes",
    "padded",
    "permuted",
    "pooled",
    "reduction",
    "repeated",
    "replaced",
    "reversed_axes",
    "selected",
    "side_by_side",
    "sliced",
    "slid",
    "split_up",
    "stacked",
    "transposed_axes",
    "unbound",
    "unsqueezed",
    "view",
]

Made = Value | tuple[Value, ...]
"""What an operation makes: one tensor, or several."""

_Shape = tuple[int, ...]
_BY_PLACE = "units are read by their place"
_PARTS = "parts of one axis that are read apart"
_SLIDES = "something slides along them"


def replaced(axis: Axis, size: int, reason: str = _BY_PLACE) -> Axis:
    """What stands in the place of an axis whose units an operation reads by their place."""
    moving = any(not leaf.frozen for leaf in axis.leaves)
    axis.freeze(reason)
    return fixed_axis(size, reason if moving else END)


def slid(axes: Sequence[Axis], sizes: Sequence[int]) -> Value:
    """What is left of axes in space or time along which something slides."""
    return [replaced(axis, size, _SLIDES) for axis, size in zip(axes, sizes, strict=True)]


def _dims(a: Any, axes: int) -> list[int]:
    """The axes that an operation names; all if it names none."""
    given = a.get("dim", a.get("dims"))
    if given is None or given == []:
        return list(range(axes))
    return [one % axes for one in (given if isinstance(given, list) else [given])]


def reduction(a: Any, shape: Any, positive: bool, odd: bool) -> Made:
    """Sums, largest numbers, norms …, for which the order of what they take does not matter.

    What is made grows with factors of the other units if `positive`, and changes its sign with
    theirs if `odd`.
    """
    if "other" in a:  # the larger of two tensors
        return rigid(plus(a, shape))
    x = a["self"]
    dims = set(_dims(a, len(x)))
    reduced = [
        free_axis(1) if dim in dims else axis
        for dim, axis in enumerate(x)
        if a.get("keepdim") or dim not in dims
    ]
    rigid([x[dim] for dim in dims])
    for axis in reduced:
        axis.scale.forbid(positive=not positive, odd=not odd)
    if isinstance(shape, tuple):
        return reduced
    freeze([x[dim] for dim in dims], _BY_PLACE)  # where the largest was is made as well
    return reduced, *fixed(shape[1:])


def along(a: Any, shape: _Shape, name: str) -> Value:
    """What depends on the order of units along the axes named, and on nothing else."""
    x = rigid(a["self"])
    dims = _dims(a, len(x))
    reason = f"{name} reads units by their place"
    return [replaced(x[p], shape[p], reason) if p in dims else x[p] for p in range(len(x))]


def pooled(a: Any, shape: Any, axes: int, odd: bool) -> Made:
    """Pooling and resizing: each channel on its own, along the last axes."""
    x = a["self"] if "self" in a else a["input"]
    if not odd:
        x[-axes - 1].scale.forbid(positive=False)  # a maximum turns into a minimum
    one = shape if isinstance(shape, tuple) else shape[0]
    made = [*x[:-axes], *slid(x[-axes:], one[-axes:])]
    return made if isinstance(shape, tuple) else (made, *fixed(shape[1:]))


def padded(a: Any, shape: _Shape) -> Value:
    """Values added at the ends of axes."""
    x = list(a["self"])
    places = a["pad"] if "pad" in a else a["padding"]
    for back in range(len(places) // 2):
        if places[2 * back] or places[2 * back + 1]:
            x[-back - 1] = replaced(x[-back - 1], shape[-back - 1])
    return rigid(x) if a.get("value") else x


def selected(a: Any, shape: _Shape) -> Value:
    """One place of an axis."""
    x = list(a["self"])
    x.pop(a["dim"] % len(x)).freeze(_BY_PLACE)
    return x


def unbound(a: Any, shapes: Sequence[_Shape]) -> Made:
    """All places of an axis, each on its own."""
    return (selected(a, shapes[0]),) * len(shapes)


def sliced(a: Any, shape: _Shape) -> Value:
    """A part of an axis."""
    x = list(a["self"])
    dim = a["dim"] % len(x)
    size, whole = shape[dim], x[dim].size
    start = (a["start"] or 0) % whole
    if 0 < size < whole and whole % size == start % size == 0 and a.get("step", 1) == 1:
        x[dim] = parted(x[dim], whole // size, _PARTS)
    elif size != whole:
        x[dim] = replaced(x[dim], size)
    return x


def split_up(a: Any, shapes: Sequence[_Shape]) -> Made:
    """Parts of one axis; if they are equal, the units of all of them move together."""
    x = a["self"]
    dim = a["dim"] % len(x)
    sizes = [shape[dim] for shape in shapes]
    if len(set(sizes)) == 1:
        inner = parted(x[dim], len(sizes), _PARTS)
        return ([*x[:dim], inner, *x[dim + 1 :]],) * len(sizes)
    parts = [replaced(x[dim], size, "parts of unequal size along one axis") for size in sizes]
    return tuple([*x[:dim], part, *x[dim + 1 :]] for part in parts)


def glu(a: Any, shape: _Shape) -> Value:
    """The first half of an axis times a function of the second."""
    x = rigid(a["self"])
    dim = a["dim"] % len(x)
    return [*x[:dim], parted(x[dim], 2, _PARTS), *x[dim + 1 :]]


def side_by_side(a: Any, shape: _Shape) -> Value:
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
        together = Axis([one for side in sides for one in side.classes])
        beside = replaced(together, shape[dim], reason)
        rigid(sides)
        return [*first[:dim], beside, *first[dim + 1 :]]
    for side in sides[1:]:
        unite(side, sides[0])
    beside = Axis([*fixed_axis(len(sides), _PARTS).classes, *sides[0].classes], sides[0].scale)
    return [*first[:dim], beside, *first[dim + 1 :]]


def stacked(a: Any, shape: _Shape) -> Value:
    """Tensors along a new axis."""
    first, *others = a["tensors"]
    for other in others:
        for axis, same in zip(other, first, strict=True):
            unite(axis, same)
    axes = list(first)
    axes.insert(a["dim"] % len(shape), fixed_axis(len(a["tensors"]), _PARTS))
    return axes


def repeated(a: Any, shape: _Shape) -> Value:
    """Whole tensors one after the other."""
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


def interleaved(a: Any, shape: _Shape) -> Value:
    """Each unit several times in a row."""
    x = list(a["self"])
    if a["dim"] is None or not isinstance(a["repeats"], int):
        freeze(x, _BY_PLACE)
        return [fixed_axis(size, _BY_PLACE) for size in shape]
    dim = a["dim"] % len(x)
    times = fixed_axis(shape[dim] // x[dim].size, _PARTS)
    x[dim] = Axis([*x[dim].classes, *times.classes], x[dim].scale)
    return x


# --- shapes ---------------------------------------------------------------------------------------


def fixed(shapes: Sequence[_Shape]) -> list[Value]:
    """Tensors of these shapes that stay in place."""
    return [[fixed_axis(size) for size in shape] for shape in shapes]


def view(a: Any, shape: _Shape) -> Value:
    """Axes split and joined; see `nodeflow.canonical.axes.viewed`."""
    return viewed(a["self"], shape)


def transposed_axes(a: Any, shape: _Shape) -> Value:
    """Two axes exchanged."""
    axes = list(a["self"])
    word = "dim" if "dim0" in a else "axis"
    one, other = a[f"{word}0"], a[f"{word}1"]
    axes[one], axes[other] = axes[other], axes[one]
    return axes


def permuted(a: Any, shape: _Shape) -> Value:
    """Axes in another order."""
    return [a["self"][dim] for dim in a["dims"]]


def reversed_axes(a: Any, shape: _Shape) -> Value:
    """Axes in the opposite order."""
    return list(reversed(a["self"]))


def moved_axes(a: Any, shape: _Shape) -> Value:
    """Some axes moved to other places."""
    count = len(a["self"])
    source, target = (
        [one % count for one in (a[key] if isinstance(a[key], list) else [a[key]])]
        for key in ("source", "destination")
    )
    rest = [index for index in range(count) if index not in source]
    order = dict(zip(target, source, strict=True))
    return [a["self"][order[to] if to in order else rest.pop(0)] for to in range(count)]


def expanded(a: Any, shape: _Shape) -> Value:
    """Axes of one number made longer by its copies."""
    x = [free_axis(1)] * (len(shape) - len(a["self"])) + a["self"]
    return [
        axis if axis.size == size else _copies(size) for axis, size in zip(x, shape, strict=True)
    ]


def unsqueezed(a: Any, shape: _Shape) -> Value:
    """A new axis of length one."""
    axes = list(a["self"])
    axes.insert(a["dim"] % len(shape), free_axis(1))
    return axes


def filled(a: Any, shape: _Shape) -> Value:
    """A tensor of one number: whatever moves in it, nothing changes."""
    return [_copies(size) for size in shape]
