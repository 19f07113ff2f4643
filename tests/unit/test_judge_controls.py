from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nodeflow.flow.codec import CodecSettings, PcaCodec, fit_codec
from nodeflow.judge.controls import gaussian_draws, means, noisy_copies, per_tensor_deviation

RNG = np.random.default_rng(0)
MEMBERS = RNG.normal(size=(8, 30)) * RNG.uniform(0.2, 3, 30) + 1


def test_deviation_is_that_of_a_tensors_entries_over_the_zoo() -> None:
    stacked = {
        "a": torch.tensor(RNG.normal(2, 3, (7, 4, 5))),
        "b": torch.tensor(RNG.normal(size=(7, 2))),
    }
    found = per_tensor_deviation(stacked, {"b": (2,), "a": (4, 5)})
    assert found[:2] == pytest.approx(stacked["b"].numpy().std(ddof=1))
    assert found[2:] == pytest.approx(np.full(20, stacked["a"].numpy().std(ddof=1)))


def test_noise_has_the_deviation_asked_for_and_the_members_take_turns() -> None:
    deviation = np.linspace(0.1, 2, 30)
    copies = noisy_copies(MEMBERS, deviation, np.arange(8000))
    noise = copies - np.tile(MEMBERS, (1000, 1))
    assert noise.std(axis=0) == pytest.approx(deviation, rel=0.05)
    assert np.abs(noise.mean(axis=0)).max() < 0.1
    assert (noise**2).sum(axis=1).mean() == pytest.approx((deviation**2).sum(), rel=0.02)


def test_a_pair_mean_is_the_mean_of_two_different_members() -> None:
    pairs = {
        tuple(((MEMBERS[i] + MEMBERS[j]) / 2).round(9))
        for i, j in itertools.combinations(range(8), 2)
    }
    found = {tuple(row.round(9)) for row in means(MEMBERS, 2, np.arange(600))}
    assert found == pairs
    whole = means(MEMBERS, 8, np.arange(3))
    assert whole == pytest.approx(np.tile(MEMBERS.mean(axis=0), (3, 1)))


def test_gaussian_draws_have_the_members_mean_and_covariance() -> None:
    draws = gaussian_draws(MEMBERS, np.arange(20_000))
    covariance = np.cov(MEMBERS.T)
    assert np.abs(draws.mean(axis=0) - MEMBERS.mean(axis=0)).max() < 0.08
    assert np.abs(np.cov(draws.T) - covariance).max() < 0.05 * np.abs(covariance).max()
    codec = fit_codec(MEMBERS, CodecSettings("pca", None, "each"))
    assert isinstance(codec, PcaCodec)
    assert np.abs(codec.decode(codec.encode(draws)) - draws).max() < 1e-9
    assert np.cov(codec.encode(draws).T) == pytest.approx(np.eye(7), abs=0.05)


@pytest.mark.parametrize("make", [
    lambda seeds: noisy_copies(MEMBERS[:1], np.ones(30), seeds),
    lambda seeds: means(MEMBERS, 3, seeds),
    lambda seeds: gaussian_draws(MEMBERS, seeds),
])  # fmt: skip
def test_a_control_depends_on_its_own_seed_alone(make) -> None:  # type: ignore[no-untyped-def]
    seeds = np.array([5, 9, 2, 77])
    assert np.abs(make(seeds)[2:3] - make(seeds[2:3])).max() < 1e-12
    assert (make(seeds) == make(seeds)).all()
