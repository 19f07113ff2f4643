"""Products of units whose sums are rounded alike in every order of the units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["CHUNK", "fixed_products", "products_of"]

CHUNK = 2**17
"""Values that are brought to double precision at a time: what a CPU's cache holds."""


def products_of(reference: np.ndarray, networks: np.ndarray) -> np.ndarray:
    """Inner products (K, n, n) of the reference's and each network's values for each unit."""
    members, units, values, size = networks.shape
    ours = reference.reshape(units * values, size)
    product: np.ndarray = ours.T @ networks.reshape(members, units * values, size)
    return product


def fixed_products(members: int, size: int, pairs: Sequence[Sequence[Tensor]]) -> np.ndarray:
    """Inner products (K, n, n) of units over several tensors, a few networks at a time.

    Large products of single precision are computed in it, see `_rounded_products`.

    Args:
        members: K.
        size: n.
        pairs: of the reference and of the networks, the n units as the second axis: shapes
            (1, n, …) and (K, n, …).
    """
    score = np.zeros((members, size, size))
    if not pairs:
        return score
    ours, theirs = zip(*((a.flatten(2)[0], b.flatten(2)) for a, b in pairs), strict=True)
    reference = torch.cat(ours, 1)
    together = max(1, CHUNK // max(1, reference.numel()))
    left = np.ones(members, dtype=bool)
    if together == 1 and all(tensor.dtype == torch.float32 for tensor in (*ours, *theirs)):
        left = _rounded_products(score, ours, theirs)
        if not left.any():
            return score
    double = reference.double().cpu().numpy()
    # The same memory for all: asking for new one takes longer than copying.
    room = torch.empty(min(members, together), *reference.shape, dtype=torch.float64)
    for start in range(0, members, together):
        batch = slice(start, start + together)
        if left[batch].any():
            part = room[: len(score[batch])]
            torch.cat([tensor[batch].cpu() for tensor in theirs], 2, out=part)
            np.matmul(double, part.numpy().transpose(0, 2, 1), out=score[batch])
    return score


def _rounded_products(
    score: np.ndarray, reference: Sequence[Tensor], networks: Sequence[Tensor]
) -> np.ndarray:
    """Write inner products of units in single precision; returns which networks have none yet.

    What a product is rounded to depends on its place in a matrix. So the units of each network take
    the places of their first values, whatever order they are given in; where two of these are
    equal, nothing is written.
    """
    ours = [tensor.cpu().numpy() for tensor in reference]
    theirs = [tensor.cpu().numpy() for tensor in networks]
    first = theirs[0][:, :, 0]
    orders = first.argsort(1)
    level: np.ndarray = (np.diff(np.take_along_axis(first, orders, 1)) == 0).any(1)
    places = orders.argsort(1)
    rooms = [np.empty_like(tensor) for tensor in ours]
    product, total = np.empty((2, *score.shape[1:]), np.float32)
    for k in np.flatnonzero(~level):
        total[:] = 0
        for one, other, room in zip(ours, theirs, rooms, strict=True):
            # Places are within bounds; said so, take needs no memory of its own.
            total += np.matmul(one, other[k].take(orders[k], 0, room, "clip").T, out=product)
        score[k] = total.take(places[k], 1, product, "clip")
    return level
