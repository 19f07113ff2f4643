"""Weight matching: the permutations that bring networks closest to a reference.

Coordinate ascent of Git Re-Basin (Ainsworth, Hayase & Srinivasa 2023, arXiv:2209.04836), as used by
Gupta et al. 2026 (arXiv:2601.05052): with all other groups held, the best permutation of one group
is a linear assignment problem. Weights and biases take part. Three things differ from the published
code, none of them in the objective:

* By default it starts from a signature of each unit that no permutation of the other groups can
  change, and so finds the same network from every ordering of its units.
* The scores of all networks are computed as one batched product, in double precision; the part of
  them that no permutation changes is computed once.
* A group is assigned again only after a neighbouring group has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
)
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator

__all__ = ["STARTS", "MatchProblem", "MatchSettings", "Matching", "match", "similarity"]

STARTS = ("signature", "identity")
"""Where `match` may start: from units matched by their signatures, or from the given order."""

_SMALLEST_GAIN = 1e-12
"""A step counts as progress above this share of the product of the two networks' norms."""


class MatchProblem(Problem):
    """Settings with which nothing can be matched; the text says what is allowed."""


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
    """
    scores = _Scores(parameters, reference, symmetry)
    members = len(next(iter(parameters.values())))
    given = settings.start == "identity"
    start = identity(symmetry, members) if given else scores.by_signature()
    best = _ascend(scores, start, settings.sweeps)
    for restart in range(settings.restarts):
        generator = torch_generator(settings.seed, "restart of matching", restart)
        order = random_permutations(symmetry, [generator])
        start = {name: one.repeat(members, 1) for name, one in order.items()}
        best = _better(best, _ascend(scores, start, settings.sweeps))
    return best


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
        reference: shape (n, m·r), with r values for each pair of units.
        networks: shape (K, m, r, n).
    """

    other: str
    reference: Tensor
    networks: Tensor


class _Scores:
    """How well each unit of the reference fits each unit of each network."""

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        reference: Mapping[str, Tensor],
        symmetry: Symmetry,
    ) -> None:
        self.symmetry = symmetry
        self.networks = {name: tensor.double() for name, tensor in parameters.items()}
        self.reference = {name: tensor.double() for name, tensor in reference.items()}
        self.smallest_gain = _SMALLEST_GAIN * _norms(self.networks, 1) * _norms(self.reference, 0)
        self.fixed: dict[str, Tensor] = {}
        self.between: dict[str, list[_Between]] = {}
        members = len(self.smallest_gain)
        for group in symmetry.groups:
            self.fixed[group.name] = self.smallest_gain.new_zeros(members, group.size, group.size)
            self.between[group.name] = []
            for place in group.places:
                self._add(group, place)

    def _add(self, group: Group, place: Place) -> None:
        """Take one place of a group into its scores."""
        ours, theirs = self.reference[place.tensor], self.networks[place.tensor]
        others = [
            item for item in self.symmetry.groups_of(place.tensor).items() if item[0] != place.axis
        ]
        if others:
            ((axis, other),) = others
            ours = ours.movedim((axis, place.axis), (0, -1)).flatten(0, -2).T
            theirs = theirs.movedim((axis + 1, place.axis + 1), (1, -1)).unsqueeze(2).flatten(2, -2)
            self.between[group.name].append(_Between(other, ours, theirs.contiguous()))
        else:
            ours = ours.movedim(place.axis, 0).unsqueeze(-1).flatten(1)
            theirs = theirs.movedim(place.axis + 1, -1).unsqueeze(1).flatten(1, -2)
            self.fixed[group.name] += ours @ theirs

    def by_signature(self) -> dict[str, Tensor]:
        """Units matched by what no permutation of the other groups changes.

        These are a unit's values where they come from or lead to units that stay in place, and its
        sorted values elsewhere.
        """
        start = {}
        for group in self.symmetry.groups:
            score = self.fixed[group.name].cpu().numpy().copy()
            for between in self.between[group.name]:
                # numpy sorts several times faster than torch does on a CPU.
                networks = np.sort(between.networks.cpu().numpy(), axis=1)
                reference = between.reference.T.reshape(networks.shape[1:]).cpu().numpy()
                flat = np.sort(reference, axis=0).reshape(-1, group.size)
                score += flat.T @ networks.reshape(len(networks), -1, group.size)
            start[group.name] = torch.from_numpy(assign(score, np.zeros(score.shape[:2]))[0])
        return start

    def of(self, group: Group, at: Tensor, permutations: Mapping[str, Tensor]) -> np.ndarray:
        """Scores (members in `at`, size, size) of a group's units, all other groups held."""
        score = self.fixed[group.name].index_select(0, at)
        for between in self.between[group.name]:
            _, units, values, size = between.networks.shape
            rows = at[:, None] * units + permutations[between.other].index_select(0, at)
            networks = between.networks.flatten(0, 1).index_select(0, rows.flatten())
            score += between.reference @ networks.view(len(at), units * values, size)
        return score.cpu().numpy()


def _ascend(scores: _Scores, start: dict[str, Tensor], sweeps: int) -> Matching:
    groups = scores.symmetry.groups
    permutations = {name: order.clone() for name, order in start.items()}
    moved = permute(scores.networks, scores.symmetry, permutations)
    value = similarity(moved, scores.reference).cpu().numpy()
    smallest = scores.smallest_gain.cpu().numpy()
    prices = {name: np.zeros(order.shape) for name, order in start.items()}
    stale = {group.name: np.ones(len(value), dtype=bool) for group in groups}
    taken = np.zeros(len(value), dtype=np.int64)
    history = [value]
    while len(history) <= sweeps and any(waiting.any() for waiting in stale.values()):
        taken += np.any(list(stale.values()), axis=0)
        history.append(history[-1].copy())
        for group in groups:
            name = group.name
            at = np.flatnonzero(stale[name])
            score = scores.of(group, torch.from_numpy(at), permutations)
            old = permutations[name].numpy()[at]
            new, prices[name][at] = assign(score, prices[name][at])
            gain = _sums(score, new) - _sums(score, old)
            better = gain > smallest[at]
            permutations[name].numpy()[at[better]] = new[better]
            history[-1][at[better]] += gain[better]
            stale[name][at] = False
            for between in scores.between[name]:
                stale[between.other][at[better]] = True
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


def _norms(tensors: Mapping[str, Tensor], first: int) -> Tensor:
    """Euclidean norm of all tensors together, over the axes from `first`."""
    squares = [t.square().flatten(first).sum(-1) for t in tensors.values()]
    return torch.stack(squares).sum(0).sqrt()
