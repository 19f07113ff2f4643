"""Weight matching: the permutations that bring networks closest to a reference.

Coordinate ascent of Git Re-Basin (Ainsworth, Hayase & Srinivasa 2023, arXiv:2209.04836), as used by
Gupta et al. 2026 (arXiv:2601.05052): with all other groups held, the best permutation of one group
is a linear assignment problem. Weights and biases take part; running statistics move along but do
not, unless asked for. Attention is matched as in TransFusion (Rinaldi et al. 2025,
arXiv:2505.22697): heads by the singular values of what makes them, then the rows within each pair
of heads; or, by default, each pair of heads is scored by its best rows and heads are assigned by
these scores, which is the exact optimum with all other groups held. Queries with keys, and values
with outputs, have orders of rows of their own. Three things differ from the published code, none of
them in the objective:

* By default it starts from a signature of each unit that no permutation of the other groups can
  change, and so finds the same network from every ordering of its units.
* The scores of all networks are computed as one batched product, in double precision; the part of
  them that no permutation changes is computed once.
* A group is assigned again only after a neighbouring group has changed, and then from the prices
  of its last assignment (see `nodeflow.canonical.assignment`). The scores of a large group follow
  the units that changed, few after the first sweeps, and are not computed anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from nodeflow.canonical.assignment import assign
from nodeflow.canonical.symmetry import (
    Group,
    Place,
    Symmetry,
    identity,
    permute,
    random_permutations,
    rescale,
)
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator

__all__ = [
    "HEADS",
    "STARTS",
    "STATISTICS",
    "MatchProblem",
    "MatchSettings",
    "Matching",
    "match",
    "similarity",
]

STARTS = ("signature", "identity")
"""Where `match` may start: from units matched by their signatures, or from the given order."""

HEADS = ("scores", "spectral")
"""How `match` assigns heads: by the scores of their best rows, or by singular values."""

STATISTICS = ("out", "normalized", "raw")
"""How running statistics take part in the score: not at all, each divided by the root mean square
of the reference's, or as they are."""

_SMALLEST_GAIN = 1e-12
"""A step counts as progress above this share of the product of the two networks' norms."""

_LARGE = 2**20
"""Multiplications in a group's scores from which on they follow the units that changed."""


class MatchProblem(Problem):
    """Settings or networks with which nothing can be matched; the text says what to do."""


@dataclass(frozen=True)
class MatchSettings:
    """How to match.

    Attributes:
        start: a name from `STARTS`.
        restarts: further starts from random orders, the same ones for every network; the best
            outcome is kept. A network is then no longer matched alike from every ordering.
        sweeps: at most so many visits of all groups from each start.
        seed: of the random orders.
        heads: a name from `HEADS`.
        statistics: a name from `STATISTICS`.
        signs: whether units behind an odd activation may change sign. A network is then no longer
            matched alike from every choice of signs.
    """

    start: str = "signature"
    restarts: int = 0
    sweeps: int = 100
    seed: int = 0
    heads: str = "scores"
    statistics: str = "out"
    signs: bool = False

    def __post_init__(self) -> None:
        for key, names in (("start", STARTS), ("heads", HEADS), ("statistics", STATISTICS)):
            if getattr(self, key) not in names:
                raise MatchProblem(
                    f'There is no {key} "{getattr(self, key)}"; choose one of {", ".join(names)}.'
                )
        if self.restarts < 0 or self.sweeps < 1:
            raise MatchProblem("restarts must be 0 or more, and sweeps 1 or more.")


@dataclass(frozen=True)
class Matching:
    """The best permutations found for K networks.

    Attributes:
        permutations: int64 of shape (K, size) for each group.
        signs: +1 or -1, float64 of shape (K, size), for each group that may change signs: unit i
            of the new network is unit permutation[i] of the old one times signs[i].
        history: ⟨reference, permuted network⟩ over all parameters, at the start that was kept and
            after each of its sweeps, float64 of shape (1 + most sweeps, K); a network that has
            converged keeps its value. It never falls.
        sweeps: sweeps that each network took from that start, int64 of shape (K,); the last one
            found nothing to improve, unless it was the last one allowed.
    """

    permutations: dict[str, Tensor]
    signs: dict[str, Tensor]
    history: np.ndarray
    sweeps: np.ndarray

    def applied(self, parameters: Mapping[str, Tensor], symmetry: Symmetry) -> dict[str, Tensor]:
        """The matched networks: the same functions."""
        return rescale(permute(parameters, symmetry, self.permutations), symmetry, self.signs)


def match(
    parameters: Mapping[str, Tensor],
    reference: Mapping[str, Tensor],
    symmetry: Symmetry,
    settings: MatchSettings,
) -> Matching:
    """Match K networks to one reference; each is matched as if it were alone.

    Args:
        parameters: tensors of shape (K, *shape).
        reference: one network, tensors of shape (*shape).
        symmetry: of their architecture.
        settings: where to start and when to stop.

    Raises:
        MatchProblem: a network is not finite.
    """
    ours, theirs = _taking_part(parameters, reference, symmetry, settings.statistics)
    least = _SMALLEST_GAIN * _norms(theirs) * _norms({n: t[None] for n, t in ours.items()})
    if not np.isfinite(least).all():
        raise MatchProblem("Networks that are not finite cannot be matched; leave them out.")
    scores = _Scores(theirs, ours, symmetry, settings.signs)
    members = len(next(iter(parameters.values())))
    if settings.start == "signature":
        starts = [scores.by_signature()]
    else:
        starts = [identity(symmetry, members)]
    for restart in range(settings.restarts):
        generator = torch_generator(settings.seed, "restart of matching", restart)
        order = random_permutations(symmetry, [generator])
        starts.append({name: one.repeat(members, 1) for name, one in order.items()})
    matchings = []
    for start in starts:
        if settings.heads == "spectral":
            scores.order_heads(start)
        value = similarity(permute(theirs, symmetry, start), ours)
        matchings.append(
            _ascend(scores, start, value.cpu().numpy(), least, settings.sweeps, settings.heads)
        )
    return reduce(_better, matchings)


def _taking_part(
    parameters: Mapping[str, Tensor],
    reference: Mapping[str, Tensor],
    symmetry: Symmetry,
    statistics: str,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The reference's and the networks' tensors as they enter the score."""
    ours, theirs = {}, {}
    for name, tensor in reference.items():
        scale = 1.0
        if name in symmetry.statistics:
            if statistics == "out":
                continue
            if statistics == "normalized":
                scale = float(tensor.double().square().mean().sqrt()) or 1.0
        ours[name] = tensor if scale == 1 else tensor.double() / scale
        theirs[name] = parameters[name] if scale == 1 else parameters[name].double() / scale
    return ours, theirs


def similarity(parameters: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> Tensor:
    """⟨reference, network⟩ over all parameters of each network, float64 of shape (K,)."""
    products = [
        tensor.double().flatten(1) @ reference[name].double().flatten()
        for name, tensor in parameters.items()
    ]
    return torch.stack(products).sum(0)


@dataclass(frozen=True)
class _Between:
    """A tensor that lies between the units of two groups, as one of them sees it.

    Attributes:
        other: name of the other group, of m units.
        reference: shape (1, m, r, n), with r values for each pair of units.
        networks: shape (K, m, r, n).
    """

    other: str
    reference: np.ndarray
    networks: np.ndarray


@dataclass(frozen=True)
class _Last:
    """The scores of a large group as they are, and what they were computed with.

    Attributes:
        scores: shape (K, n, n).
        orders: of the other group of each tensor between, shape (K, m); to be written to.
        signs: likewise, all ones where signs are not free.
    """

    scores: np.ndarray
    orders: list[np.ndarray]
    signs: list[np.ndarray]


class _Scores:
    """How well each unit of the reference fits each unit of each network, in double precision.

    These are kept on the CPU, where assignments are solved.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        reference: Mapping[str, Tensor],
        symmetry: Symmetry,
        signs: bool,
    ) -> None:
        self.families = symmetry.families()
        self.odd = {group.name for group in symmetry.groups if signs and group.odd}
        members = len(next(iter(parameters.values())))
        self.fixed: dict[str, np.ndarray] = {}
        self.between: dict[str, list[_Between]] = {}
        self.heads: dict[str, np.ndarray] = {}  # minus the distance of each pair of heads
        self.last: dict[str, _Last] = {}
        ours = {name: tensor.double().cpu().numpy()[None] for name, tensor in reference.items()}
        theirs = {name: tensor.double().cpu().numpy() for name, tensor in parameters.items()}
        along: dict[str, list[tuple[Group, Place]]] = {}
        for group in symmetry.groups:
            for place in group.places:
                along.setdefault(place.tensor, []).append((group, place))
        for group in symmetry.groups:
            score = np.zeros((members, group.size, group.size))
            between = []
            for place in group.places:
                name = place.tensor
                if name not in ours:
                    continue
                others = [other for other in along[name] if other[1] != place]
                pair = [_units_last(x[name], (group, place), *others) for x in (ours, theirs)]
                if others:
                    between.append(_Between(others[0][0].name, *pair))
                else:
                    score += _products(*pair)
                if group.heads > 1 and place.axis == 0 and ours[name].ndim > 2:
                    family = group.family or group.name
                    apart = _spectral_distances(*(_heads_first(x, group.heads) for x in pair))
                    self.heads[family] = self.heads.get(family, 0) - apart
            self.fixed[group.name], self.between[group.name] = score, between

    def by_signature(self) -> dict[str, Tensor]:
        """Units matched by what no permutation of the other groups changes.

        These are a unit's values where they come from or lead to units that stay in place, and its
        sorted values elsewhere; where signs are free as well, without their signs.
        """
        start = {}
        for family in self.families:
            signatures = []
            for group in family:
                score = self.fixed[group.name].copy()
                if group.name in self.odd:
                    score = np.abs(score)
                for between in self.between[group.name]:
                    pair = [between.reference, between.networks]
                    if between.other in self.odd or group.name in self.odd:
                        pair = [np.abs(x) for x in pair]
                    score += _products(*(np.sort(x, 1) for x in pair))
                signatures.append(score)
            if family[0].heads > 1:
                order, _ = assign(*_priced(self.heads[_key(family)]))
                found = _rows_within(signatures, family[0].heads, order)
            else:
                found = [assign(*_priced(signatures[0]))[0]]
            for group, order in zip(family, found, strict=True):
                start[group.name] = torch.from_numpy(order)
        return start

    def order_heads(self, orders: dict[str, Tensor]) -> None:
        """Put heads in the order of their singular values, each with its rows as they are."""
        for family in self.families:
            if family[0].heads > 1:
                heads, _ = assign(*_priced(self.heads[_key(family)]))
                for group in family:
                    rows = group.size // group.heads
                    within = orders[group.name].view(-1, group.heads, rows) % rows
                    new = torch.from_numpy(heads)[:, :, None] * rows + within
                    orders[group.name] = new.flatten(1)

    def of(
        self,
        group: Group,
        at: np.ndarray,
        orders: Mapping[str, np.ndarray],
        signs: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """Scores (members in `at`, size, size) of a group's units, all other groups held."""
        work = sum(between.reference.size * group.size for between in self.between[group.name])
        if work < _LARGE:
            return self._anew(group, at, orders, signs)
        if group.name not in self.last:
            everyone = np.arange(len(self.fixed[group.name]))
            others = [between.other for between in self.between[group.name]]
            self.last[group.name] = _Last(
                self._anew(group, everyone, orders, signs),
                [orders[other].copy() for other in others],
                [signs.get(other, np.ones(orders[other].shape)).copy() for other in others],
            )
        for member in at:
            self._follow(group, int(member), orders, signs)
        return self.last[group.name].scores.take(at, 0)

    def _follow(
        self,
        group: Group,
        member: int,
        orders: Mapping[str, np.ndarray],
        signs: Mapping[str, np.ndarray],
    ) -> None:
        """Bring the last scores of one member up to date."""
        last, between = self.last[group.name], self.between[group.name]
        now = [
            (
                orders[one.other][member],
                signs[one.other][member] if one.other in signs else last.signs[i][member],
            )
            for i, one in enumerate(between)
        ]
        before = [(o[member], s[member]) for o, s in zip(last.orders, last.signs, strict=True)]
        moved = [
            np.flatnonzero((a[0] != b[0]) | (a[1] != b[1]))
            for a, b in zip(now, before, strict=True)
        ]
        if 2 * sum(map(len, moved)) > sum(len(order) for order, _ in now):
            here = np.array([member])
            last.scores[member] = self._anew(group, here, orders, signs)[0]
        else:
            for one, units, a, b in zip(between, moved, now, before, strict=True):
                new, old = (
                    one.networks[member, order[units]] * sign[units, None, None]
                    for order, sign in (a, b)
                )
                ours = one.reference[0, units].reshape(-1, group.size)
                last.scores[member] += ours.T @ (new - old).reshape(-1, group.size)
        for (order, sign), (old_order, old_sign) in zip(now, before, strict=True):
            old_order[:], old_sign[:] = order, sign

    def _anew(
        self,
        group: Group,
        at: np.ndarray,
        orders: Mapping[str, np.ndarray],
        signs: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        score = self.fixed[group.name].take(at, 0)
        for between in self.between[group.name]:
            members, units, values, size = between.networks.shape
            rows = at[:, None] * units + orders[between.other].take(at, 0)
            flat = between.networks.reshape(members * units, values * size)
            networks = flat.take(rows.ravel(), 0).reshape(len(at), units, values, size)
            if between.other in signs:
                networks *= signs[between.other].take(at, 0)[:, :, None, None]
            score += _products(between.reference, networks)
        return score


def _ascend(
    scores: _Scores,
    start: Mapping[str, Tensor],
    value: np.ndarray,
    least: np.ndarray,
    sweeps: int,
    heads: str,
) -> Matching:
    """Coordinate ascent from `start`, where the objective is `value`, in steps above `least`."""
    orders = {name: order.numpy().copy() for name, order in start.items()}
    signs = {name: np.ones(orders[name].shape) for name in scores.odd}
    prices: dict[str, np.ndarray] = {}
    stale = {_key(family): np.ones(len(value), dtype=bool) for family in scores.families}
    key_of = {group.name: _key(family) for family in scores.families for group in family}
    taken = np.zeros(len(value), dtype=np.int64)
    history = [value]
    while len(history) <= sweeps and any(waiting.any() for waiting in stale.values()):
        taken += np.any(list(stale.values()), axis=0)
        history.append(history[-1].copy())
        for family in scores.families:
            at = np.flatnonzero(stale[_key(family)])
            if len(at) == 0:
                continue
            score = [scores.of(group, at, orders, signs) for group in family]
            if family[0].heads > 1:
                count, now = family[0].heads, orders[family[0].name][at]
                order = now[:, :: now.shape[1] // count] // (now.shape[1] // count)
                new = _rows_within(score, count, order if heads == "spectral" else None)
            else:
                name = family[0].name
                fit = np.abs(score[0]) if name in signs else score[0]
                if name not in prices:  # All members are stale at first.
                    prices[name] = fit.max(1)
                found, prices[name][at] = assign(fit, prices[name][at])
                new = [found]
            gain = np.zeros(len(at))
            flips = {}
            for group, one, found in zip(family, score, new, strict=True):
                along, before = _along(one, found), _along(one, orders[group.name][at])
                if group.name in signs:
                    flips[group.name] = np.where(along < 0, -1.0, 1.0)
                    along = np.abs(along)
                    before = before * signs[group.name][at]
                gain += along.sum(1) - before.sum(1)
            better = gain > least[at]
            history[-1][at[better]] += gain[better]
            stale[_key(family)][at] = False
            for group, found in zip(family, new, strict=True):
                orders[group.name][at[better]] = found[better]
                if group.name in flips:
                    signs[group.name][at[better]] = flips[group.name][better]
                for between in scores.between[group.name]:
                    stale[key_of[between.other]][at[better]] = True
    return Matching(
        {name: torch.from_numpy(order) for name, order in orders.items()},
        {name: torch.from_numpy(sign) for name, sign in signs.items()},
        np.stack(history),
        taken,
    )


def _rows_within(
    scores: list[np.ndarray], heads: int, order: np.ndarray | None
) -> list[np.ndarray]:
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
        found, _ = assign(*_priced(flat))
        within.append(found.reshape(members, heads, -1, rows))
        if order is None:
            best += _along(flat, found).sum(1).reshape(best.shape)
    if order is None:
        order, _ = assign(*_priced(best))
        within = [np.take_along_axis(one, order[:, :, None, None], 2) for one in within]
    return [
        (order[:, :, None] * one.shape[3] + one[:, :, 0]).reshape(members, -1) for one in within
    ]


def _priced(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores with prices to start an assignment from."""
    return scores, scores.max(1)


def _key(family: list[Group]) -> str:
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


def _better(a: Matching, b: Matching) -> Matching:
    """For each network the matching with the higher objective; `a` if they are level."""
    length = max(len(a.history), len(b.history))
    wins = b.history[-1] > a.history[-1]
    chosen = torch.from_numpy(wins)
    permutations, signs = (
        {n: torch.where(chosen[:, None], two[n], one[n]) for n in one}
        for one, two in ((a.permutations, b.permutations), (a.signs, b.signs))
    )
    return Matching(
        permutations,
        signs,
        np.where(wins, _lengthened(b.history, length), _lengthened(a.history, length)),
        np.where(wins, b.sweeps, a.sweeps),
    )


def _lengthened(history: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([history, np.repeat(history[-1:], length - len(history), axis=0)])


def _along(scores: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    """Scores (K, n) along each network's permutation."""
    along: np.ndarray = np.take_along_axis(scores, permutations[:, :, None], 2)[:, :, 0]
    return along


def _units_last(stack: np.ndarray, *along: tuple[Group, Place]) -> np.ndarray:
    """Networks (K, *shape) as (K, m, r, n).

    Args:
        stack: the networks' tensors.
        along: the group whose n units come last, and if there is one, the group whose m units come
            first; without it, m is 1. All other values of the tensor are the r.
    """
    places = {place.axis: (place.before, group.size, place.after) for group, place in along}
    shape, units = [len(stack)], {}
    for axis, length in enumerate(stack.shape[1:]):
        units[axis] = len(shape) + 1
        shape += places.get(axis, (length,))
    (last, *first) = (units[place.axis] for _, place in along)
    rest = [x for x in range(1, len(shape)) if x not in (last, *first)]
    moved = np.ascontiguousarray(stack.reshape(shape).transpose(0, *first, *rest, last))
    m = along[1][0].size if first else 1
    return moved.reshape(len(stack), m, math.prod(shape[x] for x in rest), along[0][0].size)


def _products(reference: np.ndarray, networks: np.ndarray) -> np.ndarray:
    """Inner products (K, n, n) of the reference's and each network's values for each unit."""
    members, units, values, size = networks.shape
    ours = reference.reshape(units * values, size)
    product: np.ndarray = ours.T @ networks.reshape(members, units * values, size)
    return product


def _norms(parameters: Mapping[str, Tensor]) -> np.ndarray:
    """Euclidean norm of each network."""
    norms = [
        torch.linalg.vector_norm(tensor.flatten(1), dim=1, dtype=torch.float64)
        for tensor in parameters.values()
    ]
    total: np.ndarray = torch.linalg.vector_norm(torch.stack(norms), dim=0).cpu().numpy()
    return total
