from __future__ import annotations

import numpy as np
import pytest
import torch

from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.symmetry import mlp_symmetry, permute, random_permutations
from nodeflow.flow.codec import flatten
from nodeflow.judge.gauge import closest_gauge
from nodeflow.judge.novelty import Gallery, invariants, nearest_members
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.store import Block

ARCHITECTURE = mlp([6, 9, 7, 3])


def test_permuted_copies_with_noise_are_found_and_independent_networks_are_not() -> None:
    shapes = ARCHITECTURE.shapes
    symmetry = mlp_symmetry(shapes)
    generators = [torch.Generator().manual_seed(k) for k in range(24)]
    zoo = ARCHITECTURE.initialize(generators[:12])
    fresh = ARCHITECTURE.initialize(generators[12:])
    noise = torch.Generator().manual_seed(1)
    noisy = {n: t + 0.01 * torch.randn(t.shape, generator=noise) for n, t in zoo.items()}
    orders = random_permutations(symmetry, [torch.Generator().manual_seed(k) for k in range(12)])
    hidden = permute(noisy, symmetry, orders)
    align = closest_gauge(symmetry, MatchSettings())
    members = Block(np.arange(12), zoo)
    found = Gallery(members, align, 2).nearest(Block(np.arange(12), hidden))
    assert (found.index == np.arange(12)).all()
    length = np.linalg.norm(flatten(noisy, shapes) - flatten(zoo, shapes), axis=1)
    assert np.abs(found.nearest - length).max() < 1e-5
    assert invariants(hidden, shapes) == pytest.approx(invariants(noisy, shapes), abs=1e-6)
    assert (found.ratio < 0.2).all()
    assert (nearest_members(flatten(hidden, shapes), flatten(zoo, shapes)).ratio > 0.5).all()
    assert (Gallery(members, align, 6).nearest(Block(np.arange(12), fresh)).ratio > 0.5).all()


def test_no_candidate_is_further_in_its_closest_gauge_than_its_invariants_are() -> None:
    shapes = ARCHITECTURE.shapes
    networks = ARCHITECTURE.initialize([torch.Generator().manual_seed(k) for k in range(12)])
    align = closest_gauge(mlp_symmetry(shapes), MatchSettings())
    numbers, rows = invariants(networks, shapes), flatten(networks, shapes)
    for k in range(12):
        moved = flatten(align(networks, {n: t[k] for n, t in networks.items()}), shapes)
        closest = np.linalg.norm(moved - rows[k], axis=1)
        assert (np.linalg.norm(numbers - numbers[k], axis=1) <= closest + 1e-5).all()
        assert (closest <= np.linalg.norm(rows - rows[k], axis=1) + 1e-5).all()
