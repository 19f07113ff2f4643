from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nodeflow.flow.codec import CodecSettings, PcaCodec, fit_codec, flatten, unflatten
from nodeflow.judge.controls import (
    Control,
    Mix,
    gaussian_draws,
    lines,
    means,
    noisy_copies,
    per_tensor_deviation,
)
from nodeflow.zoo.store import Block

RNG = np.random.default_rng(0)
MEMBERS = RNG.normal(size=(8, 30)) * RNG.uniform(0.2, 3, 30) + 1
SHAPES = {"a": (4, 5), "b": (10,)}


def mixed(mix: Mix, seeds: np.ndarray) -> np.ndarray:
    (rows,) = mix([MEMBERS], np.arange(len(seeds)), seeds)
    return rows


def test_deviation_is_that_of_a_tensors_entries_over_the_zoo() -> None:
    stacked = {
        "a": torch.tensor(RNG.normal(2, 3, (7, 4, 5))),
        "b": torch.tensor(RNG.normal(size=(7, 2))),
    }
    cuts = [stacked["b"], stacked["a"].flatten(1)[:, :7], stacked["a"].flatten(1)[:, 7:]]
    found = per_tensor_deviation((cut.numpy() for cut in cuts), {"b": (2,), "a": (4, 5)})
    equal = per_tensor_deviation([np.full((7, 5), 0.1)], {"b": (5,)})
    assert (equal == 0).all()
    assert found[:2] == pytest.approx(stacked["b"].numpy().std(ddof=1))
    assert found[2:] == pytest.approx(np.full(20, stacked["a"].numpy().std(ddof=1)))


def test_noise_has_the_deviation_asked_for_and_the_members_take_turns() -> None:
    deviation = np.linspace(0.1, 2, 30)
    copies = mixed(noisy_copies(deviation), np.arange(8000))
    noise = copies - np.tile(MEMBERS, (1000, 1))
    assert noise.std(axis=0) == pytest.approx(deviation, rel=0.05)
    assert np.abs(noise.mean(axis=0)).max() < 0.1
    assert (noise**2).sum(axis=1).mean() == pytest.approx((deviation**2).sum(), rel=0.02)


def test_a_pair_mean_is_the_mean_of_two_different_members() -> None:
    pairs = {
        tuple(((MEMBERS[i] + MEMBERS[j]) / 2).round(9))
        for i, j in itertools.combinations(range(8), 2)
    }
    found = {tuple(row.round(9)) for row in mixed(means(2), np.arange(600))}
    assert found == pairs
    whole = mixed(means(8), np.arange(3))
    assert whole == pytest.approx(np.tile(MEMBERS.mean(axis=0), (3, 1)))


def test_a_line_is_left_beyond_the_first_of_two_members() -> None:
    pairs = {
        tuple((1.5 * MEMBERS[i] - 0.5 * MEMBERS[j]).round(9))
        for i, j in itertools.permutations(range(8), 2)
    }
    assert {tuple(row.round(9)) for row in mixed(lines, np.arange(900))} == pairs


def test_gaussian_draws_have_the_members_mean_and_covariance() -> None:
    draws = mixed(gaussian_draws, np.arange(20_000))
    covariance = np.cov(MEMBERS.T)
    assert np.abs(draws.mean(axis=0) - MEMBERS.mean(axis=0)).max() < 0.08
    assert np.abs(np.cov(draws.T) - covariance).max() < 0.05 * np.abs(covariance).max()
    codec = fit_codec(MEMBERS, CodecSettings("pca", None, "none"))
    assert isinstance(codec, PcaCodec)
    assert np.abs(codec.decode(codec.encode(draws)) - draws).max() < 1e-9
    codes = codec.encode(draws) / np.sqrt(codec.spectrum[:7])
    assert np.cov(codes.T) == pytest.approx(np.eye(7), abs=0.05)


@pytest.mark.parametrize("mix", [noisy_copies(np.ones(30)), means(3), lines, gaussian_draws])
def test_a_control_depends_on_its_own_seed_alone_and_on_no_cut(mix: Mix) -> None:
    seeds, places = np.array([5, 9, 2, 77]), np.arange(4)
    whole = mixed(mix, seeds)
    (alone,) = mix([MEMBERS], places[2:3], seeds[2:3])
    assert np.abs(whole[2:3] - alone).max() < 1e-12
    assert (whole == mixed(mix, seeds)).all()
    parts = mix((MEMBERS[:, k : k + 7] for k in range(0, 30, 7)), places, seeds)
    assert np.abs(np.concatenate(list(parts), axis=1) - whole).max() < 1e-12
    block = Block(np.arange(8), unflatten(MEMBERS.astype(np.float32), SHAPES))
    control = Control(block, mix, places, seeds)
    taken, columns = control.take([3, 1]), np.concatenate(list(control.columns(5)), axis=1)
    assert np.allclose(flatten(taken.parameters, SHAPES), columns[[3, 1]], atol=1e-6)
    assert np.allclose(columns, whole, atol=1e-5) and list(taken.members) == [3, 1]
