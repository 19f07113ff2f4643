"""Symmetries of an architecture as data: which units may change places, and where that acts.

A hidden unit of a network may change places with another one of its layer if everything that makes
it and everything that reads it moves along; the function stays the same. Behind a ReLU it may also
be made s > 0 times as large if everything that reads it is made s times as small; behind an odd
activation it may change its sign.

The units of an attention layer are the rows of its heads. Heads may change places as wholes, and
the rows of each head among themselves; what queries and keys share and what values and outputs
share are two groups whose heads move together: one family.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch
from torch import Generator, Tensor

from nodeflow.problems import Problem
from nodeflow.tensors import (
    Shapes,
    arrange,
    arrange_one,
    as_tensors,
    shapes_of,
    without_buffers,
    without_constants,
)
from nodeflow.zoo.ties import with_aliases, without_aliases

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
    "units_second",
]


class SymmetryProblem(Problem):
    """No symmetry can be stated for an architecture; the text says why."""


@dataclass(frozen=True)
class Place:
    """One axis of one tensor along which the units of a group lie.

    Attributes:
        tensor: its name.
        axis: the axis in one network's tensor (without the axis of members).
        power: where a unit is scaled by s, the tensor is multiplied by s to this power: 1 where the
            unit is made, -1 where it is read, 0 where something in between takes up the scale.
        before: the axis is an array of shape (before, units, after), flattened.
        after: see `before`; e.g. the pixels of a channel that a linear layer reads.
    """

    tensor: str
    axis: int
    power: int = 0
    before: int = 1
    after: int = 1


@dataclass(frozen=True)
class Group:
    """Units that may change places with each other.

    Attributes:
        name: e.g. "layer0", the tensor or layer that makes the units.
        size: number of units.
        places: where they appear; each tensor at most once.
        scalable: whether each unit may be scaled by a positive factor as well.
        odd: whether each unit may change its sign as well.
        heads: if above 1, the units are so many heads of equal size, one after the other; a
            permutation keeps the units of a head together.
        family: groups of the same family have the same order of heads; by default, only itself.
        residual: whether units of several layers are added up, so that all of them move together.
    """

    name: str
    size: int
    places: tuple[Place, ...]
    scalable: bool = False
    odd: bool = False
    heads: int = 1
    family: str = ""
    residual: bool = False


@dataclass(frozen=True)
class Symmetry:
    """All groups of an architecture, in the order from input to output.

    Attributes:
        groups: any choice of one permutation for each is a symmetry, if those of one family have
            the same order of heads.
        statistics: tensors that units move in but that no training step learns: running means and
            variances.
        frozen: what was left in place although it might move, one line each that says why.
        aliases: other names of tensors that a module shares, each with the name that it has here.
        constants: buffers that all networks share, by name; networks that are given with them keep
            them.
        shapes: name → shape of all tensors of the architecture, statistics among them, in its
            order; empty for a symmetry that was stated by hand.
    """

    groups: tuple[Group, ...]
    statistics: frozenset[str] = frozenset()
    frozen: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    shapes: Shapes = field(default_factory=dict, repr=False, compare=False)

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

    def arrange(
        self,
        networks: Mapping[str, Tensor],
        like: Mapping[str, Tensor] | None = None,
        what: str = "the networks",
    ) -> dict[str, Tensor]:
        """Stacked networks in the order of the architecture; see `nodeflow.tensors.arrange`.

        Args:
            networks: tensors of shape (K, *shape); running statistics may be left out.
            like: one network that gives names, shapes and order to a symmetry without its own; by
                default the networks themselves.
            what: they are, for the text of an error.

        Raises:
            TensorProblem: networks are not of the architecture.
            SymmetryProblem: a group does not fit their tensors.
        """
        shapes, networks = self.shapes, self.once(networks, what)
        if not shapes:
            known = shapes_of(networks)
            first = {name: tuple(x.shape) for name, x in like.items()} if like else known
            shapes = first | {name: known[name] for name in known if name in self.statistics}
        arranged = arrange(networks, *self._split(shapes), what)
        for _ in _places(arranged, self):
            pass
        return arranged

    def arrange_one(
        self, network: Mapping[str, Tensor], what: str = "the reference"
    ) -> dict[str, Tensor]:
        """As `arrange`, of a single network: tensors of shape (*shape)."""
        network = self.once(network, what)
        shapes = self.shapes or {name: tuple(x.shape) for name, x in network.items()}
        return arrange_one(network, *self._split(shapes), what)

    def _split(self, shapes: Shapes) -> tuple[Shapes, Shapes]:
        """Shapes of what is learned, and of statistics."""
        learned = {name: shape for name, shape in shapes.items() if name not in self.statistics}
        return learned, {name: shape for name, shape in shapes.items() if name not in learned}

    @property
    def unmatched(self) -> str:
        """Why there is nothing to match, in one sentence; empty if there is a group."""
        if self.groups:
            return ""
        reasons = dict.fromkeys(line.partition(": ")[2] for line in self.frozen)
        why = "; ".join(reasons) or "all its units are inputs or outputs"
        return f"no group of units may change places ({why})"

    def once(self, networks: Mapping[str, Tensor], what: str = "the networks") -> dict[str, Tensor]:
        """What units move in: no counters and constants, and each shared tensor once.

        Raises:
            TensorProblem: a tensor is not of floating numbers, or a constant is another one.
            TieProblem: a shared tensor has different values under its names.
        """
        parameters, others = without_buffers(networks, what)
        given = {**parameters, **others}
        if self.constants:
            given = without_constants(given, self.constants, self.aliases, what)
        return without_aliases(as_tensors(given, what), self.aliases)

    def as_given(
        self, moved: Mapping[str, Tensor], given: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Networks in another form, under all the names that they were given with."""
        everything = {**given, **with_aliases(moved, self.aliases)}
        return {name: everything[name] for name in dict.fromkeys((*moved, *given))}

    def groups_of(self, tensor: str) -> dict[int, str]:
        """The name of the group along each axis of a tensor that has one."""
        return {p.axis: g.name for g in self.groups for p in g.places if p.tensor == tensor}

    def families(self) -> list[list[Group]]:
        """The groups, those of one family together."""
        families: dict[str, list[Group]] = {}
        for group in self.groups:
            families.setdefault(group.family or group.name, []).append(group)
        return list(families.values())

    def without_residual(self) -> Symmetry:
        """The symmetry with the units of residual streams left in place."""
        kept = tuple(group for group in self.groups if not group.residual)
        return replace(self, groups=kept)


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
            Place(f"layer{layer}.weight", 0, power=1),
            Place(f"layer{layer}.bias", 0, power=1),
            Place(f"layer{reader}.weight", 1, power=-1),
        )
        size = shapes[f"layer{layer}.weight"][0]
        groups.append(Group(f"layer{layer}", size, places, scalable=True))
    return Symmetry(tuple(groups), shapes=shapes)


# --- permutations --------------------------------------------------------------------------------
# One permutation of each group for each of K networks is a dictionary of int64 tensors of shape
# (K, size): unit i of the new network is unit permutation[i] of the old one.


def identity(symmetry: Symmetry, members: int) -> dict[str, Tensor]:
    """The permutations that move nothing, for `members` networks."""
    return {g.name: torch.arange(g.size).repeat(members, 1) for g in symmetry.groups}


def random_permutations(symmetry: Symmetry, generators: Sequence[Generator]) -> dict[str, Tensor]:
    """Uniformly random permutations, one network for each generator."""
    drawn = [_random(symmetry, generator) for generator in generators]
    return {
        group.name: torch.stack([one[group.name] for one in drawn]) for group in symmetry.groups
    }


def _random(symmetry: Symmetry, generator: Generator) -> dict[str, Tensor]:
    drawn = {}
    for family in symmetry.families():
        order = torch.randperm(family[0].heads, generator=generator)
        for group in family:
            rows = group.size // group.heads
            within = [torch.randperm(rows, generator=generator) for _ in order]
            heads = zip(order.tolist(), within, strict=True)
            drawn[group.name] = torch.cat([head * rows + one for head, one in heads])
    return drawn


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
        parameters: tensors of shape (K, *shape); running statistics may be left out.
        symmetry: of their architecture.
        permutations: int64 of shape (K, size) for each group.

    Returns:
        New tensors; those that no group acts on are passed on. A shared tensor is moved once, and
        has the same values under all names that were given.
    """
    moved = symmetry.once(parameters)
    for group, place, tensor in _places(moved, symmetry):
        units = units_second(tensor, group, place)
        order = permutations[group.name].to(tensor.device)
        rows = torch.arange(len(order), device=tensor.device)
        new = units[rows[:, None], order]
        moved[place.tensor] = new.movedim(1, place.axis + 2).reshape(tensor.shape)
    return symmetry.as_given(moved, parameters)


def _places(
    parameters: dict[str, Tensor], symmetry: Symmetry
) -> Iterator[tuple[Group, Place, Tensor]]:
    """Each place with its group and its tensor as it is by then."""
    for group in symmetry.groups:
        for place in group.places:
            if place.tensor in parameters:
                tensor, units = parameters[place.tensor], place.before * group.size * place.after
                if place.axis + 1 >= tensor.ndim or tensor.shape[place.axis + 1] != units:
                    raise SymmetryProblem(
                        f"The symmetry moves {group.size} units along axis {place.axis} of "
                        f"{place.tensor}, whose shape is {tuple(tensor.shape[1:])} per network; "
                        "state the symmetry of their own architecture."
                    )
                yield group, place, tensor
            elif place.tensor not in symmetry.statistics:
                raise SymmetryProblem(
                    f"The symmetry acts on {place.tensor}, which these networks do not have; "
                    "state the symmetry of their own architecture."
                )


def units_second(tensor: Tensor, group: Group, place: Place) -> Tensor:
    """A view of a tensor as (K, units, all before, …): the units of a group as its second axis."""
    axis = place.axis + 1
    shape = tensor.shape
    new = (place.before, group.size, place.after)
    return tensor.reshape(*shape[:axis], *new, *shape[axis + 1 :]).movedim(axis + 1, 1)


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
    scaled = symmetry.once(parameters)
    for group, place, tensor in _places(scaled, symmetry):
        if place.power == 0 or group.name not in scales:
            continue
        factor = scales[group.name].to(tensor)
        after = math.prod(tensor.shape[place.axis + 2 :]) * place.after
        units = tensor.reshape(len(tensor), -1, group.size, after)
        factor = factor[:, None, :, None]
        new = units * factor if place.power > 0 else units / factor
        scaled[place.tensor] = new.view(tensor.shape)
    return symmetry.as_given(scaled, parameters)
