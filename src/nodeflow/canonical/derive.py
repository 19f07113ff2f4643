"""The symmetry of any network, derived from its graph of operations.

`torch.export` gives the operations of a module. Each axis of each tensor in it is a product of
classes of units; an operation says which axes carry the same units (those that it adds, multiplies
or sums over), and a class that reaches the end of the network, or an operation that is not known
here, stays in place. So what is found is a symmetry if the rules below are right, which
`check_symmetry` tests with numbers, and it may be less than the whole one, never more.

Scales are followed in the same way: a variable for each axis says by which power of s the tensor is
multiplied when the unit is made s times as large.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from nodeflow.canonical.symmetry import (
    Group,
    Place,
    Symmetry,
    SymmetryProblem,
    mlp_symmetry,
    permute,
    random_permutations,
    rescale,
)
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architectures import Architecture

__all__ = ["check_symmetry", "derive_symmetry"]

_END = "an end of the network"
_TOLERANCE = 1e-8
"""How much outputs may change in double precision, as a share of their largest value."""


@one_thread_if_small
def derive_symmetry(architecture: Architecture) -> Symmetry:
    """Which units of an architecture may change places, be scaled, or change sign.

    Args:
        architecture: a perceptron, or one made by `nodeflow.zoo.from_module`.

    Returns:
        The symmetry, checked with random numbers; its `frozen` says what was left in place because
        an operation is not known here or because the group cannot be matched.

    Raises:
        SymmetryProblem: the network cannot be exported, or the check failed.
    """
    if architecture.module is None:
        return _perceptron(architecture)
    graph = _Graph()
    graph.read(architecture)
    symmetry = _groups(graph, architecture)
    check_symmetry(architecture, symmetry)
    return symmetry


@one_thread_if_small
def check_symmetry(architecture: Architecture, symmetry: Symmetry, seed: int = 0) -> None:
    """Apply a random element of the symmetry to random networks and compare what they say.

    Raises:
        SymmetryProblem: an output changes by more than rounding.
    """
    generators = [torch_generator(seed, "check of a symmetry", k) for k in range(2)]
    tensors: dict[str, Tensor] = {}
    for name, tensor in architecture.initialize(generators).items():
        noise = torch.randn(tensor.shape, generator=generators[0]).double()
        tensors[name] = tensor.double() + 0.1 * noise
    for name, tensor in architecture.fresh_statistics(2).items():
        tensors[name] = tensor.double() + torch.rand(tensor.shape, generator=generators[0]).double()
    shape = (3, math.prod(architecture.item))
    x = torch.randn(shape, generator=generators[1], dtype=torch.float64)
    if architecture.tokens:
        x = torch.randint(architecture.tokens, shape, generator=generators[1])
    with torch.no_grad():
        before = architecture.forward(tensors, x)
        changed = permute(tensors, symmetry, random_permutations(symmetry, generators))
        scales = {}
        for group in symmetry.groups:
            scale = torch.rand(2, group.size, generator=generators[0]).double() + 0.5
            sign = torch.randint(2, scale.shape, generator=generators[0]).double() * 2 - 1
            scales[group.name] = scale ** int(group.scalable) * sign ** int(group.odd)
        changed = rescale(changed, symmetry, scales)
        after = architecture.forward(changed, x)
    error = float((before - after).abs().max() / before.abs().max())
    if not error <= _TOLERANCE:
        raise SymmetryProblem(
            f"The symmetry stated for {architecture.name} changes outputs by {error:.1e} of the "
            "largest; state it anew."
        )


def _perceptron(architecture: Architecture) -> Symmetry:
    symmetry = mlp_symmetry(architecture.shapes)
    if architecture.activation == "relu":
        return symmetry
    groups = (
        Group(
            group.name,
            group.size,
            tuple(Place(p.tensor, p.axis, p.power) for p in group.places),
            odd=True,
        )
        for group in symmetry.groups
    )
    return Symmetry(tuple(groups))


# --- classes of units ----------------------------------------------------------------------------


@dataclass(eq=False)
class _Class:
    """Units that carry the same permutation; a root, or equal to another one, or split in two."""

    size: int
    frozen: str = ""
    residual: bool = False
    same: _Class | None = None
    parts: tuple[_Class, _Class] | None = None

    def leaves(self) -> list[_Class]:
        """The classes that this one is the product of, the slowest first."""
        if self.same is not None:
            return self.same.leaves()
        if self.parts is not None:
            return [leaf for part in self.parts for leaf in part.leaves()]
        return [self]

    def split(self, first: int) -> None:
        self.parts = (
            _Class(first, self.frozen, self.residual),
            _Class(self.size // first, self.frozen, self.residual),
        )

    def freeze(self, reason: str) -> None:
        for leaf in self.leaves():
            leaf.frozen = leaf.frozen or reason


@dataclass(eq=False)
class _Scale:
    """A power of s: `sign` times that of a root, which may be forced to zero."""

    positive: bool = True
    odd: bool = True
    same: _Scale | None = None
    sign: int = 1

    def root(self) -> tuple[_Scale, int]:
        """The root, and the sign relative to it."""
        if self.same is None:
            return self, 1
        root, sign = self.same.root()
        return root, sign * self.sign

    def forbid(self, positive: bool = True, odd: bool = True) -> None:
        root, _ = self.root()
        root.positive, root.odd = root.positive and not positive, root.odd and not odd

    def tie(self, other: _Scale, sign: int) -> None:
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
class _Axis:
    """One axis of a tensor: the classes that it is a product of, and its scale."""

    classes: list[_Class]
    scale: _Scale = field(default_factory=_Scale)

    @property
    def leaves(self) -> list[_Class]:
        return [leaf for one in self.classes for leaf in one.leaves() if leaf.size > 1]

    @property
    def size(self) -> int:
        return math.prod(one.size for one in self.classes)

    def freeze(self, reason: str) -> None:
        for one in self.classes:
            one.freeze(reason)
        self.scale.forbid()


_Value = list[_Axis]


def _axis(size: int, frozen: str = "") -> _Axis:
    axis = _Axis([_Class(size, frozen)])
    if frozen:
        axis.scale.forbid()
    return axis


def _unite(a: _Axis, b: _Axis, sign: int = 1) -> None:
    """Say that two axes of equal size carry the same units, their scales alike or opposite."""
    a.scale.tie(b.scale, sign)
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


def _common(a: Sequence[_Class], b: Sequence[_Class]) -> int:
    """How many classes at the beginning of both are the same."""
    count = 0
    while count < min(len(a), len(b)) and a[count] is b[count]:
        count += 1
    return count


# --- operations ----------------------------------------------------------------------------------


class _Graph:
    """The values of an exported graph, by the operations that make them."""

    def __init__(self) -> None:
        self.tensors: dict[str, _Value] = {}
        self.values: list[tuple[str, _Value]] = []
        self.active: set[int] = set()  # values that depend on the items

    def read(self, architecture: Architecture) -> None:
        """Follow all operations of a module."""
        shape = (2, *architecture.item)
        items = torch.zeros(
            shape, device="meta", dtype=torch.long if architecture.tokens else torch.float32
        )
        assert architecture.module is not None
        try:
            program = torch.export.export(architecture.module, (items,))
        except Exception as error:  # torch.export documents no narrower class
            raise SymmetryProblem(
                f"{architecture.name} cannot be exported ({' '.join(str(error).split())[:200]}); "
                "its symmetry has to be stated."
            ) from error
        signature = program.graph_signature
        names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        found: dict[Node, Any] = {}
        for node in program.graph.nodes:
            if node.op == "output":
                for value in _tensors_in(found, node.args):
                    _freeze(value, _END)
                continue
            if node.op == "placeholder" and node.name in names:
                value = [_axis(size) for size in node.meta["val"].shape]
                self.tensors[names[node.name]] = value
            elif node.op == "placeholder":
                value = [_axis(size, _END) for size in node.meta["val"].shape]
                self.active.add(id(value))
            else:
                value = self._operation(node, found)
                if any(id(one) in self.active for one in _tensors_in(found, node.args)):
                    self.active.add(id(value))
            found[node] = value
            self.values.append((node.name, value))

    def _operation(self, node: Node, found: Mapping[Node, Any]) -> _Value:
        schema: Any = getattr(node.target, "_schema", None)
        name = "" if schema is None else schema.name.removeprefix("aten::")
        shape = getattr(node.meta.get("val"), "shape", None)
        if name not in _RULES or shape is None:
            for value in _tensors_in(found, [*node.args, *node.kwargs.values()]):
                _freeze(value, f"the operation {node.target} is not known here")
            return [_axis(size, _END) for size in shape or ()]
        given = dict(zip((one.name for one in schema.arguments), node.args, strict=False))
        arguments = {
            one.name: one.default_value for one in schema.arguments if one.has_default_value()
        } | {**given, **node.kwargs}
        arguments = {key: _resolved(found, value) for key, value in arguments.items()}
        if name == "add" and all(
            isinstance(one, list) and id(one) in self.active
            for one in (arguments["self"], arguments["other"])
        ):
            for axis in arguments["self"]:
                for leaf in axis.leaves:
                    leaf.residual = True
        return _RULES[name](arguments, tuple(shape))


def _resolved(found: Mapping[Node, Any], argument: Any) -> Any:
    if isinstance(argument, Node):
        return found[argument]
    if isinstance(argument, (list, tuple)):
        return [_resolved(found, one) for one in argument]
    return argument


def _tensors_in(found: Mapping[Node, Any], arguments: Iterable[Any]) -> list[_Value]:
    values = []
    for argument in arguments:
        if isinstance(argument, Node):
            values.append(found[argument])
        elif isinstance(argument, (list, tuple)):
            values += _tensors_in(found, argument)
    return values


def _freeze(value: _Value, reason: str) -> None:
    for axis in value:
        axis.freeze(reason)


def _rigid(value: _Value) -> _Value:
    """The same units; what follows may not scale them."""
    for axis in value:
        axis.scale.forbid()
    return value


def _elementwise(positive: bool, odd: bool) -> Callable[[Any, Any], _Value]:
    """A rule of a function of single values, which positive factors or signs may pass or not."""

    def rule(a: Any, shape: tuple[int, ...]) -> _Value:
        value: _Value = a["self"] if "self" in a else a["input"]
        for axis in value:
            axis.scale.forbid(positive=not positive, odd=not odd)
        return value

    return rule


def _linear(a: Any, shape: tuple[int, ...]) -> _Value:
    x, weight, bias = a["input"], a["weight"], a["bias"]
    _unite(weight[1], x[-1], -1)
    if bias is not None:
        _unite(bias[0], weight[0])
    return [*x[:-1], weight[0]]


def _convolution(a: Any, shape: tuple[int, ...]) -> _Value:
    x, weight, bias = a["input"], a["weight"], a["bias"]
    for axis in [*weight[2:], *x[2:]]:
        axis.freeze(_END)
    if a["groups"] == 1:
        _unite(weight[1], x[1], -1)
    elif weight[1].size == 1:  # one filter for each channel
        _unite(weight[0], x[1])
        _rigid([weight[0]])
    else:
        _freeze([weight[0], weight[1], x[1]], "a convolution in groups")
    if bias is not None:
        _unite(bias[0], weight[0])
    return [x[0], weight[0], *(_axis(size, _END) for size in shape[2:])]


def _batch_norm(a: Any, shape: tuple[int, ...]) -> _Value:
    x = a["input"]
    _rigid([x[1]])
    new = _Axis(x[1].classes)
    for name in ("weight", "bias", "running_mean", "running_var"):
        if a[name] is None:
            _rigid([new])
            continue
        learned = name in ("weight", "bias")
        axis = a[name][0]
        _unite(axis, new if learned else x[1])
    return [x[0], new, *x[2:]]


def _layer_norm(a: Any, shape: tuple[int, ...]) -> _Value:
    x = _rigid(a["input"])
    last = x[-len(a["normalized_shape"]) :]
    for name in ("weight", "bias"):
        for axis, other in zip(a[name] or (), last, strict=False):
            _unite(axis, other)
    return x


def _broadcast(a: Any, shape: tuple[int, ...]) -> _Value:
    """Sums and other functions of two tensors of which each value meets one other."""
    x, y = a["self"], a["other"]
    if not isinstance(x, list) or not isinstance(y, list):
        return _rigid(x if isinstance(x, list) else y)
    value = list(x if len(x) >= len(y) else y)
    for place, axis in enumerate(y if len(x) >= len(y) else x, len(value) - min(len(x), len(y))):
        if value[place].size == 1:
            value[place] = axis
        elif axis.size > 1:
            _unite(axis, value[place])
    return value


def _product(a: Any, shape: tuple[int, ...]) -> _Value:
    if isinstance(a["other"], list):
        return _rigid(_broadcast(a, shape))
    value: _Value = a["self"]
    return value


def _matmul(a: Any, shape: tuple[int, ...]) -> _Value:
    x, y = _rigid(a["self"]), _rigid(a["other"])
    if len(x) < 2 or len(y) < 2:
        _freeze([*x, *y], "a product with a vector")
        return [_axis(size, _END) for size in shape]
    _unite(x[-1], y[-2])
    outer = _broadcast({"self": x[:-2], "other": y[:-2]}, shape)
    return [*outer, x[-2], y[-1]]


def _pool(a: Any, shape: tuple[int, ...]) -> _Value:
    x = a["self"] if "self" in a else a["input"]
    _freeze(x[2:], _END)
    x[1].scale.forbid(positive=False)  # a maximum turns into a minimum
    return [x[0], x[1], *(_axis(size, _END) for size in shape[2:])]


def _mean(a: Any, shape: tuple[int, ...]) -> _Value:
    x = a["self"]
    dims = {dim % len(x) for dim in (a["dim"] if a["dim"] is not None else range(len(x)))}
    kept = [
        _axis(1) if place in dims else axis
        for place, axis in enumerate(x)
        if a["keepdim"] or place not in dims
    ]
    _rigid([x[place] for place in dims])
    return kept


def _view(a: Any, shape: tuple[int, ...]) -> _Value:
    """Axes split and joined: each new one is a run of the classes of all old ones in order."""
    old = [axis for axis in a["self"] if axis.size > 1]
    value: _Value = []
    for size in shape:
        if size == 1:
            value.append(_axis(1))
            continue
        new = _Axis([])
        parents = []
        while new.size < size:
            leaf = next(
                leaf for axis in old for leaf in axis.leaves if leaf not in _used(value, new)
            )
            missing = size // new.size
            if leaf.size > missing and leaf.size % missing == 0:
                leaf.split(missing)
                continue
            if leaf.size > missing or missing % leaf.size:
                _freeze(old, "a view that splits units unevenly")
                return [_axis(one, _END) for one in shape]
            new.classes.append(leaf)
            parents.append(next(axis for axis in old if leaf in axis.leaves))
        moving = [p for p in parents if any(not leaf.frozen for leaf in p.leaves)]
        if len(moving) == 1:
            new.scale.tie(moving[0].scale, 1)
        else:
            _rigid([new, *moving])
        value.append(new)
    return value


def _used(value: _Value, new: _Axis) -> list[_Class]:
    return [leaf for axis in [*value, new] for leaf in axis.leaves]


def _transpose(a: Any, shape: tuple[int, ...]) -> _Value:
    value = list(a["self"])
    one, other = a["dim0"], a["dim1"]
    value[one], value[other] = value[other], value[one]
    return value


def _permute(a: Any, shape: tuple[int, ...]) -> _Value:
    return [a["self"][dim] for dim in a["dims"]]


def _expand(a: Any, shape: tuple[int, ...]) -> _Value:
    x = [_axis(1)] * (len(shape) - len(a["self"])) + a["self"]
    return [
        axis if axis.size == size else _axis(size, _END)
        for axis, size in zip(x, shape, strict=True)
    ]


def _select(a: Any, shape: tuple[int, ...]) -> _Value:
    x = list(a["self"])
    x.pop(a["dim"] % len(x)).freeze(_END)
    return x


def _slice(a: Any, shape: tuple[int, ...]) -> _Value:
    x = list(a["self"])
    dim = a["dim"] % len(x)
    if x[dim].size != shape[dim]:
        x[dim].freeze(_END)
        x[dim] = _axis(shape[dim], _END)
    return x


def _cat(a: Any, shape: tuple[int, ...]) -> _Value:
    first, *others = a["tensors"]
    dim = a["dim"] % len(first)
    for other in others:
        for place, axis in enumerate(other):
            if place != dim:
                _unite(axis, first[place])
    for one in a["tensors"]:
        one[dim].freeze(_END)
    return [_axis(shape[dim], _END) if place == dim else axis for place, axis in enumerate(first)]


def _embedding(a: Any, shape: tuple[int, ...]) -> _Value:
    a["weight"][0].freeze(_END)
    return [*a["indices"], a["weight"][1]]


def _unsqueeze(a: Any, shape: tuple[int, ...]) -> _Value:
    value = list(a["self"])
    value.insert(a["dim"] % len(shape), _axis(1))
    return value


_RULES: Mapping[str, Callable[[Any, Any], _Value]] = {
    "linear": _linear,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "relu": _elementwise(positive=True, odd=False),
    "leaky_relu": _elementwise(positive=True, odd=False),
    "tanh": _elementwise(positive=False, odd=True),
    "gelu": _elementwise(positive=False, odd=False),
    "silu": _elementwise(positive=False, odd=False),
    "sigmoid": _elementwise(positive=False, odd=False),
    "softmax": _elementwise(positive=False, odd=False),
    "dropout": _elementwise(positive=True, odd=True),
    "clone": _elementwise(positive=True, odd=True),
    "contiguous": _elementwise(positive=True, odd=True),
    "add": _broadcast,
    "mul": _product,
    "div": _product,
    "matmul": _matmul,
    "max_pool2d": _pool,
    "avg_pool2d": _pool,
    "adaptive_avg_pool2d": _pool,
    "mean": _mean,
    "sum": _mean,
    "flatten": _view,
    "unflatten": _view,
    "view": _view,
    "reshape": _view,
    "transpose": _transpose,
    "permute": _permute,
    "expand": _expand,
    "select": _select,
    "slice": _slice,
    "cat": _cat,
    "embedding": _embedding,
    "unsqueeze": _unsqueeze,
}
"""How units pass through the operations that are known here."""


# --- groups --------------------------------------------------------------------------------------


def _groups(graph: _Graph, architecture: Architecture) -> Symmetry:
    tensors = {
        name: graph.tensors[name]
        for name in (*architecture.shapes, *architecture.statistics)
        if name in graph.tensors
    }
    values = [value for _, value in graph.values]
    for value in values:
        leaves = [leaf for axis in value for leaf in axis.leaves]
        for leaf in leaves:
            if leaves.count(leaf) > 1:
                leaf.freeze("units that meet each other")
    heads = _heads(values)
    while _freeze_what_fits_no_group(tensors, heads):
        pass
    places: dict[_Class, list[tuple[Place, _Scale]]] = {}
    for name, value in tensors.items():
        for number, axis in enumerate(value):
            leaves = axis.leaves
            moving = [leaf for leaf in leaves if not leaf.frozen]
            if moving:
                before = math.prod(leaf.size for leaf in leaves[: leaves.index(moving[0])])
                after = math.prod(leaf.size for leaf in leaves[leaves.index(moving[-1]) + 1 :])
                place = Place(name, number, 0, before, after)
                places.setdefault(moving[-1], []).append((place, axis.scale))
    groups: list[Group] = []
    first: dict[_Class, str] = {}
    for units, found in places.items():
        name = found[0][0].tensor.removesuffix(".weight").removesuffix(".bias")
        head = heads.get(units)
        if head is not None:
            first.setdefault(head, name)
        powers, scalable, odd = _powers(found)
        groups.append(
            Group(
                name,
                units.size * (head.size if head else 1),
                tuple(
                    Place(place.tensor, place.axis, power, place.before, place.after)
                    for (place, _), power in zip(found, powers, strict=True)
                ),
                scalable,
                odd,
                heads=head.size if head else 1,
                family=first[head] if head else "",
                residual=units.residual,
            )
        )
    frozen = [
        f"{name}, axis {number}: {leaf.frozen}"
        for name, value in tensors.items()
        for number, axis in enumerate(value)
        for leaf in axis.leaves
        if leaf.frozen and leaf.frozen != _END
    ]
    return Symmetry(tuple(groups), frozenset(architecture.statistics), tuple(frozen))


def _heads(values: Iterable[_Value]) -> dict[_Class, _Class]:
    """The class of heads, for each class of units that only ever appears within a head.

    Such units may move in each head on their own, because every operation on them works on heads
    one by one.
    """
    company: dict[_Class, set[_Class]] = {}
    behind: dict[_Class, set[_Class]] = {}
    for value in values:
        moving = {leaf for axis in value for leaf in axis.leaves if not leaf.frozen}
        for leaf in moving:
            company[leaf] = company.get(leaf, moving) & moving
        for axis in value:
            for one, other in zip(axis.leaves, axis.leaves[1:], strict=False):
                behind.setdefault(other, set()).add(one)
    found = {}
    for leaf, others in company.items():
        hosts = (others - {leaf}) & behind.get(leaf, set())
        if len(hosts) == 1:
            (found[leaf],) = hosts
    return found


def _freeze_what_fits_no_group(
    tensors: Mapping[str, _Value], heads: Mapping[_Class, _Class]
) -> bool:
    """Freeze units that lie along an axis in a way that no group can state; whether there were."""
    reason = "several classes of units along one axis"
    hosts = set(heads.values())
    froze = False
    for value in tensors.values():
        for axis in value:
            leaves = axis.leaves
            moving = [leaf for leaf in leaves if not leaf.frozen]
            whole = len(moving) == 1 and moving[0] not in hosts and moving[0] not in heads
            headed = (
                len(moving) == 2
                and heads.get(moving[1]) is moving[0]
                and leaves.index(moving[1]) == leaves.index(moving[0]) + 1
            )
            if moving and not whole and not headed:
                for leaf in moving:
                    leaf.freeze(reason)
                froze = True
    return froze


def _powers(found: Sequence[tuple[Place, _Scale]]) -> tuple[list[int], bool, bool]:
    """The power of each place, and whether units may be scaled and change sign.

    They may if exactly one variable is left free; with more of them, none is taken.
    """
    roots = [scale.root() for _, scale in found]
    free = list(dict.fromkeys(root for root, _ in roots if root.positive or root.odd))
    if len(free) != 1:
        return [0] * len(found), False, False
    (root,) = free
    # Units are made along the first axis of a tensor: there, the power is 1.
    signs = [
        sign
        for (place, _), (one, sign) in zip(found, roots, strict=True)
        if one is root and place.axis == 0
    ]
    first = signs[0] if signs else 1
    return [sign * first if one is root else 0 for one, sign in roots], root.positive, root.odd
