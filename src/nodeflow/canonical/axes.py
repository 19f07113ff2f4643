"""Axes of tensors as products of classes of units, each with a scale.

Two axes that an operation says carry the same units are joined; what an operation reads by its
place is frozen, with the reason. Scales are followed in the same way: a variable for each axis says
by which power of s the tensor is multiplied when the unit is made s times as large.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = [
    "END",
    "Axis",
    "Scale",
    "Units",
    "Value",
    "fixed_axis",
    "free_axis",
    "freeze",
    "join",
    "parted",
    "rigid",
    "unite",
    "viewed",
]

END = "an end of the network"
"""Why the items, the outputs, and what lies in space or time stay in place: no need to say so."""


@dataclass(eq=False)
class Units:
    """A class of units that carry the same permutation.

    It is a root, or the same as another class, or the product of two others.
    """

    size: int
    frozen: str = ""
    residual: bool = False
    same: Units | None = None
    parts: tuple[Units, Units] | None = None

    def leaves(self) -> list[Units]:
        """The classes that this one is the product of, the slowest first."""
        if self.same is not None:
            return self.same.leaves()
        if self.parts is not None:
            return [leaf for part in self.parts for leaf in part.leaves()]
        return [self]

    def split(self, first: int) -> None:
        """Make this class the product of one of `first` units and one of the rest."""
        self.parts = (
            Units(first, self.frozen, self.residual),
            Units(self.size // first, self.frozen, self.residual),
        )

    def freeze(self, reason: str) -> None:
        """Leave its units in place."""
        for leaf in self.leaves():
            leaf.frozen = leaf.frozen or reason


@dataclass(eq=False)
class Scale:
    """A power of s: `sign` times that of a root, which may be forced to zero."""

    positive: bool = True
    odd: bool = True
    same: Scale | None = None
    sign: int = 1

    def root(self) -> tuple[Scale, int]:
        """The root, and the sign relative to it."""
        if self.same is None:
            return self, 1
        root, sign = self.same.root()
        return root, sign * self.sign

    def forbid(self, positive: bool = True, odd: bool = True) -> None:
        """Allow no positive factors, or no signs."""
        root, _ = self.root()
        root.positive, root.odd = root.positive and not positive, root.odd and not odd

    def tie(self, other: Scale, sign: int) -> None:
        """Make this power `sign` times the other one."""
        (mine, my_sign), (theirs, their_sign) = self.root(), other.root()
        relative = my_sign * their_sign * sign
        if mine is theirs:
            if relative < 0:  # a power that is its own negative is zero
                mine.forbid(odd=False)
            return
        theirs.forbid(positive=not mine.positive, odd=not mine.odd)
        mine.same, mine.sign = theirs, relative


@dataclass(eq=False)
class Axis:
    """One axis of a tensor: the classes that it is a product of, and its scale."""

    classes: list[Units]
    scale: Scale = field(default_factory=Scale)

    @property
    def leaves(self) -> list[Units]:
        """Its classes of more than one unit, the slowest first."""
        return [leaf for one in self.classes for leaf in one.leaves() if leaf.size > 1]

    @property
    def size(self) -> int:
        """Its length."""
        return math.prod(one.size for one in self.classes)

    def hold(self, reason: str) -> None:
        """Leave its units in place; they may still be scaled."""
        for one in self.classes:
            one.freeze(reason)

    def freeze(self, reason: str) -> None:
        """Leave its units in place and as large as they are."""
        self.hold(reason)
        self.scale.forbid()


Value = list[Axis]
"""A tensor in a graph of operations."""


def free_axis(size: int) -> Axis:
    """An axis of units of which nothing is known yet."""
    return Axis([Units(size)])


def fixed_axis(size: int, reason: str = END) -> Axis:
    """An axis that stays in place."""
    axis = Axis([Units(size, reason)])
    axis.scale.forbid()
    return axis


def freeze(axes: Iterable[Axis], reason: str) -> None:
    """Leave the units of several axes in place."""
    for axis in axes:
        axis.freeze(reason)


def rigid(value: Value) -> Value:
    """The same units; what follows may not scale them."""
    for axis in value:
        axis.scale.forbid()
    return value


def unite(a: Axis, b: Axis, sign: int = 1) -> None:
    """Say that two axes of equal size carry the same units, their scales alike or opposite."""
    a.scale.tie(b.scale, sign)
    join(a, b)


def join(a: Axis, b: Axis) -> None:
    """Say that two axes of equal size carry the same units; nothing is said of their scales."""
    ours, theirs = a.leaves, b.leaves
    while ours and theirs:
        x, y = ours[0], theirs[0]
        if x is y:
            pass
        elif x.size == y.size:
            y.freeze(x.frozen) if x.frozen else x.freeze(y.frozen)
            y.residual = y.residual or x.residual
            x.same = y
        elif max(x.size, y.size) % min(x.size, y.size) == 0:
            larger, smaller = (x, y) if x.size > y.size else (y, x)
            larger.split(smaller.size)
            ours, theirs = a.leaves, b.leaves
            for _ in range(_common(ours, theirs)):
                ours, theirs = ours[1:], theirs[1:]
            continue
        else:
            a.freeze("an axis that is read in two ways")
            b.freeze("an axis that is read in two ways")
            return
        ours, theirs = ours[1:], theirs[1:]


def _common(a: Sequence[Units], b: Sequence[Units]) -> int:
    """How many classes at the beginning of both are the same."""
    count = 0
    while count < min(len(a), len(b)) and a[count] is b[count]:
        count += 1
    return count


def viewed(value: Value, shape: Sequence[int]) -> Value:
    """Axes split and joined: each new one is a run of the classes of all old ones in order."""
    old = [axis for axis in value if axis.size > 1]
    leaves = [leaf for axis in old for leaf in axis.leaves]
    if len(set(map(id, leaves))) < len(leaves):
        freeze(old, "units that meet each other")
        return [fixed_axis(size) for size in shape]
    new: Value = []
    for size in shape:
        if size == 1:
            new.append(fixed_axis(1))
            continue
        run = Axis([])
        parents = []
        while run.size < size:
            used = [leaf for axis in [*new, run] for leaf in axis.leaves]
            leaf = next(leaf for axis in old for leaf in axis.leaves if leaf not in used)
            missing = size // run.size
            if leaf.size > missing and leaf.size % missing == 0:
                leaf.split(missing)
                continue
            if leaf.size > missing or missing % leaf.size:
                freeze(old, "a view that splits units unevenly")
                return [fixed_axis(one) for one in shape]
            run.classes.append(leaf)
            parents.append(next(axis for axis in old if leaf in axis.leaves))
        moving = [p for p in parents if any(not leaf.frozen for leaf in p.leaves)]
        if len(moving) == 1:
            run.scale.tie(moving[0].scale, 1)
        else:
            rigid([run, *moving])
        new.append(run)
    return new


def parted(axis: Axis, count: int, reason: str) -> Axis:
    """The units of one of several equal parts of an axis; those of all parts move together.

    Args:
        axis: an array of shape (count, units), flattened.
        count: number of parts.
        reason: why the parts stay in place.
    """
    outer, inner = viewed([axis], (count, axis.size // count))
    outer.hold(reason)
    return inner
