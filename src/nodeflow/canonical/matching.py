"""Weight matching: the permutations that bring networks closest to a reference.

Coordinate ascent of Git Re-Basin (Ainsworth, Hayase & Srinivasa 2023, arXiv:2209.04836), as used by
Gupta et al. 2026 (arXiv:2601.05052): with all other groups held, the best permutation of one group
is a linear assignment problem. Weights and biases take part. Three things differ from the published
code, none of them in the objective:

* By default it starts from a signature of each unit that no permutation of the other groups can
  change, and so finds the same network from every ordering of its units.
* The scores of all networks are computed as one batched product, in double precision; the part of
  them that no permutation changes is computed once.
* A group is assigned again only after a neighbouring group has changed, and then from the prices
  of its last assignment (see `nodeflow.canonical.assignment`).
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
    Symmetry,
    identity,
    permute,
    random_permutations,
)
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator

__all__ = ["STARTS", "MatchProblem", "MatchSettings", "Matching", "match", "similarity"]

STARTS = ("signature", "identity")
"""Where `match` may start: from units matched by their signatures, or from the given order."""

_SMALLEST_GAIN = 1e-12
"""A step counts as progress above this share of the product of the two networks' norms."""


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
    """

    start: str = "signature"
    restarts: int = 0
    sweeps: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise MatchProblem(
                f'There is no start "{self.start}"; choose one of {", ".join(STARTS)}.'
            )
        if self.restarts < 0 or self.sweeps < 1:
            raise MatchProblem("restarts must be 0 or more, and sweeps 1 or more.")


@dataclass(frozen=True)
class Matching:
    """The best permutations found for K networks.

    Attributes:
        permutations: int64 of shape (K, size) for each group.
        history: ⟨reference, permuted network⟩ over all parameters, at the start that was kept and
            after each of its sweeps, float64 of shape (1 + most sweeps, K); a network that has
            converged keeps its value. It never falls.
        sweeps: sweeps that each network took from that start, int64 of shape (K,); the last one
            found nothing to improve, unless it was the last one allowed.
    """

    permutations: dict[str, Tensor]
    history: np.ndarray
    sweeps: np.ndarray


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
    least = _SMALLEST_GAIN * _norms(parameters) * _norms({n: t[None] for n, t in reference.items()})
    if not np.isfinite(least).all():
        raise MatchProblem("Networks that are not finite cannot be matched; leave them out.")
    scores = _Scores(parameters, reference, symmetry)
    members = len(next(iter(parameters.values())))
    starts = [
        scores.by_signature() if settings.start == "signature" else identity(symmetry, members)
    ]
    for restart in range(settings.restarts):
        generator = torch_generator(settings.seed, "restart of matching", restart)
        order = random_permutations(symmetry, [generator])
        starts.append({name: one.repeat(members, 1) for name, one in order.items()})
    matchings = []
    for start in starts:
        value = similarity(permute(parameters, symmetry, start), reference).cpu().numpy()
        matchings.append(_ascend(scores, start, value, least, settings.sweeps))
    return reduce(_better, matchings)


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


class _Scores:
    """How well each unit of the reference fits each unit of each network, in double precision.

    These are kept on the CPU, where assignments are solved.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        reference: Mapping[str, Tensor],
        symmetry: Symmetry,
    ) -> None:
        self.groups = symmetry.groups
        members = len(next(iter(parameters.values())))
        self.fixed: dict[str, np.ndarray] = {}
        self.between: dict[str, list[_Between]] = {}
        ours = {name: tensor.double().cpu().numpy()[None] for name, tensor in reference.items()}
        theirs = {name: tensor.double().cpu().numpy() for name, tensor in parameters.items()}
        for group in symmetry.groups:
            score = np.zeros((members, group.size, group.size))
            between = []
            for place in group.places:
                tensor, axis = place.tensor, place.axis
                others = [(a, g) for a, g in symmetry.groups_of(tensor).items() if a != axis]
                if others:
                    ((first, other),) = others
                    pair = (_units_last(x[tensor], axis, first) for x in (ours, theirs))
                    between.append(_Between(other, *pair))
                else:
                    score += _products(*(_units_last(x[tensor], axis) for x in (ours, theirs)))
            self.fixed[group.name], self.between[group.name] = score, between

    def by_signature(self) -> dict[str, Tensor]:
        """Units matched by what no permutation of the other groups changes.

        These are a unit's values where they come from or lead to units that stay in place, and its
        sorted values elsewhere.
        """
        start = {}
        for group in self.groups:
            score = self.fixed[group.name].copy()
            for between in self.between[group.name]:
                score += _products(np.sort(between.reference, 1), np.sort(between.networks, 1))
            order, _ = assign(score, score.max(1))
            start[group.name] = torch.from_numpy(order)
        return start

    def of(self, group: Group, at: np.ndarray, orders: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scores (members in `at`, size, size) of a group's units, all other groups held."""
        score = self.fixed[group.name].take(at, 0)
        for between in self.between[group.name]:
            members, units, values, size = between.networks.shape
            rows = at[:, None] * units + orders[between.other].take(at, 0)
            flat = between.networks.reshape(members * units, values * size)
            networks = flat.take(rows.ravel(), 0).reshape(len(at), units, values, size)
            score += _products(between.reference, networks)
        return score


def _ascend(
    scores: _Scores,
    start: Mapping[str, Tensor],
    value: np.ndarray,
    least: np.ndarray,
    sweeps: int,
) -> Matching:
    """Coordinate ascent from `start`, where the objective is `value`, in steps above `least`."""
    orders = {name: order.numpy().copy() for name, order in start.items()}
    prices: dict[str, np.ndarray] = {}
    stale = {group.name: np.ones(len(value), dtype=bool) for group in scores.groups}
    taken = np.zeros(len(value), dtype=np.int64)
    history = [value]
    while len(history) <= sweeps and any(waiting.any() for waiting in stale.values()):
        taken += np.any(list(stale.values()), axis=0)
        history.append(history[-1].copy())
        for group in scores.groups:
            name = group.name
            at = np.flatnonzero(stale[name])
            score = scores.of(group, at, orders)
            if name not in prices:  # All members are stale at first.
                prices[name] = score.max(1)
            new, prices[name][at] = assign(score, prices[name][at])
            gain = _sums(score, new) - _sums(score, orders[name][at])
            better = gain > least[at]
            orders[name][at[better]] = new[better]
            history[-1][at[better]] += gain[better]
            stale[name][at] = False
            for between in scores.between[name]:
                stale[between.other][at[better]] = True
    permutations = {name: torch.from_numpy(order) for name, order in orders.items()}
    return Matching(permutations, np.stack(history), taken)


def _better(a: Matching, b: Matching) -> Matching:
    """For each network the matching with the higher objective; `a` if they are level."""
    length = max(len(a.history), len(b.history))
    wins = b.history[-1] > a.history[-1]
    chosen = torch.from_numpy(wins)
    return Matching(
        {
            n: torch.where(chosen[:, None], b.permutations[n], a.permutations[n])
            for n in a.permutations
        },
        np.where(wins, _lengthened(b.history, length), _lengthened(a.history, length)),
        np.where(wins, b.sweeps, a.sweeps),
    )


def _lengthened(history: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([history, np.repeat(history[-1:], length - len(history), axis=0)])


def _sums(scores: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    """Sum of the scores along each network's permutation."""
    total: np.ndarray = np.take_along_axis(scores, permutations[:, :, None], 2).sum((1, 2))
    return total


def _units_last(stack: np.ndarray, axis: int, first: int | None = None) -> np.ndarray:
    """Networks (K, *shape) as (K, m, r, n): the n units along `axis` last, the m along `first`.

    Without `first`, m is 1; all other values of the tensor are the r.
    """
    order = [0] if first is None else [0, first + 1]
    rest = [x for x in range(1, stack.ndim) if x not in (*order, axis + 1)]
    moved = np.ascontiguousarray(stack.transpose(*order, *rest, axis + 1))
    units = 1 if first is None else stack.shape[first + 1]
    values = math.prod(stack.shape[x] for x in rest)
    return moved.reshape(len(stack), units, values, stack.shape[axis + 1])


def _products(reference: np.ndarray, networks: np.ndarray) -> np.ndarray:
    """Inner products (K, n, n) of the reference's and each network's values for each unit."""
    members, units, values, size = networks.shape
    ours = reference.reshape(units * values, size)
    product: np.ndarray = ours.T @ networks.reshape(members, units * values, size)
    return product


def _norms(parameters: Mapping[str, Tensor]) -> np.ndarray:
    """Euclidean norm of each network."""
    squares = [tensor.double().square().flatten(1).sum(1) for tensor in parameters.values()]
    return torch.stack(squares).sum(0).sqrt().cpu().numpy()
