"""The canonical positive scaling of ReLU networks: each unit's makers and readers weigh the same.

Of all positive scalings of a network's units, this one has the smallest sum of squared parameters;
where every unit is made and read by something that is not zero, it is unique (Stock et al. 2019,
arXiv:1902.10416, use the same iteration for the norms of weights).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeflow.canonical.symmetry import Group, Symmetry, SymmetryProblem, rescale, units_second
from nodeflow.threads import one_thread_if_small

__all__ = ["Balanced", "balance"]

_SWEEPS, _BALANCED = 1000, 1e-10
"""A network is balanced when a sweep changes no scale by more than this share, or after so many."""


@dataclass(frozen=True)
class Balanced:
    """Networks in their canonical scaling.

    Attributes:
        parameters: tensors of shape (K, *shape), of the type of the input.
        scales: factor of each unit, float64 of shape (K, size), by group.
        sweeps: sweeps that each network took, int64 of shape (K,).
    """

    parameters: dict[str, Tensor]
    scales: dict[str, Tensor]
    sweeps: Tensor


@one_thread_if_small
def balance(parameters: Mapping[str, Tensor], symmetry: Symmetry) -> Balanced:
    """Scale every unit so that the squares of what makes it and of what reads it have equal sums.

    A unit that nothing makes or nothing reads keeps its scale. Each network stops on its own, so
    its result does not depend on the others.

    Args:
        parameters: tensors of shape (K, *shape).
        symmetry: of their architecture.
    """
    parameters = symmetry.arrange(parameters)
    if len(next(iter(parameters.values()))) == 0:
        raise SymmetryProblem("There are no networks to scale; give at least one.")
    groups = [group for group in symmetry.groups if group.scalable]
    exact = {
        name: parameters[name].double()
        for name in symmetry.tensors()
        if name not in symmetry.statistics
    }
    members = len(next(iter(parameters.values())))
    scales = {g.name: torch.ones(members, g.size, dtype=torch.float64) for g in groups}
    taken = torch.zeros(members, dtype=torch.int64)
    active = torch.ones(members, dtype=torch.bool)
    for _ in range(_SWEEPS):
        if not active.any():
            break
        change = torch.zeros(members, dtype=torch.float64)
        for group in groups:
            step = _step(exact, group).cpu()
            step[~active] = 1
            exact = rescale(exact, symmetry, {group.name: step})
            scales[group.name] *= step
            change = torch.maximum(change, (torch.maximum(step, 1 / step) - 1).amax(1))
        taken += active
        active &= change > _BALANCED
    return Balanced(rescale(parameters, symmetry, scales), scales, taken)


def _step(parameters: Mapping[str, Tensor], group: Group) -> Tensor:
    """The scale (K, size) of each unit that makes both sums of squares equal."""
    reading = _squares(parameters, group, power=-1)
    making = _squares(parameters, group, power=1)
    # Not the power 0.25: that is rounded differently by vector and by scalar instructions.
    step = (reading / making).sqrt().sqrt()
    return torch.where(step.isfinite() & (step > 0), step, torch.ones_like(step))


def _squares(parameters: Mapping[str, Tensor], group: Group, power: int) -> Tensor:
    """Sum of squares (K, size) of what makes, or reads, each unit."""
    slices = [
        units_second(parameters[place.tensor], group, place).unsqueeze(-1).flatten(2)
        for place in group.places
        if place.power == power
    ]
    return torch.cat(slices, 2).square().sum(2)
