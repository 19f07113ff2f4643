"""The symmetry of any network, derived from its graph of operations.

`torch.export` gives the operations of a module. Each axis of each tensor in it is a product of
classes of units (`nodeflow.canonical.axes`); an operation says which axes carry the same units
(`nodeflow.canonical.operations`), and a class that reaches the end of the network, or an operation
that is not known here, stays in place. So what is found is a symmetry if the rules are right, which
`check_symmetry` tests with numbers, and it may be less than the whole one, never more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeflow.canonical.axes import END, Scale, Units, Value
from nodeflow.canonical.graph import OperationGraph, read_graph
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
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.settings import ArchitectureProblem

__all__ = ["check_symmetry", "derive_symmetry"]

_TOLERANCE = 1e-8
"""How much outputs may change in double precision, as a share of their largest value."""

_SINGLE = 1e-5
"""How much at most where a module computes in single precision."""


@one_thread_if_small
def derive_symmetry(architecture: Architecture) -> Symmetry:
    """Which units of an architecture may change places, be scaled, or change sign.

    Args:
        architecture: a perceptron, or one made by `nodeflow.zoo.from_module`.

    Returns:
        The symmetry, checked with random numbers in the module itself, whose shared parameters stay
        shared; its `frozen` says what was left in place because an operation is not known here or
        because the group cannot be matched.

    Raises:
        SymmetryProblem: the network cannot be exported, or the check failed.
        ArchitectureProblem: the module cannot read its items.
    """
    if architecture.module is None:
        return _perceptron(architecture)
    trial = _trial(architecture, 0)
    symmetry = _groups(read_graph(architecture), architecture)
    _check(architecture, symmetry, trial)
    return symmetry


@one_thread_if_small
def check_symmetry(architecture: Architecture, symmetry: Symmetry, seed: int = 0) -> None:
    """Apply a random element of the symmetry to random networks and compare what they say.

    Raises:
        SymmetryProblem: an output changes by more than rounding, or from one call to the next.
        ArchitectureProblem: the module cannot read its items.
    """
    _check(architecture, symmetry, _trial(architecture, seed))


@dataclass(frozen=True)
class _Trial:
    """Two random networks, items, and what the networks say about them.

    Attributes:
        tensors: of both networks, statistics among them.
        x: items, shape (3, features).
        said: shape (2, 3, classes).
        generators: where further random numbers come from.
    """

    tensors: dict[str, Tensor]
    x: Tensor
    said: Tensor
    generators: list[torch.Generator]


def _trial(architecture: Architecture, seed: int) -> _Trial:
    """In double precision, or in single precision if the module can do with no other."""
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
        try:
            said = architecture.forward(tensors, x)
        except ArchitectureProblem:
            tensors = {name: tensor.float() for name, tensor in tensors.items()}
            x = x if architecture.tokens else x.float()
            said = architecture.forward(tensors, x)
    if not said.isfinite().all() or not said.any():
        raise SymmetryProblem(
            f"{architecture.name} says nothing finite, or only zeros, with random weights, so "
            "its symmetry cannot be checked; state it."
        )
    return _Trial(tensors, x, said, generators)


def _check(architecture: Architecture, symmetry: Symmetry, trial: _Trial) -> None:
    moved = permute(trial.tensors, symmetry, random_permutations(symmetry, trial.generators))
    scales = {}
    for group in symmetry.groups:
        scale = torch.rand(2, group.size, generator=trial.generators[0]).double() + 0.5
        sign = torch.randint(2, scale.shape, generator=trial.generators[0]).double() * 2 - 1
        scales[group.name] = scale ** int(group.scalable) * sign ** int(group.odd)

    def change(tensors: Mapping[str, Tensor]) -> float:
        with torch.no_grad():
            said = architecture.forward(tensors, trial.x)
        return float((trial.said - said).abs().max() / trial.said.abs().max())

    error = change(rescale(moved, symmetry, scales))
    if error <= _TOLERANCE:
        return
    if change(trial.tensors) > 0:
        raise SymmetryProblem(
            f"{architecture.name} says something else each time it reads the same items, so its "
            "symmetry cannot be checked; switch off what is random when it is not trained "
            "(functional.dropout does so with training=self.training)."
        )
    # Modules may compute in single precision inside. Then orders of units alone, which change
    # outputs either much or by rounding, show how much that is.
    rounding = min(10 * change(moved), _SINGLE)
    if not error <= rounding:
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
    return Symmetry(tuple(groups), shapes=symmetry.shapes)


def _groups(graph: OperationGraph, architecture: Architecture) -> Symmetry:
    tensors = {
        name: graph.tensors[name]
        for name in (*architecture.shapes, *architecture.statistics)
        if name in graph.tensors
    }
    for values, reason in (
        (tensors.values(), "the same units along two axes of one tensor"),
        (graph.values, "units that meet each other"),
    ):
        for axes in values:
            leaves = [leaf for axis in axes for leaf in axis.leaves]
            for leaf in leaves:
                if leaves.count(leaf) > 1:
                    leaf.freeze(reason)
    heads = _heads(graph.values)
    while _freeze_what_fits_no_group(tensors, heads):
        heads = {one: head for one, head in heads.items() if not (one.frozen or head.frozen)}
    places: dict[Units, list[tuple[Place, Scale]]] = {}
    for name, axes in tensors.items():
        for number, axis in enumerate(axes):
            leaves = axis.leaves
            moving = [leaf for leaf in leaves if not leaf.frozen]
            if moving:
                before = math.prod(leaf.size for leaf in leaves[: leaves.index(moving[0])])
                after = math.prod(leaf.size for leaf in leaves[leaves.index(moving[-1]) + 1 :])
                place = Place(name, number, 0, before, after)
                places.setdefault(moving[-1], []).append((place, axis.scale))
    groups: list[Group] = []
    first: dict[Units, str] = {}
    for units, occurrences in places.items():
        name = occurrences[0][0].tensor.removesuffix(".weight").removesuffix(".bias")
        head = heads.get(units)
        if head is not None:
            first.setdefault(head, name)
        powers, scalable, odd = _powers(occurrences)
        groups.append(
            Group(
                name,
                units.size * (head.size if head else 1),
                tuple(
                    Place(place.tensor, place.axis, power, place.before, place.after)
                    for (place, _), power in zip(occurrences, powers, strict=True)
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
        + (f", so {leaf.size} parts move alike" if any(not x.frozen for x in axis.leaves) else "")
        for name, axes in tensors.items()
        for number, axis in enumerate(axes)
        for leaf in axis.leaves
        if leaf.frozen and leaf.frozen != END
    ]
    return Symmetry(
        tuple(groups),
        frozenset(architecture.statistics),
        tuple(frozen),
        aliases=architecture.aliases,
        constants=architecture.constants,
        shapes={**architecture.shapes, **architecture.statistics},
    )


def _heads(values: Iterable[Value]) -> dict[Units, Units]:
    """The class of heads, for each class of units that only ever appears within a head.

    Such units may move in each head on their own, because every operation on them works on heads
    one by one.
    """
    company: dict[Units, set[Units]] = {}
    behind: dict[Units, set[Units]] = {}
    for axes in values:
        moving = {leaf for axis in axes for leaf in axis.leaves if not leaf.frozen}
        for leaf in moving:
            company[leaf] = company.get(leaf, moving) & moving
        for axis in axes:
            for one, other in zip(axis.leaves, axis.leaves[1:], strict=False):
                behind.setdefault(other, set()).add(one)
    hosted = {}
    for leaf, others in company.items():
        hosts = (others - {leaf}) & behind.get(leaf, set())
        if len(hosts) == 1:
            (hosted[leaf],) = hosts
    return hosted


def _freeze_what_fits_no_group(tensors: Mapping[str, Value], heads: Mapping[Units, Units]) -> bool:
    """Freeze units that lie along an axis in a way that no group can state; whether there were."""
    hosts = set(heads.values())
    for axes in tensors.values():
        moving_along = [[leaf for leaf in axis.leaves if not leaf.frozen] for axis in axes]
        for axis, moving in zip(axes, moving_along, strict=True):
            leaves = axis.leaves
            whole = len(moving) == 1 and moving[0] not in hosts and moving[0] not in heads
            within = len(moving) == 2 and heads.get(moving[1]) is moving[0]
            headed = within and leaves.index(moving[1]) == leaves.index(moving[0]) + 1
            if moving and not whole and not headed:
                # Rows of heads that lie apart in each head stay, and the heads may move.
                for leaf in moving[1:] if within else moving:
                    leaf.freeze("several classes of units along one axis")
                return True
        if sum(map(bool, moving_along)) > 2:
            for leaf in (leaf for moving in moving_along for leaf in moving):
                leaf.freeze("units along more than two axes of one tensor")
            return True
    return False


def _powers(occurrences: Sequence[tuple[Place, Scale]]) -> tuple[list[int], bool, bool]:
    """The power of each place, and whether units may be scaled and change sign.

    They may if exactly one variable is left free; with more of them, none is taken.
    """
    roots = [scale.root() for _, scale in occurrences]
    free = list(dict.fromkeys(root for root, _ in roots if root.positive or root.odd))
    if len(free) != 1:
        return [0] * len(occurrences), False, False
    (root,) = free
    # Units are made along the first axis of a tensor: there, the power is 1.
    signs = [
        sign
        for (place, _), (one, sign) in zip(occurrences, roots, strict=True)
        if one is root and place.axis == 0
    ]
    first = signs[0] if signs else 1
    return [sign * first if one is root else 0 for one, sign in roots], root.positive, root.odd
