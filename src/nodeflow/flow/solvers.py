"""Integration of a velocity from noise to codes, and what a condition makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

__all__ = ["EVALUATIONS", "guided", "integrate"]

EVALUATIONS: Mapping[str, int] = {"euler": 1, "heun": 2, "rk4": 4}
"""Evaluations of the velocity per step, of the solvers with fixed steps."""


def guided(
    velocity: nn.Module, label: Tensor, none: int, guidance: float
) -> Callable[[Tensor, Tensor], Tensor]:
    """The field (points (B, k), times (B,)) → (B, k) that a condition makes of a velocity.

    At guidance 0 and 1 it is the velocity without and with the label, to the last bit, and takes
    one evaluation; else it takes two.

    Args:
        velocity: v(x, t, label).
        label: (B,) int64.
        none: number that stands for no label.
        guidance: w.
    """
    without = torch.full_like(label, none)

    def field(x: Tensor, t: Tensor) -> Tensor:
        if guidance in (0, 1):
            only: Tensor = velocity(x, t, label if guidance else without)
            return only
        return torch.lerp(velocity(x, t, without), velocity(x, t, label), guidance)

    return field


def integrate(
    velocity: Callable[[Tensor, Tensor], Tensor], x0: Tensor, solver: str, steps: int
) -> Tensor:
    """Solve dx/dt = v(x, t) from t = 0 to 1.

    Args:
        velocity: (points (B, k), times (B,)) → velocities (B, k).
        x0: (B, k) points at t = 0.
        solver: a name in `SOLVERS`; "heun" is the explicit trapezoidal rule, of order 2.
        steps: equal steps.

    Returns:
        Points (B, k) at t = 1.
    """

    def v(t: Tensor | float, x: Tensor) -> Tensor:
        return velocity(x, torch.as_tensor(t, dtype=x.dtype, device=x.device).expand(len(x)))

    x, h = x0, 1 / steps
    for step in range(steps):
        t, after = step / steps, (step + 1) / steps
        k1 = v(t, x)
        if solver == "euler":
            x = x + h * k1
        elif solver == "heun":
            x = x + h / 2 * (k1 + v(after, x + h * k1))
        else:
            middle = (t + after) / 2
            k2 = v(middle, x + h / 2 * k1)
            k3 = v(middle, x + h / 2 * k2)
            k4 = v(after, x + h * k3)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x
