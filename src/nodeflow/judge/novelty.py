"""How new networks are: distances to the members a flow learned from, and errors shared with them.

The maximal intersection over union of error sets is the measure of Wang et al. 2024
(arXiv:2402.13144); the ratio of nearest to second-nearest distance is Lowe's test, used by Zeng et
al. 2025 (arXiv:2506.07998) in other form: a copy is far nearer to its original than to any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodeflow.flow.codec import Shapes, flatten
from nodeflow.problems import Problem
from nodeflow.stack import Networks, Stack, joined, pieces
from nodeflow.tensors import all_finite
from nodeflow.threads import one_thread_if_small

__all__ = [
    "REPLICA_RATIO",
    "Align",
    "Gallery",
    "Nearest",
    "NoveltyProblem",
    "column_squares",
    "columns_at_once",
    "error_overlaps",
    "invariants",
    "max_iou",
    "nearest_members",
    "neighbour_test",
    "pair_squares",
    "spread",
    "spread_of",
    "two_nearest",
]

Align = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Mapping[str, Tensor]]
"""(stacked networks, one network) → the same functions, in the gauge closest to that network."""

REPLICA_RATIO = 1 / 3
"""A network is called a replica if its nearest member is this much nearer than the second."""

_SORTED = 4096
"""At most so many numbers stand for the sorted entries of a tensor."""

_COLUMNS = 2**24
"""Parameters of all networks together that are looked at at a time: 128 MiB in float64."""


class NoveltyProblem(Problem):
    """Networks whose distances to members cannot be measured."""


@dataclass(frozen=True)
class Nearest:
    """The two nearest members of each network.

    Attributes:
        nearest: (M,) Euclidean distance to the nearest member.
        second: (M,) to the second-nearest.
        index: (M,) position of the nearest.
    """

    nearest: np.ndarray
    second: np.ndarray
    index: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """(M,) nearest over second; 1 where both are 0, for two equal members are no original."""
        safe = np.where(self.second > 0, self.second, 1.0)
        ratio: np.ndarray = np.where(self.second > 0, self.nearest / safe, 1.0)
        return ratio


@one_thread_if_small
def nearest_members(
    rows: np.ndarray, members: np.ndarray, own: np.ndarray | None = None
) -> Nearest:
    """Distances of networks to the nearest and second-nearest members.

    Candidates are found with one matrix product in float64, about the members' mean, and their
    distances are then computed from differences: exact also where a network all but equals one.

    Args:
        rows: (M, D) flat networks, finite; `nodeflow.flow.flatten` gives those of named tensors,
            with the shapes of one architecture for both.
        members: (K, D) flat members, K ≥ 2 besides the network itself.
        own: (M,) position of each network among the members, which is left out; None if the
            networks are not members.

    Raises:
        NoveltyProblem: rows of other lengths, not finite, or fewer than two members to compare.
    """
    rows, members = _flat(rows, "networks"), _flat(members, "members")
    if rows.shape[1] != members.shape[1]:
        raise NoveltyProblem(
            f"networks have {rows.shape[1]} numbers and members {members.shape[1]}; flatten both "
            "with the shapes of one architecture."
        )
    if len(members) < (2 if own is None else 3):
        raise NoveltyProblem(
            f"a network is compared with its two nearest members besides itself; there are "
            f"{len(members)} members."
        )
    mean = members.mean(axis=0, dtype=np.float64)
    a, b = rows - mean, members - mean
    squares = _squares(a, b)
    if own is not None:
        squares[np.arange(len(rows)), own] = np.inf
    candidates = np.argpartition(squares, 1, axis=1)[:, :2]
    distances = np.stack([np.linalg.norm(a - b[column], axis=1) for column in candidates.T], axis=1)
    near = two_nearest(distances)
    return Nearest(near.nearest, near.second, candidates[np.arange(len(rows)), near.index])


def _flat(rows: np.ndarray, what: str) -> np.ndarray:
    """Flat networks (M, D) as an array of finite numbers."""
    if isinstance(rows, Tensor):
        rows = rows.detach().cpu().float().numpy() if rows.dtype.itemsize < 4 else rows.numpy()
    if isinstance(rows, Mapping) or np.ndim(rows) != 2:
        raise NoveltyProblem(
            f"{what} are {type(rows).__name__} of shape {np.shape(rows)}; give one row for each, "
            "as nodeflow.flow.flatten makes them."
        )
    array = np.asarray(rows)
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise NoveltyProblem(
            f"{len(bad)} of {len(array)} {what} are not finite, number {bad[0]} first; leave them "
            "out."
        )
    return array


class Gallery:
    """Members of a zoo, in memory or not, to find those that networks are nearest to."""

    def __init__(self, members: Networks, align: Align | None, candidates: int) -> None:
        """Members to compare with.

        Args:
            members: K ≥ 2 of them besides a network that is compared.
            align: how to bring networks closest to one; None compares them as given.
            candidates: how many members to match to each network, by either distance.

        Raises:
            TensorProblem: a member is not finite.
        """
        for some in pieces(members):
            all_finite(members.take(some).parameters, "the members")
        self.members, self._align = members, align
        self._candidates = candidates if align is not None else 2
        self._invariants = None if align is None else _invariants(members)

    def nearest(self, networks: Networks, own: np.ndarray | None = None) -> Nearest:
        """The two nearest members of each network, each pair in the gauge that brings it closest.

        Units of a hidden layer have no order, so parameters as given make a permuted copy look new.
        One common order for all networks is not enough: it pulls them all towards the network that
        they were matched to, which is then everybody's nearest neighbour.

        Matching every pair is dear where there are many members. Candidates are those that are
        nearest as given and, as many again, those that are nearest by `invariants`, whose distance
        is never above the one sought: it is all but 0 for a copy in whatever order, which cannot be
        missed.

        Args:
            networks: M of them, finite, with the tensors of the members in any order.
            own: as in `nearest_members`.

        Raises:
            TensorProblem: networks have other tensors than the members.
        """
        networks = networks.arranged(self.members.shapes)
        places = self._places(networks, own)
        nearest, second = np.empty((2, len(networks)))
        index = np.empty(len(networks), dtype=np.int64)
        for batch in pieces(networks):
            block = networks.take(batch)
            for k, parameters in zip(batch, _one_by_one(block), strict=True):
                near = two_nearest(self._distances(parameters, places[k])[None])
                nearest[k], second[k] = near.nearest[0], near.second[0]
                index[k] = places[k][near.index[0]]
        return Nearest(nearest, second, index)

    def beside(self, networks: Networks, places: np.ndarray) -> Stack[Tensor]:
        """Members, each in the gauge that brings it closest to one network.

        Args:
            networks: M of them, as in `nearest`.
            places: (M,) which member each is compared with.
        """
        networks = networks.arranged(self.members.shapes)
        moved = []
        for k, place in enumerate(places):
            parameters: Mapping[str, Tensor] = self.members.take([place]).parameters
            if self._align is not None:
                one = networks.take([k]).first
                parameters = self._align(parameters, one)
            moved.append(Stack(dict(parameters)))
        return joined(moved)

    def _places(self, networks: Networks, own: np.ndarray | None) -> list[np.ndarray]:
        """Places of the candidates for each network, in order."""
        bounds = [column_squares(networks, self.members)]
        if self._invariants is not None:
            bounds.append(pair_squares([(_invariants(networks), self._invariants)]))
        for squares in bounds if own is not None else ():
            squares[np.arange(len(networks)), own] = np.inf
        nearest = []
        for k in range(len(networks)):
            ranked = [np.argsort(squares[k])[: self._candidates] for squares in bounds]
            places = np.unique(np.concatenate(ranked))
            nearest.append(places if own is None else places[places != own[k]])
        return nearest

    def _distances(self, network: Mapping[str, Tensor], places: np.ndarray) -> np.ndarray:
        """Distances of one network to some of the members, each in the gauge closest to it."""
        shapes, candidates = self.members.shapes, self.members.select(places)
        row = flatten({name: t[None] for name, t in network.items()}, shapes).astype(np.float64)
        distances = []
        for batch in pieces(candidates):
            moved: Mapping[str, Tensor] = candidates.take(batch).parameters
            if self._align is not None:
                moved = self._align(moved, network)
            distances.append(
                np.linalg.norm(flatten(moved, shapes).astype(np.float64) - row, axis=1)
            )
        return np.concatenate(distances)


def _one_by_one(block: Stack[Tensor]) -> Iterator[dict[str, Tensor]]:
    for k in range(len(block)):
        yield {name: tensor[k] for name, tensor in block.parameters.items()}


def _invariants(networks: Networks) -> np.ndarray:
    """`invariants` of networks, of some after the others."""
    parts = [invariants(networks.take(s).parameters, networks.shapes) for s in pieces(networks)]
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def invariants(networks: Mapping[str, Tensor], shapes: Shapes) -> np.ndarray:
    """Numbers (M, F) of each network that no order of its units changes.

    They are the singular values of each matrix and the sorted entries of everything else. Neither
    moves further than the entries do (Mirsky 1960; rearrangement inequality), so the distance
    between two networks' invariants bounds their distance in any gauge from below. Where a tensor
    has many entries, neighbours among the sorted ones are replaced by their sum over the square
    root of their number, which moves no further than they do (Cauchy and Schwarz).

    Args:
        networks: stacked parameters (M, …), finite.
        shapes: of one network.
    """
    parts = []
    for name, shape in shapes.items():
        tensor = networks[name].detach().cpu()
        if len(shape) == 2:
            # One at a time: doubles of all and LAPACK's copies of them are four times as much.
            values = [torch.linalg.svdvals(one.double()) for one in tensor]
            parts.append(torch.stack(values).numpy())
        else:
            entries = tensor.double().flatten(1).sort(dim=1).values.numpy()
            starts = np.unique(np.linspace(0, entries.shape[1], _SORTED + 1).astype(np.int64)[:-1])
            sizes = np.diff(starts, append=entries.shape[1])
            parts.append(np.add.reduceat(entries, starts, axis=1) / np.sqrt(sizes))
    return np.concatenate(parts, axis=1)


def column_squares(networks: Networks, members: Networks) -> np.ndarray:
    """Squared distances (M, K) as given; see `pair_squares`."""
    if len(networks) == 0:
        return np.zeros((0, len(members)))
    networks = networks.arranged(members.shapes)
    size = columns_at_once(networks, members)
    return pair_squares(zip(networks.columns(size), members.columns(size), strict=True))


def pair_squares(parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Squared distances (M, K), as exact as products about the second ones' mean are.

    Args:
        parts: the same numbers of M networks and of K others, (M, c) and (K, c), a few at a time.
    """
    total: np.ndarray | None = None
    for rows, members in parts:
        mean = members.mean(axis=0, dtype=np.float64)
        apart = members - mean
        squares = _squares(apart if rows is members else rows - mean, apart)
        total = squares if total is None else total + squares
    assert total is not None
    return total


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances of all rows of both, by one matrix product."""
    squares: np.ndarray = (a**2).sum(axis=1)[:, None] - 2 * (a @ b.T) + (b**2).sum(axis=1)
    return squares


def columns_at_once(*networks: Networks) -> int:
    """How many parameters of each of all these networks are looked at together."""
    return max(1, _COLUMNS // max(1, sum(map(len, networks))))


def two_nearest(distances: np.ndarray) -> Nearest:
    """The two nearest members by a matrix of distances (M, K); see `nearest_members`."""
    everyone = np.arange(len(distances))
    two = np.argsort(distances, axis=1, kind="stable")[:, :2]
    first, second = two[:, 0], two[:, 1]
    return Nearest(distances[everyone, first], distances[everyone, second], first)


@one_thread_if_small
def max_iou(
    errors: np.ndarray, member_errors: np.ndarray, own: np.ndarray | None = None
) -> np.ndarray:
    """Largest overlap of each network's errors with those of one member.

    Args:
        errors: as in `error_overlaps`.
        member_errors: likewise.
        own: as in `nearest_members`.

    Returns:
        (M,) in [0, 1].
    """
    overlap = error_overlaps(errors, member_errors)
    if own is not None:
        overlap[np.arange(len(errors)), own] = -1
    largest: np.ndarray = overlap.max(axis=1).astype(np.float64)
    return largest


def error_overlaps(errors: np.ndarray, member_errors: np.ndarray) -> np.ndarray:
    """Overlap of each network's errors with those of each member.

    The overlap of two sets is their intersection over their union; two empty sets overlap fully.

    Args:
        errors: (M, n) bool, which items each network classifies wrongly.
        member_errors: (K, n) bool, the same of the members.

    Returns:
        (M, K) in [0, 1].
    """
    # Counts below 2²⁴ are exact in float32, whose products are the fastest.
    a, b = errors.astype(np.float32), member_errors.astype(np.float32)
    both = a @ b.T
    either = a.sum(axis=1)[:, None] + b.sum(axis=1) - both
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def neighbour_test(
    networks: Networks, others: Networks, rng: np.random.Generator, permutations: int = 999
) -> float:
    """P-value of the nearest-neighbour two-sample test: are both sets drawn alike?

    The statistic is how many networks have their nearest neighbour, among all of both sets, in
    their own set; it is compared with its values after exchanging networks between the sets at
    random (Schilling 1986; Henze 1988). Sets that cluster, each for itself, make it large.

    Args:
        networks: M of them, finite.
        others: K of them, finite; of the larger set, the first min(M, K) count.
        rng: where the exchanges come from.
        permutations: how many.

    Returns:
        The p-value, one-sided; NaN with fewer than two networks in either set.
    """
    count = min(len(networks), len(others))
    if count < 2:
        return float("nan")
    others = others.arranged(networks.shapes, "the other networks")
    first, size = np.arange(count), columns_at_once(networks, others)
    pooled = (
        np.concatenate(both, dtype=np.float64)
        for both in zip(
            networks.select(first).columns(size), others.select(first).columns(size), strict=True
        )
    )
    squares = pair_squares((part, part) for part in pooled)
    np.fill_diagonal(squares, np.inf)
    nearest = squares.argmin(axis=1)
    label = np.arange(2 * count) < count
    observed = (label == label[nearest]).sum()
    shuffled = rng.permuted(np.tile(label, (permutations, 1)), axis=1)
    drawn = (shuffled == shuffled[:, nearest]).sum(axis=1)
    return float((1 + (drawn >= observed).sum()) / (1 + permutations))


def spread_of(networks: Networks) -> np.ndarray:
    """As `spread`, of networks that need not be in memory."""
    return spread(networks.columns(columns_at_once(networks))) if len(networks) else np.zeros(0)


def spread(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Distance (M,) of each network to the mean of them all; its rms tells how they disperse.

    Args:
        parts: flat networks (M, D), or (M, c) of their parameters at a time.
    """
    squares: np.ndarray | float = 0.0
    for rows in parts:
        squares = squares + ((rows - rows.mean(axis=0, dtype=np.float64)) ** 2).sum(axis=1)
    distance: np.ndarray = np.sqrt(squares)
    return distance
