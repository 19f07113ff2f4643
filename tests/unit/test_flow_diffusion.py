from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nodeflow.flow.codec import RawCodec
from nodeflow.flow.diffusion import (
    DIFFUSION_STEPS,
    ancestral,
    kept_signal,
    noise_prediction_loss,
)
from nodeflow.flow.methods import settings_of
from nodeflow.flow.sample import Flow
from nodeflow.flow.samples import sample_seeds
from nodeflow.flow.settings import FlowProblem, FlowSettingsProblem, SampleSettings
from nodeflow.flow.train import train_velocity

MEAN, DEVIATION = 0.7, 0.4


class Exact(nn.Module):
    """The best prediction of the noise when codes are N(MEAN, DEVIATION²)."""

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        step = (level * DIFFUSION_STEPS).round().long() - 1
        signal = kept_signal().to(x)[step, None]
        spread = signal * DEVIATION**2 + 1 - signal
        return (1 - signal).sqrt() * (x - signal.sqrt() * MEAN) / spread


def test_ancestral_sampling_of_the_exact_prediction_gives_the_distribution() -> None:
    noise = torch.randn(
        DIFFUSION_STEPS, 4000, 1, generator=torch.Generator().manual_seed(0)
    ).double()
    found = ancestral(Exact(), noise)
    assert float(found.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(found.std()) == pytest.approx(DEVIATION, rel=0.04)


def test_the_exact_prediction_has_the_least_loss() -> None:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(20000, 1, generator=generator).double()
    codes = MEAN + DEVIATION * torch.randn(20000, 1, generator=generator).double()
    t = torch.rand(20000, generator=generator).double()
    step = (t * DIFFUSION_STEPS).long()
    signal = kept_signal()[step]
    least = (signal * DEVIATION**2 / (signal * DEVIATION**2 + 1 - signal)).mean()
    loss = noise_prediction_loss(Exact(), noise, codes, t)
    assert float(loss) == pytest.approx(float(least), rel=0.05)


def test_a_diffusion_learns_two_points_and_samples_depend_on_their_seeds_alone() -> None:
    codes = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(50, 1)
    settings = settings_of(
        "ddpm", {"steps": 400, "learning_rate": 3e-3, "ema": 0.98, "velocity": {"hidden": 64}}
    )
    network, _ = train_velocity(codes, settings, torch.Generator().manual_seed(0))
    flow = Flow(settings, {"w": (2,)}, RawCodec(np.zeros(2), np.ones(2)), network)
    seeds, how = sample_seeds(70, 0, ("x",)), SampleSettings("ddpm", DIFFUSION_STEPS)
    found = flow.codes(seeds, how)
    assert (np.abs(np.abs(found) - 1) < 0.3).mean() > 0.9
    assert (found[:, 0] * found[:, 1] < 0).mean() > 0.95
    assert (flow.codes(seeds[65:67], how) == found[65:67]).all()
    with pytest.raises(FlowProblem, match="ddpm"):
        flow.codes(seeds, SampleSettings("heun", 12))


def test_a_diffusion_has_its_own_source() -> None:
    with pytest.raises(FlowSettingsProblem, match="source_std 1"):
        settings_of("ddpm", {"source_std": 0.5})
