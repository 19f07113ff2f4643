"""One form for each neural ODE: its interaction balanced, its hidden units in a common order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodeflow.bridge.symmetry import balanced_gauge, node_symmetry, scale_interaction
from nodeflow.canonical.align import align_block, finite
from nodeflow.canonical.matching import MatchSettings
from nodeflow.neural_ode.layout import widths_of
from nodeflow.problems import Problem

__all__ = ["Canonical", "CanonicalProblem", "canonicalize", "common_order"]


class CanonicalProblem(Problem):
    """Neural ODEs from which no common order can be found."""


@dataclass(frozen=True)
class Canonical:
    """R neural ODEs in their common form.

    Attributes:
        parameters: tensors of shape (R, *shape); the vector fields are those that were given.
        factors: (R,) float64, by which each h_ego was multiplied and h_alt divided.
        permutations: int64 of shape (R, size) for each group of hidden units.
    """

    parameters: dict[str, Tensor]
    factors: Tensor
    permutations: dict[str, Tensor]


def canonicalize(
    parameters: Mapping[str, Tensor],
    states: Tensor,
    reference: Mapping[str, Tensor],
    settings: MatchSettings,
) -> Canonical:
    """Balance each interaction, then bring the hidden units into the order of a reference.

    Args:
        parameters: R neural ODEs, tensors of shape (R, *shape).
        states: (K,) or (R, K) states over which interactions are balanced.
        reference: one neural ODE in its balanced form, tensors of shape (*shape).
        settings: of the matching of hidden units.
    """
    factors = balanced_gauge(parameters, states)
    balanced = scale_interaction(parameters, factors)
    aligned = align_block(balanced, reference, node_symmetry(widths_of(parameters)), settings)
    return Canonical(aligned.parameters, factors, aligned.permutations)


def common_order(
    parameters: Mapping[str, Tensor],
    states: Tensor,
    settings: MatchSettings,
    rounds: int = 20,
) -> dict[str, Tensor]:
    """The reference for `canonicalize`: the mean of neural ODEs after matching them to each other.

    All are matched to the first one, then again and again to the mean of all, until none moves.

    Args:
        parameters: R neural ODEs, tensors of shape (R, *shape); those that are not finite are left
            out.
        states: (K,) or (R, K) states over which interactions are balanced.
        settings: of the matching.
        rounds: matchings to the mean at most.

    Returns:
        One neural ODE, float64 tensors of shape (*shape).

    Raises:
        CanonicalProblem: none of them is finite.
    """
    where = torch.from_numpy(np.flatnonzero(finite(parameters)))
    if len(where) == 0:
        raise CanonicalProblem(
            "None of the neural ODEs has finite parameters; train them with a lower learning rate."
        )
    good = {name: tensor.double()[where] for name, tensor in parameters.items()}
    seen = states[where] if states.ndim == 2 else states
    balanced = scale_interaction(good, balanced_gauge(good, seen))
    symmetry = node_symmetry(widths_of(parameters))
    first = {name: tensor[0] for name, tensor in balanced.items()}
    aligned = align_block(balanced, first, symmetry, settings).parameters
    for _ in range(rounds):
        centre = {name: tensor.mean(0) for name, tensor in aligned.items()}
        moved = align_block(aligned, centre, symmetry, settings).parameters
        same = all(torch.equal(moved[name], aligned[name]) for name in aligned)
        aligned = moved
        if same:
            break
    return {name: tensor.mean(0) for name, tensor in aligned.items()}
