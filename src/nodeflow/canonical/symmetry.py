"""Symmetries of an architecture as data: which units may change places, and where that acts.

A hidden unit of a network may change places with another one of its layer if everything that makes
it and everything that reads it moves along; the function stays the same. Behind a ReLU it may also
be made s > 0 times as large if everything that reads it is made s times as small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor

from nodeflow.problems import Problem

__all__ = [
    "Group",
    "Place",
    "Symmetry",
    "SymmetryProblem",
    "compose",
    "identity",
    "inverse",
    "mlp_symmetry",
    "permute",
    "random_permutations",
    "rescale",
]


class SymmetryProblem(Problem):
    """No symmetry can be stated for an architecture; the text says why."""


@dataclass(frozen=True)
class Place:
    """One axis of one tensor along which the units of a group lie.

    Attributes:
        tensor: its name.
        axis: the axis in one network's tensor (without the axis of members).
        made: whether the unit is made here, and not read: where it may be scaled by s, the tensor
            is multiplied by s if so, and divided by s if not.
    """

    tensor: str
    axis: int
    made: bool


@dataclass(frozen=True)
class Group:
    """Units that may change places with each other.

    Attributes:
        name: e.g. "layer0", the layer that makes the units.
        size: number of units.
        places: where they appear; each tensor at most once.
        scalable: whether each unit may be scaled by a positive factor as well.
    """

    name: str
    size: int
    places: tuple[Place, ...]
    scalable: bool


@dataclass(frozen=True)
class Symmetry:
    """All groups of an architecture, in the order from input to output.

    Attributes:
        groups: independent of each other: any choice of one permutation for each is a symmetry.
    """

    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        for group in self.groups:
            tensors = [place.tensor for place in group.places]
            if len(set(tensors)) < len(tensors):
                raise SymmetryProblem(
                    f"Group {group.name} lies along two axes of one tensor; such a group cannot be "
                    "matched one assignment at a time."
                )
        for tensor in self.tensors():
            if len(self.groups_of(tensor)) > 2:
                raise SymmetryProblem(f"More than two groups lie along the axes of {tensor}.")

    def tensors(self) -> list[str]:
        """Names of all tensors that a group acts on."""
        return list(dict.fromkeys(p.tensor for group in self.groups for p in group.places))

    def groups_of(self, tensor: str) -> dict[int, str]:
        """The name of the group along each axis of a tensor that has one."""
        return {p.axis: g.name for g in self.groups for p in g.places if p.tensor == tensor}


def mlp_symmetry(shapes: Mapping[str, tuple[int, ...]]) -> Symmetry:
    """Permutations and positive scales of the hidden units of a ReLU perceptron.

    Args:
        shapes: of an `Architecture` or of a `Block` of them, in their order.

    Raises:
        SymmetryProblem: the shapes are not those of a perceptron that `nodeflow.zoo.mlp` makes.
    """
    layers = len(shapes) // 2
    names = [f"layer{layer}.{part}" for layer in range(layers) for part in ("weight", "bias")]
    if list(shapes) != names:
        raise SymmetryProblem(
            f"Networks of the tensors {', '.join(shapes)} are not multilayer perceptrons; "
            "their symmetry has to be stated."
        )
    groups = []
    for layer, reader in pairwise(range(layers)):
        places = (
            Place(f"layer{layer}.weight", 0, made=True),
            Place(f"layer{layer}.bias", 0, made=True),
            Place(f"layer{reader}.weight", 1, made=False),
        )
        size = shapes[f"layer{layer}.weight"][0]
        groups.append(Group(f"layer{layer}", size, places, scalable=True))
    return Symmetry(tuple(groups))


# --- permutations --------------------------------------------------------------------------------
# One permutation of each group for each of K networks is a dictionary of int64 tensors of shape
# (K, size): unit i of the new network is unit permutation[i] of the old one.


def identity(symmetry: Symmetry, members: int) -> dict[str, Tensor]:
    """The permutations that move nothing, for `members` networks."""
    return {g.name: torch.arange(g.size).repeat(members, 1) for g in symmetry.groups}


def random_permutations(symmetry: Symmetry, generators: Sequence[Generator]) -> dict[str, Tensor]:
    """Uniformly random permutations, one network for each generator."""
    drawn = [
        [torch.randperm(group.size, generator=generator) for group in symmetry.groups]
        for generator in generators
    ]
    return {
        group.name: torch.stack([one[i] for one in drawn])
        for i, group in enumerate(symmetry.groups)
    }


def compose(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The permutations that do `first`, then `second`."""
    return {name: first[name].gather(1, second[name]) for name in first}


def inverse(permutations: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The permutations that undo `permutations`."""
    return {name: permutation.argsort(1) for name, permutation in permutations.items()}


def permute(
    parameters: Mapping[str, Tensor], symmetry: Symmetry, permutations: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The same functions with their units in another order; values are moved, never changed.

    Args:
        parameters: tensors of shape (K, *shape).
        symmetry: of their architecture.
        permutations: int64 of shape (K, size) for each group.

    Returns:
        New tensors; those that no group acts on are passed on.
    """
    moved = dict(parameters)
    for group in symmetry.groups:
        for place in group.places:
            tensor = moved[place.tensor]
            order = permutations[group.name].to(tensor.device)
            index = _along(order, place.axis, tensor.ndim).expand_as(tensor)
            moved[place.tensor] = tensor.gather(place.axis + 1, index)
    return moved


def _along(values: Tensor, axis: int, ndim: int) -> Tensor:
    """Values (K, size) as a tensor that broadcasts along the axes of members and of units."""
    shape = [1] * ndim
    shape[0], shape[axis + 1] = values.shape
    return values.view(shape)


# --- positive scales -----------------------------------------------------------------------------


def rescale(
    parameters: Mapping[str, Tensor], symmetry: Symmetry, scales: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The same functions with unit i of a group made scales[i] times as large.

    Args:
        parameters: tensors of shape (K, *shape).
        symmetry: of their architecture.
        scales: positive, of shape (K, size), for each group that is scaled.
    """
    scaled = dict(parameters)
    for group in symmetry.groups:
        if group.name not in scales:
            continue
        for place in group.places:
            tensor = scaled[place.tensor]
            factor = _along(scales[group.name].to(tensor), place.axis, tensor.ndim)
            scaled[place.tensor] = tensor * factor if place.made else tensor / factor
    return scaled
