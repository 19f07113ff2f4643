"""Scalar networks as interpolations between knots, made anew in every training step.

All three networks are functions of one number, so a training step evaluates them at a few hundred
knots and interpolates for the thousands of node states of its batch; gradients flow through the
interpolation into the networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodeflow.neural_ode.layout import NETS
from nodeflow.neural_ode.model import Parameters, evaluate_net

__all__ = ["Interpolation", "place_knots"]


@dataclass(frozen=True)
class Interpolation:
    """Piecewise linear interpolation between knots, for R replicates at once.

    Attributes:
        knots: increasing states, shape (R, K).
    """

    knots: Tensor

    def values(self, parameters: Parameters) -> Tensor:
        """The three functions at the knots, shape (R, K, 3)."""
        return torch.stack([evaluate_net(parameters, net, self.knots) for net in NETS], -1)

    def interpolate(self, values: Tensor, x: Tensor) -> Tensor:
        """The three functions at states between the first and the last knot.

        Args:
            values: at the knots, from `values`.
            x: states, shape (R, …).

        Returns:
            Shape (R, …, 3); beyond the ends, the last segment goes on as a line.
        """
        replicates, count = self.knots.shape
        flat = x.reshape(replicates, -1).contiguous()
        left = torch.searchsorted(self.knots, flat, right=True).sub_(1).clamp_(0, count - 2)
        low, high = self.knots.gather(1, left), self.knots.gather(1, left + 1)
        weight = ((flat - low) / (high - low)).reshape(-1, 1)
        first = torch.arange(replicates, device=x.device).unsqueeze(1) * count
        place = (left + first).reshape(-1)
        rows = values.reshape(-1, 3)
        interpolated = torch.lerp(
            rows.index_select(0, place), rows.index_select(0, place + 1), weight
        )
        return interpolated.view(*x.shape, 3)


def place_knots(states: np.ndarray, count: int) -> np.ndarray:
    """Knots for one replicate: half follow the quantiles of its states, half are equally spaced.

    Args:
        states: observed states, any shape.
        count: number of knots, K.

    Returns:
        Strictly increasing float64, shape (K,), from the smallest to the largest state.
    """
    flat = np.sort(states, axis=None).astype(np.float64)
    low, high = flat[0], flat[-1]
    if not high > low:
        high = low + 1.0
    # Inverse of the mean of the empirical and the uniform distribution function.
    share = np.linspace(0.0, 1.0, 8 * count)
    quantiles = flat[np.round(share * (len(flat) - 1)).astype(np.int64)]
    grid = np.union1d(quantiles, np.linspace(low, high, 8 * count))
    empirical = np.searchsorted(flat, grid, side="right") / len(flat)
    mixed = 0.5 * empirical + 0.5 * (grid - low) / (high - low)
    knots = np.interp(np.linspace(mixed[0], mixed[-1], count), mixed, grid)
    knots[0], knots[-1] = low, high
    # float32 states must not meet knots that coincide in float32.
    gap = (high - low) * 1e-6
    return np.maximum.accumulate(knots + gap * np.arange(count))
