"""Alignment of many networks to their common centre instead of to one of them.

Every network is matched to the sum of all others, one after another, until nothing changes. With S
the sum of all networks, the sum of ⟨network i, network j⟩ over pairs is (|S|² - Σ|network|²)/2, so
each match raises the similarity of all pairs at once, and a round costs one match a network instead
of one a pair. Permutations between two networks go through the centre and are therefore consistent
along every cycle, as in Crisostomi et al. 2024 (arXiv:2405.17897), who solve for all at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from torch import Tensor

from nodeflow.canonical.align import AlignProblem, alignment_report, finite
from nodeflow.canonical.matching import MatchSettings, match
from nodeflow.canonical.symmetry import Symmetry, compose, permute

__all__ = ["Universe", "align_universe"]


@dataclass(frozen=True)
class Universe:
    """K networks with their units in one common order.

    Attributes:
        parameters: tensors of shape (K, *shape), the same values as before in other places.
        permutations: int64 of shape (K, size) for each group: unit i of an aligned network is unit
            permutation[i] of the given one.
        centre: mean of the aligned networks without their running statistics, float64 tensors of
            shape (*shape).
        report: columns of `ALIGNMENT`, the reference being the centre; a round counts as a sweep.
        history: mean over all pairs of ⟨network i, network j⟩ as matched to the first network and
            after each round, float64. It never falls.
    """

    parameters: dict[str, Tensor]
    permutations: dict[str, Tensor]
    centre: dict[str, Tensor]
    report: pd.DataFrame
    history: np.ndarray


def align_universe(
    parameters: Mapping[str, Tensor],
    symmetry: Symmetry,
    settings: MatchSettings,
    members: Sequence[int] | np.ndarray | None = None,
    first: int = 0,
    rounds: int = 100,
) -> Universe:
    """Permute the units of all networks to bring their weights closest to each other.

    Signs stay as they are. Unlike `align_block` it needs all networks at once, and each result
    depends on all of them.

    Args:
        parameters: tensors of shape (K, *shape), K at least 2; all finite.
        symmetry: of their architecture.
        settings: of the matching.
        members: numbers of the networks for the report; 0 … K-1 by default.
        first: the network whose order of units the others start from.
        rounds: at most so many visits of all networks.

    Raises:
        AlignProblem: fewer than two networks, or one that is not finite.
    """
    count = len(next(iter(parameters.values())))
    if count < 2 or not finite(parameters).all():
        raise AlignProblem("A common centre needs two or more networks, all of them finite.")
    settings = replace(settings, signs=False)
    exact = {name: tensor.double() for name, tensor in parameters.items()}
    start = match(
        exact, {name: tensor[first] for name, tensor in exact.items()}, symmetry, settings
    )
    permutations, sweeps = start.permutations, start.sweeps.copy()
    exact = permute(exact, symmetry, permutations)
    history = [_mean_similarity(exact, symmetry)]
    for _ in range(rounds):
        moved = _visit_all(exact, symmetry, permutations, settings)
        sweeps += 1
        history.append(_mean_similarity(exact, symmetry))
        if not moved:
            break
    aligned = permute(parameters, symmetry, permutations)
    centre = {
        name: tensor.double().mean(0)
        for name, tensor in aligned.items()
        if name not in symmetry.statistics
    }
    numbers = np.arange(count) if members is None else np.asarray(members)
    report = alignment_report(parameters, aligned, centre, numbers, sweeps)
    return Universe(aligned, permutations, centre, report, np.array(history))


def _visit_all(
    networks: dict[str, Tensor],
    symmetry: Symmetry,
    permutations: dict[str, Tensor],
    settings: MatchSettings,
) -> bool:
    """Match each network to the sum of the others, in place; whether any moved."""
    settings = replace(settings, start="identity", restarts=0)
    total = {name: tensor.sum(0) for name, tensor in networks.items()}
    moved = False
    for k in range(len(next(iter(networks.values())))):
        one = {name: tensor[k : k + 1] for name, tensor in networks.items()}
        others = {name: total[name] - tensor[0] for name, tensor in one.items()}
        matching = match(one, others, symmetry, settings)
        if matching.history[-1, 0] == matching.history[0, 0]:
            continue
        moved = True
        new = permute(one, symmetry, matching.permutations)
        for name in symmetry.tensors():
            networks[name][k] = new[name][0]
            total[name] = others[name] + new[name][0]
        here = {name: order[k : k + 1] for name, order in permutations.items()}
        for name, order in compose(here, matching.permutations).items():
            permutations[name][k] = order[0]
    return moved


def _mean_similarity(networks: Mapping[str, Tensor], symmetry: Symmetry) -> float:
    count = len(next(iter(networks.values())))
    squares = sum(
        float(tensor.sum(0).square().sum() - tensor.square().sum())
        for name, tensor in networks.items()
        if name not in symmetry.statistics
    )
    return squares / (count * (count - 1))
