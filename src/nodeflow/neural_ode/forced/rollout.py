"""Rollouts: integration from many origins at once, each at times of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["Velocity", "rollout"]

Velocity = Callable[[Tensor, Tensor], Tensor]
"""dx/dt of states (R, B, n) at the times (B,) of the origins, of the states' shape."""


def rollout(
    velocity: Velocity,
    start: Tensor,
    times: Tensor,
    *,
    substeps: int,
    unit: float = 1.0,
) -> Tensor:
    """Integrate from many origins at once, by the explicit midpoint rule.

    Args:
        velocity: the vector field.
        start: states at the origins, (R, B, n).
        times: (B, 1 + H) float64, increasing from the time of each origin on.
        substeps: steps of the integrator between two times.
        unit: of the time in dx/dt, in that of `times`.

    Returns:
        States at the H times after each origin, (R, B, H, n).
    """
    x, states = start, []
    for before, after in itertools.pairwise(times.T):
        step = (after - before) / substeps
        width = (step / unit).to(x.dtype)[:, None]
        for k in range(substeps):
            t = before + k * step
            middle = x + 0.5 * width * velocity(x, t)
            x = x + width * velocity(middle, t + 0.5 * step)
        states.append(x)
    return torch.stack(states, dim=2)
