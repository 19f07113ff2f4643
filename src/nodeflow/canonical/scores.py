"""How alike the units of two networks are, with all other groups of units held."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodeflow.canonical.assignment import assign
from nodeflow.canonical.products import CHUNK, fixed_products, products_of
from nodeflow.canonical.symmetry import (
    Group,
    Place,
    Symmetry,
    units_second,
)
from nodeflow.compiled import njit
from nodeflow.tensors import arrange, as_rows, as_tensors
from nodeflow.threads import one_thread_if_small

__all__ = ["Scores", "Target", "family_key", "rows_within", "sides_of", "similarity"]


@one_thread_if_small
def similarity(parameters: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> Tensor:
    """⟨reference, network⟩ over all parameters of each network, float64 of shape (K,)."""
    products = []
    one = as_tensors(reference, "the reference")
    shapes = {name: tuple(tensor.shape) for name, tensor in one.items()}
    for name, tensor in arrange(parameters, shapes, {}).items():
        ours = one[name].double().flatten()
        # A matrix product would round by how many networks there are.
        products.append(torch.cat([(part * ours).sum(1) for part in in_double(tensor)]))
    return torch.stack(products).sum(0)


def in_double(tensor: Tensor) -> Iterator[Tensor]:
    """Networks (K, *shape) flattened and in double precision, a few of them at a time."""
    flat = as_rows(tensor)
    step = max(1, CHUNK // max(1, flat.shape[1]))
    for start in range(0, max(1, len(flat)), step):
        yield flat[start : start + step].double()


class Target:
    """The reference, made ready for comparison with any number of networks.

    Attributes:
        tensors: as they enter the score.
        symmetry: of all networks.
        families: groups whose heads move together.
        odd: names of the groups whose units may change signs.
        along: the groups that lie along each tensor, each with its place.
        between: of each group and tensor that it shares with another one, or that makes its heads,
            the tensor as (1, m, r, n); see `_units_last`.
    """

    def __init__(self, tensors: dict[str, Tensor], symmetry: Symmetry, signs: bool) -> None:
        self.tensors, self.symmetry, self.families = tensors, symmetry, symmetry.families()
        self.odd = {group.name for group in symmetry.groups if signs and group.odd}
        self.along: dict[str, list[tuple[Group, Place]]] = {name: [] for name in tensors}
        for group in symmetry.groups:
            for place in group.places:
                if place.tensor in tensors:
                    self.along[place.tensor].append((group, place))
        self.between = {
            (group.name, name): _units_last(tensors[name][None], spot, *self.others(spot))
            for name, along in self.along.items()
            for spot in along
            for group, place in [spot]
            if self.others(spot) or self.makes_heads(spot)
        }

    def others(self, own: tuple[Group, Place]) -> list[tuple[Group, Place]]:
        """The other groups along the tensor of a place."""
        return [other for other in self.along[own[1].tensor] if other[1] != own[1]]

    def makes_heads(self, own: tuple[Group, Place]) -> bool:
        """Whether a tensor's matrices make the rows of heads."""
        group, place = own
        return group.heads > 1 and place.axis == 0 and self.tensors[place.tensor].ndim > 1


@dataclass(frozen=True)
class _Between:
    """A tensor that lies between the units of two groups, as one of them sees it.

    Attributes:
        other: name of the other group, of m units.
        reference: shape (1, m, r, n), with r values for each pair of units.
        networks: shape (K, m, r, n).
        order: of the other group as the scores know it, shape (K, m).
        sign: likewise, all ones where signs are not free.
        single: whether all values have single precision.
    """

    other: str
    reference: np.ndarray
    networks: np.ndarray
    order: np.ndarray
    sign: np.ndarray
    single: bool

    def products(self) -> np.ndarray:
        """The part of the scores (K, n, n) that comes from this tensor, with signs as they are."""
        members, units, values, size = self.networks.shape
        rows = (np.arange(members)[:, None] * units + self.order).ravel()
        networks = self.networks.reshape(-1, values * size).take(rows, 0)
        return products_of(self.reference, networks.reshape(self.networks.shape))


class Scores:
    """How well each unit of the reference fits each unit of each network, in double precision.

    These are kept on the CPU, where assignments are solved.

    Attributes:
        families: groups whose heads move together.
        odd: names of the groups whose units may change signs.
        still: the products of the tensors that no group acts on, shape (K,).
        fixed: for each group, the part of its scores that no other group changes, (K, n, n).
        between: for each group, the tensors that it shares with others.
        heads: for each family, minus the distance of each pair of heads.
        now: for each group, its scores (K, n, n).
        prices: of the assignments that the start was found by.
    """

    def __init__(self, networks: Mapping[str, Tensor], target: Target) -> None:
        self.families, self.odd = target.families, target.odd
        members = len(next(iter(networks.values())))
        self.fixed: dict[str, np.ndarray] = {}
        self.between: dict[str, list[_Between]] = {}
        self.heads: dict[str, np.ndarray] = {}
        self.now: dict[str, np.ndarray] = {}
        self.prices: dict[str, np.ndarray] = {}
        alone = {name: networks[name] for name, along in target.along.items() if not along}
        still = {name: target.tensors[name] for name in alone}
        self.still = similarity(alone, still).cpu().numpy() if alone else np.zeros(members)
        for group in target.symmetry.groups:
            between, unmoved = [], []
            for place in group.places:
                name, own = place.tensor, (group, place)
                if name not in target.tensors:
                    continue
                others = target.others(own)
                if (group.name, name) in target.between:
                    ours = target.between[group.name, name]
                    theirs = _units_last(networks[name], own, *others)
                if others:
                    size = (members, others[0][0].size)
                    order, sign = np.zeros(size, np.int64), np.ones(size)
                    pair = (target.tensors[name], networks[name])
                    single = all(tensor.dtype == torch.float32 for tensor in pair)
                    other = others[0][0].name
                    between.append(_Between(other, ours, theirs, order, sign, single))
                else:
                    pair = (target.tensors[name][None], networks[name])
                    unmoved.append([units_second(tensor, *own) for tensor in pair])
                if target.makes_heads(own):
                    family = group.family or group.name
                    matrices = (_heads_first(x, group.heads) for x in (ours, theirs))
                    apart = _spectral_distances(*matrices)
                    self.heads[family] = self.heads.get(family, 0) - apart
            self.fixed[group.name] = fixed_products(members, group.size, unmoved)
            self.between[group.name] = between

    def by_signature(self) -> dict[str, np.ndarray]:
        """Units matched, group by group, by what no permutation of the groups to come changes.

        These are a unit's values where they come from or lead to units that stay in place or have
        been placed already, and its sorted values elsewhere; where signs are free as well, its
        sorted values without their signs.
        """
        start: dict[str, np.ndarray] = {}
        for family in self.families:
            signatures = []
            for group in family:
                score = self.fixed[group.name].copy()
                if group.name in self.odd:
                    score = np.abs(score)
                for between in self.between[group.name]:
                    free = bool({between.other, group.name} & self.odd)
                    if between.other in start and not free:
                        between.order[:] = start[between.other]
                        score += between.products()
                    else:
                        pair = (between.reference, between.networks)
                        ours, theirs = (_sorted(x, free, between.single) for x in pair)
                        score += ours[0] @ theirs.transpose(0, 2, 1)
                signatures.append(score)
                others = {between.other for between in self.between[group.name]}
                if others <= start.keys() and not (others | {group.name}) & self.odd:
                    self.now[group.name] = score
            if family[0].heads > 1:
                order, _ = assign(*_priced(self.heads[family_key(family)]))
                order_of_family = rows_within(signatures, family[0].heads, order)
            else:
                one, self.prices[family[0].name] = assign(*_priced(signatures[0]))
                order_of_family = [one]
            for group, order in zip(family, order_of_family, strict=True):
                start[group.name] = order
        return start

    def order_heads(self, orders: dict[str, np.ndarray]) -> None:
        """Put heads in the order of their singular values, each with its rows as they are."""
        for family in self.families:
            if family[0].heads > 1:
                heads, _ = assign(*_priced(self.heads[family_key(family)]))
                for group in family:
                    rows = group.size // group.heads
                    within = orders[group.name].reshape(-1, group.heads, rows) % rows
                    new = heads[:, :, None] * rows + within
                    orders[group.name] = new.reshape(len(new), -1)

    def begin(self, orders: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the scores of all groups at these orders; returns the objective there, (K,)."""
        objective = self.still.copy()
        for group in (one for family in self.families for one in family):
            fixed = self.fixed[group.name]
            if group.name in self.now:
                score = self.of(group, np.arange(len(objective)), orders, {})
            else:
                score = self.now[group.name] = fixed.copy()
                for between in self.between[group.name]:
                    between.order[:] = orders[between.other]
                    score += between.products()
            # What lies between two groups is in the scores of both.
            order = orders[group.name]
            objective += (sides_of(score, order) + sides_of(fixed, order)).sum(1) / 2
        return objective

    def of(
        self,
        group: Group,
        at: np.ndarray,
        orders: Mapping[str, np.ndarray],
        signs: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """Scores (K, size, size) of a group's units, up to date for the members in `at`."""
        score = self.now[group.name]
        for one in self.between[group.name]:
            sign = signs.get(one.other, np.ones_like(one.sign))
            _follow(
                score, one.reference[0], one.networks, orders[one.other], sign, one.order,
                one.sign, at,
            )  # fmt: skip
        return score


@njit(nogil=True)
def _follow(
    scores: np.ndarray,
    reference: np.ndarray,
    networks: np.ndarray,
    order: np.ndarray,
    sign: np.ndarray,
    old_order: np.ndarray,
    old_sign: np.ndarray,
    some: np.ndarray,
) -> None:
    """Bring the scores of some members up to date with what changed in the other group.

    Scores and the old order and signs are written to; for the shapes see `_Between`.
    """
    _, units, values, size = networks.shape
    ours, change = np.empty((units * values, size)), np.empty((units * values, size))
    for k in some:
        rows = 0
        for unit in range(units):
            new, old = order[k, unit], old_order[k, unit]
            if new == old and sign[k, unit] == old_sign[k, unit]:
                continue
            for value in range(values):
                for column in range(size):
                    ours[rows, column] = reference[unit, value, column]
                    change[rows, column] = (
                        networks[k, new, value, column] * sign[k, unit]
                        - networks[k, old, value, column] * old_sign[k, unit]
                    )
                rows += 1
            old_order[k, unit], old_sign[k, unit] = new, sign[k, unit]
        if rows > 0:
            scores[k] += np.dot(ours[:rows].T, change[:rows])


def rows_within(scores: list[np.ndarray], heads: int, order: np.ndarray | None) -> list[np.ndarray]:
    """The best order of rows within heads, for groups of one family.

    Args:
        scores: for each group, shape (K, heads · rows, heads · rows).
        heads: number of heads.
        order: the network's head for each head of the reference, shape (K, heads); None takes the
            order whose best rows have the highest score.

    Returns:
        For each group its permutation, shape (K, heads · rows).
    """
    members = len(scores[0])
    best, within = np.zeros((members, heads, heads)), []
    for score in scores:
        rows = score.shape[1] // heads
        blocks = score.reshape(members, heads, rows, heads, rows).transpose(0, 1, 3, 2, 4)
        if order is not None:
            blocks = np.take_along_axis(blocks, order[:, :, None, None, None], 2)
        flat = np.ascontiguousarray(blocks).reshape(-1, rows, rows)
        assigned, _ = assign(*_priced(flat))
        within.append(assigned.reshape(members, heads, -1, rows))
        if order is None:
            best += sides_of(flat, assigned).sum(1).reshape(best.shape)
    if order is None:
        order, _ = assign(*_priced(best))
        within = [np.take_along_axis(one, order[:, :, None, None], 2) for one in within]
    return [
        (order[:, :, None] * one.shape[3] + one[:, :, 0]).reshape(members, -1) for one in within
    ]


def _priced(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores with prices to start an assignment from."""
    return scores, scores.max(1)


def family_key(family: list[Group]) -> str:
    """The name of a family of groups that share one order."""
    return family[0].family or family[0].name


def _heads_first(stack: np.ndarray, heads: int) -> np.ndarray:
    """Units last, (K, m, r, n), as one matrix for each head: (K, heads, m · r, rows)."""
    members, units, values, size = stack.shape
    matrices = stack.reshape(members, units * values, heads, size // heads)
    return matrices.transpose(0, 2, 1, 3)


def _spectral_distances(reference: np.ndarray, networks: np.ndarray) -> np.ndarray:
    """Distance (K, heads, heads) of the singular values of each pair of heads."""
    ours, theirs = (np.linalg.svd(x, compute_uv=False) for x in (reference, networks))
    distance: np.ndarray = np.linalg.norm(ours[:, :, None] - theirs[:, None], axis=3)
    return distance


def sides_of(
    scores: np.ndarray, permutations: np.ndarray, some: np.ndarray | None = None
) -> np.ndarray:
    """Scores (L, n) of `some` networks, or of all, along their permutations (L, n)."""
    where = np.arange(len(scores)) if some is None else some
    along: np.ndarray = scores[where[:, None], np.arange(scores.shape[1]), permutations]
    return along


def _units_last(tensor: Tensor, *along: tuple[Group, Place]) -> np.ndarray:
    """Networks (K, *shape) as float64 (K, m, r, n).

    Args:
        tensor: of all networks.
        along: the group whose n units come last, and if there is one, the group whose m units come
            first; without it, m is 1. All other values of the tensor are the r.
    """
    places = {place.axis: (place.before, group.size, place.after) for group, place in along}
    shape, units = [len(tensor)], {}
    for axis, length in enumerate(tensor.shape[1:]):
        units[axis] = len(shape) + 1
        shape += places.get(axis, (length,))
    (last, *first) = (units[place.axis] for _, place in along)
    rest = [x for x in range(1, len(shape)) if x not in (last, *first)]
    stack = tensor.double().cpu().numpy().reshape(shape)
    moved = np.ascontiguousarray(stack.transpose(0, *first, *rest, last))
    m = along[1][0].size if first else 1
    return moved.reshape(len(stack), m, math.prod(shape[x] for x in rest), along[0][0].size)


def _sorted(stack: np.ndarray, absolute: bool, single: bool) -> np.ndarray:
    """Values (K, m, r, n), perhaps without their signs, of each unit, the m sorted: (K, n, r · m).

    Those of single precision are sorted as such, which is faster.
    """
    members, units, values, size = stack.shape
    rows = np.ascontiguousarray(stack.transpose(0, 3, 2, 1))
    rows = rows.astype(np.float32) if single else rows
    rows = np.abs(rows) if absolute else rows
    rows = np.sort(rows, axis=3).reshape(members, size, values * units)
    return rows.astype(np.float64, copy=False)
