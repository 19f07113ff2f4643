from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from nodeflow.flow.energy import energy_distance


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_distance_of_two_gaussians_is_that_in_closed_form() -> None:
    """E|X − Y| of N(0, s²) and N(0, t²) is √(2 (s² + t²) / π)."""
    found = energy_distance(2 * normal(2000, 1, seed=1), normal(2000, 1, seed=2))
    wanted = math.sqrt(2 / math.pi) * (2 * math.sqrt(5) - math.sqrt(8) - math.sqrt(2))
    assert float(found) == pytest.approx(wanted, rel=0.15)


def test_small_samples_have_no_bias() -> None:
    pairs = [(normal(3, 2, seed=2 * k), normal(4, 2, seed=2 * k + 1)) for k in range(2000)]
    found = torch.stack([energy_distance(a, b) for a, b in pairs])
    assert abs(float(found.mean())) < 4 * float(found.std()) / math.sqrt(len(pairs))


def test_the_spread_of_the_observed_is_nearest() -> None:
    observed, base = normal(300, 2, seed=5), normal(300, 2, seed=6)
    distances = [float(energy_distance(s * base, observed)) for s in (0.0, 0.6, 1.0, 1.5, 2.5)]
    assert distances.index(min(distances)) == 2
    assert float(energy_distance(base + 1, observed)) > distances[2]


def test_equal_samples_have_finite_gradients() -> None:
    one = torch.ones(3, 2).requires_grad_()
    energy_distance(one, one.detach()).backward()  # type: ignore[no-untyped-call]
    assert one.grad is not None and one.grad.isfinite().all()
