"""Denoising diffusion on codes, the baseline that flow matching is compared with.

Source: Ho, Jain & Abbeel 2020 (arXiv:2006.11239): 1,000 steps of linearly growing variance, a
network that predicts the noise, ancestral sampling.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nodeflow.flow.settings import DIFFUSION_STEPS

__all__ = ["DIFFUSION_STEPS", "ancestral", "kept_signal", "noise_prediction_loss"]

_FIRST_VARIANCE, _LAST_VARIANCE = 1e-4, 0.02


def kept_signal() -> Tensor:
    """ᾱ_1 … ᾱ_T, (T,) float64: the share of a code's variance that is left at each level."""
    variances = torch.linspace(
        _FIRST_VARIANCE, _LAST_VARIANCE, DIFFUSION_STEPS, dtype=torch.float64
    )
    return (1 - variances).cumprod(dim=0)


def noise_prediction_loss(
    network: Callable[[Tensor, Tensor], Tensor], noise: Tensor, codes: Tensor, t: Tensor
) -> Tensor:
    """Mean over batch and coordinates of |network(√ᾱ code + √(1−ᾱ) noise, level) − noise|².

    Args:
        network: (points (B, k), levels (B,) in (0, 1]) → noise (B, k).
        noise: (B, k), standard normal.
        codes: (B, k).
        t: (B,) in [0, 1); the level is that of step ⌊tT⌋ + 1.
    """
    step = (t * DIFFUSION_STEPS).long().clamp_max(DIFFUSION_STEPS - 1)
    signal = kept_signal().to(codes)[step, None]
    x = signal.sqrt() * codes + (1 - signal).sqrt() * noise
    return nn.functional.mse_loss(network(x, (step + 1).to(codes) / DIFFUSION_STEPS), noise)


def ancestral(network: Callable[[Tensor, Tensor], Tensor], noise: Tensor) -> Tensor:
    """Codes (B, k) by ancestral sampling.

    Args:
        network: as in `noise_prediction_loss`.
        noise: (T, B, k), standard normal: the start, then what each step but the last adds.
    """
    signal = kept_signal().to(noise)
    before = torch.cat([torch.ones(1).to(noise), signal[:-1]])
    variance = 1 - signal / before
    x = noise[0]
    for step in reversed(range(DIFFUSION_STEPS)):
        level = torch.full((len(x),), (step + 1) / DIFFUSION_STEPS).to(x)
        share = variance[step] / (1 - signal[step]).sqrt()
        x = (x - share * network(x, level)) / (1 - variance[step]).sqrt()
        if step > 0:
            x = x + variance[step].sqrt() * noise[DIFFUSION_STEPS - step]
    return x
