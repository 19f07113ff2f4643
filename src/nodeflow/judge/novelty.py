"""How new networks are: distances to the members a flow learned from, and errors shared with them.

The maximal intersection over union of error sets is the measure of Wang et al. 2024
(arXiv:2402.13144); the ratio of nearest to second-nearest distance is Lowe's test, used by Zeng et
al. 2025 (arXiv:2506.07998) in other form: a copy is far nearer to its original than to any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodeflow.flow.codec import Shapes, flatten

__all__ = [
    "REPLICA_RATIO",
    "Align",
    "Nearest",
    "invariants",
    "max_iou",
    "nearest_in_gauge",
    "nearest_members",
    "neighbour_test",
    "spread",
    "two_nearest",
]

Align = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Mapping[str, Tensor]]
"""(stacked networks, one network) → the same functions, in the gauge closest to that network."""

REPLICA_RATIO = 1 / 3
"""A network is called a replica if its nearest member is this much nearer than the second."""


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


def nearest_members(
    rows: np.ndarray, members: np.ndarray, own: np.ndarray | None = None
) -> Nearest:
    """Distances of networks to the nearest and second-nearest members.

    Candidates are found with one matrix product in float64, about the members' mean, and their
    distances are then computed from differences: exact also where a network all but equals one.

    Args:
        rows: (M, D) flat networks, finite.
        members: (K, D) flat members, K ≥ 2 besides the network itself.
        own: (M,) position of each network among the members, which is left out; None if the
            networks are not members.
    """
    mean = members.mean(axis=0, dtype=np.float64)
    a, b = rows - mean, members - mean
    squares = _squares(rows, members)
    if own is not None:
        squares[np.arange(len(rows)), own] = np.inf
    candidates = np.argpartition(squares, 1, axis=1)[:, :2]
    distances = np.stack([np.linalg.norm(a - b[column], axis=1) for column in candidates.T], axis=1)
    near = two_nearest(distances)
    return Nearest(near.nearest, near.second, candidates[np.arange(len(rows)), near.index])


def nearest_in_gauge(
    networks: Mapping[str, Tensor],
    members: Mapping[str, Tensor],
    shapes: Shapes,
    align: Align,
    candidates: int,
    own: np.ndarray | None = None,
) -> Nearest:
    """The two nearest members of each network, each pair in the gauge that brings it closest.

    Units of a hidden layer have no order, so parameters as given make a permuted copy look new.
    One common order for all networks is not enough: it pulls them all towards the network that
    they were matched to, which is then everybody's nearest neighbour.

    Matching every pair is dear where there are many members. Candidates are those that are nearest
    as given and, as many again, those that are nearest by `invariants`, whose distance is never
    above the one sought: it is all but 0 for a copy in whatever order, which cannot be missed.

    Args:
        networks: stacked parameters (M, …), finite.
        members: stacked parameters (K, …), K ≥ 2 besides the network itself.
        shapes: of one network.
        align: how to bring networks closest to one.
        candidates: how many members to match by either distance.
        own: as in `nearest_members`.
    """
    rows, member_rows = (flatten(x, shapes).astype(np.float64) for x in (networks, members))
    bounds = [
        _squares(rows, member_rows),
        _squares(invariants(networks, shapes), invariants(members, shapes)),
    ]
    found = []
    for i, row in enumerate(rows):
        if own is not None:
            for squares in bounds:
                squares[i, own[i]] = np.inf
        places = np.unique(np.concatenate([np.argsort(s[i])[:candidates] for s in bounds]))
        places = places if own is None else places[places != own[i]]
        where = torch.from_numpy(places)
        one = {name: tensor[i] for name, tensor in networks.items()}
        moved = align({name: tensor[where] for name, tensor in members.items()}, one)
        distances = np.linalg.norm(flatten(moved, shapes).astype(np.float64) - row, axis=1)
        near = two_nearest(distances[None])
        found.append((near.nearest[0], near.second[0], places[near.index[0]]))
    nearest, second, index = zip(*found, strict=True) if found else ((), (), ())
    return Nearest(np.array(nearest), np.array(second), np.array(index, dtype=np.int64))


def invariants(networks: Mapping[str, Tensor], shapes: Shapes) -> np.ndarray:
    """Numbers (M, F) of each network that no order of its units changes.

    They are the singular values of each matrix and the sorted entries of everything else. Neither
    moves further than the entries do (Mirsky 1960; rearrangement inequality), so the distance
    between two networks' invariants bounds their distance in any gauge from below.

    Args:
        networks: stacked parameters (M, …), finite.
        shapes: of one network.
    """
    parts = []
    for name, shape in shapes.items():
        tensor = networks[name].detach().cpu().double()
        if len(shape) == 2:
            parts.append(torch.linalg.svdvals(tensor))
        else:
            parts.append(tensor.flatten(1).sort(dim=1).values)
    return torch.cat(parts, dim=1).numpy()


def _squares(rows: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Squared distances (M, K), as exact as one product about the members' mean is."""
    mean = members.mean(axis=0, dtype=np.float64)
    a, b = rows - mean, members - mean
    squares: np.ndarray = (a**2).sum(axis=1)[:, None] - 2 * (a @ b.T) + (b**2).sum(axis=1)
    return squares


def two_nearest(distances: np.ndarray, own: np.ndarray | None = None) -> Nearest:
    """The two nearest members by a matrix of distances (M, K); see `nearest_members`."""
    everyone = np.arange(len(distances))
    if own is not None:
        distances = distances.copy()
        distances[everyone, own] = np.inf
    two = np.argsort(distances, axis=1, kind="stable")[:, :2]
    first, second = two[:, 0], two[:, 1]
    return Nearest(distances[everyone, first], distances[everyone, second], first)


def max_iou(
    errors: np.ndarray, member_errors: np.ndarray, own: np.ndarray | None = None
) -> np.ndarray:
    """Largest overlap of each network's errors with those of one member.

    The overlap of two sets is their intersection over their union; two empty sets overlap fully.

    Args:
        errors: (M, n) bool, which items each network classifies wrongly.
        member_errors: (K, n) bool, the same of the members.
        own: as in `nearest_members`.

    Returns:
        (M,) in [0, 1].
    """
    # Counts below 2²⁴ are exact in float32, whose products are the fastest.
    a, b = errors.astype(np.float32), member_errors.astype(np.float32)
    both = a @ b.T
    either = a.sum(axis=1)[:, None] + b.sum(axis=1) - both
    overlap = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    if own is not None:
        overlap[np.arange(len(errors)), own] = -1
    largest: np.ndarray = overlap.max(axis=1).astype(np.float64)
    return largest


def neighbour_test(
    rows: np.ndarray, others: np.ndarray, rng: np.random.Generator, permutations: int = 999
) -> float:
    """P-value of the nearest-neighbour two-sample test: are both sets drawn alike?

    The statistic is how many networks have their nearest neighbour, among all of both sets, in
    their own set; it is compared with its values after exchanging networks between the sets at
    random (Schilling 1986; Henze 1988). Sets that cluster, each for itself, make it large.

    Args:
        rows: (M, D) flat networks, finite.
        others: (K, D) flat networks; of the larger set, the first min(M, K) count.
        rng: where the exchanges come from.
        permutations: how many.

    Returns:
        The p-value, one-sided; NaN with fewer than two networks in either set.
    """
    count = min(len(rows), len(others))
    if count < 2:
        return float("nan")
    pooled = np.concatenate([rows[:count], others[:count]]).astype(np.float64)
    squares = _squares(pooled, pooled)
    np.fill_diagonal(squares, np.inf)
    nearest = squares.argmin(axis=1)
    label = np.arange(2 * count) < count
    observed = (label == label[nearest]).sum()
    shuffled = rng.permuted(np.tile(label, (permutations, 1)), axis=1)
    drawn = (shuffled == shuffled[:, nearest]).sum(axis=1)
    return float((1 + (drawn >= observed).sum()) / (1 + permutations))


def spread(rows: np.ndarray) -> np.ndarray:
    """Distance (M,) of each network to the mean of them all; its rms tells how they disperse."""
    if len(rows) == 0:
        return np.zeros(0)
    distance: np.ndarray = np.linalg.norm(rows - rows.mean(axis=0, dtype=np.float64), axis=1)
    return distance
