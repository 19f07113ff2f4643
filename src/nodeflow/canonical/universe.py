"""Alignment of many networks to their common centre instead of to one of them.

Every network is matched to the sum of all others, one after another, until nothing changes. With S
the sum of all networks, the sum of ⟨network i, network j⟩ over pairs is (|S|² - Σ|network|²)/2, so
each match raises the similarity of all pairs at once, and a round costs one match a network instead
of one a pair. Permutations between two networks go through the centre and are therefore consistent
along every cycle, as in Crisostomi et al. 2024 (arXiv:2405.17897), who solve for all at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.canonical.align import (
    AlignProblem,
    CanonicalSettings,
    UnmatchedWarning,
    alignment_report,
)
from nodeflow.canonical.matching import MatchSettings, match
from nodeflow.canonical.scaling import balance
from nodeflow.canonical.symmetry import Symmetry, compose, permute
from nodeflow.stack import Stack
from nodeflow.tensors import all_finite
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.store import read_block

__all__ = ["Centre", "Universe", "align_universe", "centre_of_files", "find_centre"]

_ROUNDS = 100
"""At most so many visits of all networks."""

_TOO_FEW = "A common centre needs two or more networks."

Passes = Callable[[], Iterator[Mapping[str, Tensor]]]
"""Begins a pass over networks: blocks of them, tensors of shape (K, *shape), always the same."""


@dataclass(frozen=True)
class Centre:
    """The common centre of networks.

    Attributes:
        tensors: mean of the aligned networks, float64 tensors of shape (*shape).
        permutations: int64 of shape (K, size) for each group: unit i of an aligned network is unit
            permutation[i] of the given one.
        sweeps: of the first match, and a round each, int64 of shape (K,).
        history: mean over all pairs of ⟨network i, network j⟩ as matched to the first network and
            after each round, float64. It never falls.
    """

    tensors: dict[str, Tensor]
    permutations: dict[str, Tensor]
    sweeps: np.ndarray
    history: np.ndarray


@dataclass(frozen=True)
class Universe:
    """K networks with their units in one common order.

    Attributes:
        parameters: tensors of shape (K, *shape), the same values as before in other places.
        permutations: int64 of shape (K, size) for each group: unit i of an aligned network is unit
            permutation[i] of the given one.
        centre: mean of the aligned networks, float64 tensors of shape (*shape).
        report: columns of `ALIGNMENT`, the reference being the centre; a round counts as a sweep.
        history: see `Centre`.
    """

    parameters: dict[str, Tensor]
    permutations: dict[str, Tensor]
    centre: dict[str, Tensor]
    report: pd.DataFrame
    history: np.ndarray


@one_thread_if_small
def align_universe(
    parameters: Mapping[str, Tensor],
    symmetry: Symmetry,
    settings: MatchSettings,
    first: int = 0,
) -> Universe:
    """Permute the units of all networks to bring their weights closest to each other.

    Signs stay as they are. Unlike `align_block` it needs all networks at once, and each result
    depends on all of them.

    Args:
        parameters: tensors of shape (K, *shape), K at least 2; all finite.
        symmetry: of their architecture.
        settings: of the matching.
        first: the network whose order of units the others start from.

    Raises:
        AlignProblem: fewer than two networks.
        TensorProblem: networks are not of the architecture, or not finite.
    """
    given, parameters = parameters, symmetry.arrange(parameters)
    if len(next(iter(parameters.values()))) < 2:
        raise AlignProblem(_TOO_FEW)
    if symmetry.unmatched:
        warnings.warn(f"Nothing is aligned: {symmetry.unmatched}.", UnmatchedWarning, stacklevel=2)
    reference = {name: tensor[first] for name, tensor in parameters.items()}
    common = find_centre(lambda: iter([parameters]), reference, symmetry, settings)
    aligned = permute(parameters, symmetry, common.permutations)
    learned = {n: tensor for n, tensor in common.tensors.items() if n not in symmetry.statistics}
    numbers = np.arange(len(common.sweeps))
    report = alignment_report(
        parameters, aligned, learned, numbers, common.sweeps, symmetry.unmatched
    )
    aligned = symmetry.as_given(aligned, given)
    return Universe(aligned, common.permutations, common.tensors, report, common.history)


def centre_of_files(
    paths: Sequence[str | Path],
    made: Sequence[Mapping[str, Any]],
    below: int,
    symmetry: Symmetry,
    settings: CanonicalSettings,
) -> Stack[Tensor]:
    """The common centre of a zoo, from one pass over its files a round.

    Args:
        paths: the zoo's blocks.
        made: what each of them must have been made with.
        below: only members with numbers below this one.
        symmetry: of their architecture.
        settings: how they are canonicalized. If they are balanced, the centre is that of balanced
            networks.

    Returns:
        A stack of one network with the number 0: the centre. Known of it are the mean products of
        pairs of members as matched to the first one, and as matched to the centre.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
        AlignProblem: fewer than two members.
    """
    matched = symmetry if settings.residual else symmetry.without_residual()
    block = read_block(paths[0], made[0])

    def members() -> Iterator[Mapping[str, Tensor]]:
        for path, made_with in zip(paths, made, strict=True):
            learned = read_block(path, made_with).split(below)[0]
            if len(learned) > 0:
                given = learned.tensors
                yield balance(given, symmetry).parameters if settings.balance else given

    first = {name: tensor[0] for name, tensor in next(members()).items()}
    common = find_centre(members, first, matched, settings.matching)
    centre = {name: tensor[None] for name, tensor in common.tensors.items()}
    about = {"pairs_first": common.history[:1], "pairs_universe": common.history[-1:]}
    parameters, statistics = (
        {name: centre[name] for name in part} for part in (block.parameters, block.statistics)
    )
    return Stack(parameters, statistics, about)


@one_thread_if_small
def find_centre(
    passes: Passes,
    first: Mapping[str, Tensor],
    symmetry: Symmetry,
    settings: MatchSettings,
) -> Centre:
    """The common centre of networks that need not be in memory together.

    Args:
        passes: the networks, two or more, all finite; each round takes one pass.
        first: the network whose order of units they start from, tensors of shape (*shape).
        symmetry: of their architecture.
        settings: of the matching; signs stay as they are.

    Raises:
        AlignProblem: fewer than two networks.
        TensorProblem: networks are not of the architecture, or not finite.
    """
    settings = replace(settings, signs=False)
    first = symmetry.arrange_one(first, "the first network")
    total = {name: torch.zeros(tensor.shape).double() for name, tensor in first.items()}
    places, sweeps, squares = [], [], 0.0

    def arranged() -> Iterator[dict[str, Tensor]]:
        return (symmetry.arrange(block, first) for block in passes())

    for block in arranged():
        all_finite(block)
        start = match(block, first, symmetry, settings)
        for name, tensor in permute(block, symmetry, start.permutations).items():
            total[name] += tensor.sum(0, dtype=torch.float64)
            if name not in symmetry.statistics:
                squares += float(tensor.double().square().sum())
        places.append(start.permutations)
        sweeps.append(start.sweeps)
    count = sum(map(len, sweeps))
    if count < 2:
        raise AlignProblem(_TOO_FEW)

    def pairs() -> float:
        learned = [tensor for name, tensor in total.items() if name not in symmetry.statistics]
        return float(sum(t.square().sum() for t in learned) - squares) / (count * (count - 1))

    history = [pairs()]
    for _ in range(_ROUNDS):
        moved = False
        for block, permutations in zip(arranged(), places, strict=True):
            moved |= _visit(block, permutations, total, symmetry, settings)
        history.append(pairs())
        if not moved:
            break
    return Centre(
        {name: tensor / count for name, tensor in total.items()},
        {name: torch.cat([one[name] for one in places]) for name in places[0]},
        np.concatenate(sweeps) + len(history) - 1,
        np.array(history),
    )


def _visit(
    block: Mapping[str, Tensor],
    permutations: dict[str, Tensor],
    total: dict[str, Tensor],
    symmetry: Symmetry,
    settings: MatchSettings,
) -> bool:
    """Match each network of a block to the sum of the others, which changes; whether any moved."""
    settings = replace(settings, start="identity")
    moved = False
    for k in range(len(next(iter(block.values())))):
        orders = {name: order[k : k + 1] for name, order in permutations.items()}
        given = {name: tensor[k : k + 1].double() for name, tensor in block.items()}
        one = permute(given, symmetry, orders)
        others = {name: total[name] - tensor[0] for name, tensor in one.items()}
        matching = match(one, others, symmetry, settings)
        if matching.history[-1, 0] == matching.history[0, 0]:
            continue
        moved = True
        new = permute(one, symmetry, matching.permutations)
        for name in new:
            total[name] = others[name] + new[name][0]
        for name, order in compose(orders, matching.permutations).items():
            permutations[name][k] = order[0]
    return moved
