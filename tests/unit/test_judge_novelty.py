from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, jaccard

from nodeflow.flow.codec import flatten
from nodeflow.judge.novelty import (
    REPLICA_RATIO,
    Gallery,
    invariants,
    max_iou,
    nearest_members,
    neighbour_test,
    spread,
    two_nearest,
)
from nodeflow.stack import Stack
from nodeflow.zoo.store import Block


def flat(rows: np.ndarray) -> Stack[torch.Tensor]:
    return Block(np.arange(len(rows)), {"row": torch.from_numpy(rows)})


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12), members=st.integers(3, 15))
def test_nearest_members_against_brute_force(seed: int, count: int, members: int) -> None:
    rng = np.random.default_rng(seed)
    rows, zoo = rng.normal(size=(count, 7)) + 5, rng.normal(size=(members, 7)) + 5
    found = nearest_members(rows, zoo)
    all_distances = cdist(rows, zoo)
    ranked = np.sort(all_distances, axis=1)
    assert found.nearest == pytest.approx(ranked[:, 0], rel=1e-12)
    assert found.second == pytest.approx(ranked[:, 1], rel=1e-12)
    assert (found.index == all_distances.argmin(axis=1)).all()
    assert found.ratio == pytest.approx(ranked[:, 0] / ranked[:, 1])


def test_a_member_is_not_its_own_neighbour() -> None:
    zoo = np.random.default_rng(1).normal(size=(9, 5))
    found = nearest_members(zoo, zoo, np.arange(9))
    for k in range(9):
        others = np.delete(zoo, k, axis=0)
        assert found.nearest[k] == pytest.approx(cdist(zoo[[k]], others).min(), rel=1e-12)
        assert found.index[k] != k
    assert (nearest_members(zoo, zoo).nearest == 0).all()


def test_tiny_distances_between_long_vectors_are_exact() -> None:
    rng = np.random.default_rng(2)
    zoo = 1000 + rng.normal(size=(6, 400))
    shift = 1e-9 * rng.normal(size=(6, 400))
    moved = zoo + shift
    found = nearest_members(moved, zoo)
    assert found.nearest == pytest.approx(np.linalg.norm(moved - zoo, axis=1), rel=1e-5)
    assert (found.index == np.arange(6)).all()


def test_two_nearest_of_a_matrix_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(5)
    rows, zoo = rng.normal(size=(8, 6)), rng.normal(size=(11, 6))
    for networks, own in ((rows, None), (zoo, np.arange(11))):
        distances = cdist(networks, zoo)
        if own is not None:
            distances[own, own] = np.inf
        by_matrix = two_nearest(distances)
        by_rows = nearest_members(networks, zoo, own)
        assert by_matrix.nearest == pytest.approx(by_rows.nearest, rel=1e-12)
        assert by_matrix.second == pytest.approx(by_rows.second, rel=1e-12)
        assert (by_matrix.index == by_rows.index).all()


def test_nearest_in_gauge_against_all_orders_of_the_units() -> None:
    shapes = {"in": (3, 2), "out": (1, 3)}
    generator = torch.Generator().manual_seed(0)
    networks = {n: torch.randn(4, *s, generator=generator).double() for n, s in shapes.items()}
    members = {n: torch.randn(5, *s, generator=generator).double() for n, s in shapes.items()}

    def permuted(k: int, order: tuple[int, ...]) -> np.ndarray:
        index = list(order)
        parts = networks["in"][k, index], networks["out"][k][:, index]
        return np.concatenate([part.numpy().ravel() for part in parts])

    def align(stacked, one):  # type: ignore[no-untyped-def]
        cost = (stacked["in"][:, None] - one["in"][:, None]).square().sum(3)
        cost += (stacked["out"][:, 0, None] - one["out"][0, :, None]).square()
        index = torch.stack([torch.from_numpy(linear_sum_assignment(c)[1]) for c in cost])
        return {
            "in": stacked["in"].take_along_dim(index[:, :, None], 1),
            "out": stacked["out"].take_along_dim(index[:, None, :], 2),
        }

    flat = flatten(members, shapes)
    every = np.array(
        [
            [
                min(
                    np.linalg.norm(permuted(i, order) - row)
                    for order in itertools.permutations(range(3))
                )
                for row in flat
            ]
            for i in range(4)
        ]
    )
    wanted = two_nearest(every)
    gallery = Gallery(Block(np.arange(5), members), align, 5)
    found = gallery.nearest(Block(np.arange(4), networks))
    assert found.nearest == pytest.approx(wanted.nearest, rel=1e-9)
    assert found.second == pytest.approx(wanted.second, rel=1e-9)
    assert (found.index == wanted.index).all()
    own = gallery.nearest(gallery.members, own=np.arange(5))
    assert (own.index != np.arange(5)).all() and (own.nearest > 0).all()


def test_planted_replicas_are_found_and_independent_networks_are_not() -> None:
    rng = np.random.default_rng(3)
    zoo, fresh = rng.normal(size=(50, 300)), rng.normal(size=(50, 300))
    replicas = zoo[rng.permutation(50)] + 0.05 * rng.normal(size=(50, 300))
    assert (nearest_members(replicas, zoo).ratio < REPLICA_RATIO).all()
    assert (nearest_members(fresh, zoo).ratio > 0.8).all()
    assert (nearest_members(zoo, zoo, np.arange(50)).ratio > 0.8).all()


def test_the_ratio_of_a_copy_of_two_equal_members_is_one() -> None:
    zoo = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert nearest_members(zoo[:1], zoo).ratio.tolist() == [1.0]


def test_iou_by_hand() -> None:
    a = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)
    b = np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 1]], dtype=bool)
    assert max_iou(a, b) == pytest.approx([1 / 3, 0, 2 / 5])
    assert max_iou(a, a) == pytest.approx([1, 1, 1])
    assert max_iou(a, a, np.arange(3)) == pytest.approx([2 / 5, 0, 2 / 5])


@given(seed=st.integers(0, 10_000))
def test_iou_against_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random((5, 40)) < 0.3, rng.random((4, 40)) < 0.3
    expected = [max(1 - jaccard(row, other) for other in b) for row in a]
    assert max_iou(a, b) == pytest.approx(expected)


def test_spread_is_the_distance_to_the_mean() -> None:
    rows = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 3.0]])
    assert spread([rows]) == pytest.approx([2**0.5, 2**0.5, 2])
    many = np.random.default_rng(4).normal(size=(500, 40))
    assert np.sqrt((spread([many[:, :9], many[:, 9:]]) ** 2).mean()) == pytest.approx(
        40**0.5, rel=0.02
    )


def test_the_neighbour_test_keeps_its_level_and_finds_shifts_copies_and_clusters() -> None:
    rng = np.random.default_rng(4)
    level = [
        neighbour_test(flat(rng.normal(size=(20, 5))), flat(rng.normal(size=(25, 5))), rng, 99)
        for _ in range(200)
    ]
    assert (np.array(level) <= 0.1).mean() < 0.17
    same = rng.normal(size=(60, 40))
    shifted = rng.normal(size=(60, 40)) + 1
    clustered = rng.normal(size=(6, 40))[rng.integers(0, 6, 60)] + 0.01 * rng.normal(size=(60, 40))
    for other in (shifted, clustered):
        assert neighbour_test(flat(other), flat(same), np.random.default_rng(0)) < 0.005
    assert np.isnan(neighbour_test(flat(same[:1]), flat(same), rng))


def test_invariants_of_long_tensors_are_short_and_still_a_lower_bound() -> None:
    generator = torch.Generator().manual_seed(1)
    networks = {"w": torch.randn(5, 10, 10, 101, generator=generator)}
    shapes = {"w": (10, 10, 101)}
    found = invariants(networks, shapes)
    assert found.shape == (5, 4096)
    rows = np.sort(flatten(networks, shapes), axis=1)
    bound, whole = cdist(found, found), cdist(rows, rows)
    assert (bound <= whole + 1e-9).all() and bound[0, 1] > 0.9 * whole[0, 1]
    moved = {"w": networks["w"].flatten(1).flip(1).reshape(networks["w"].shape)}
    assert np.allclose(invariants(moved, shapes), found, atol=1e-12)
