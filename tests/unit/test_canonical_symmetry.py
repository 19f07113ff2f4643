import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nodeflow.canonical.symmetry import (
    Group,
    Place,
    Symmetry,
    SymmetryProblem,
    compose,
    identity,
    inverse,
    mlp_symmetry,
    permute,
    random_permutations,
    rescale,
)
from nodeflow.seeds import torch_generator
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.perceptrons import mlp

MEMBERS = 3
widths = st.lists(st.integers(1, 9), min_size=2, max_size=5)
seeds = st.integers(0, 2**20)


def generators(seed: int, members: int = MEMBERS) -> list[torch.Generator]:
    return [torch_generator(seed, "test", k) for k in range(members)]


def networks(architecture: Architecture, seed: int, dtype: torch.dtype) -> dict[str, Tensor]:
    generator = torch_generator(seed, "networks")
    return {
        name: torch.randn(MEMBERS, *shape, generator=generator, dtype=torch.float64).to(dtype)
        for name, shape in architecture.shapes.items()
    }


def items(features: int, seed: int, dtype: torch.dtype) -> Tensor:
    generator = torch_generator(seed, "items")
    return torch.randn(20, features, generator=generator, dtype=torch.float64).to(dtype)


def assert_same_function(
    architecture: Architecture, a: dict[str, Tensor], b: dict[str, Tensor], x: Tensor
) -> None:
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-10}[x.dtype]
    one, two = architecture.forward(a, x), architecture.forward(b, x)
    assert ((one - two).abs().amax((1, 2)) <= tolerance * one.abs().amax((1, 2))).all()


@settings(max_examples=60, deadline=None)
@given(widths=widths, seed=seeds, dtype=st.sampled_from([torch.float32, torch.float64]))
def test_permutations_and_scales_leave_the_function(
    widths: list[int], seed: int, dtype: torch.dtype
) -> None:
    architecture = mlp(widths)
    symmetry = mlp_symmetry(architecture.shapes)
    parameters = networks(architecture, seed, dtype)
    x = items(widths[0], seed, dtype)
    order = random_permutations(symmetry, generators(seed))
    assert_same_function(architecture, parameters, permute(parameters, symmetry, order), x)
    scales = {
        g.name: torch.rand(MEMBERS, g.size, generator=torch_generator(seed, "scales")) * 3 + 0.1
        for g in symmetry.groups
    }
    assert_same_function(architecture, parameters, rescale(parameters, symmetry, scales), x)


@settings(max_examples=40, deadline=None)
@given(widths=widths, seed=seeds)
def test_group_laws_hold_to_the_last_bit(widths: list[int], seed: int) -> None:
    architecture = mlp(widths)
    symmetry = mlp_symmetry(architecture.shapes)
    parameters = networks(architecture, seed, torch.float32)
    g, h, k = (random_permutations(symmetry, generators(seed + i)) for i in range(3))
    one = identity(symmetry, MEMBERS)

    def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
        return all(torch.equal(a[name], b[name]) for name in a)

    assert same(compose(g, inverse(g)), one) and same(compose(inverse(g), g), one)
    assert same(compose(g, one), g) and same(compose(one, g), g)
    assert same(compose(compose(g, h), k), compose(g, compose(h, k)))
    both = permute(permute(parameters, symmetry, g), symmetry, h)
    assert same(both, permute(parameters, symmetry, compose(g, h)))
    back = permute(permute(parameters, symmetry, g), symmetry, inverse(g))
    assert same(back, parameters)


def test_a_permutation_says_where_each_unit_came_from() -> None:
    architecture = mlp([2, 3, 2])
    parameters = networks(architecture, 0, torch.float64)
    order = {"layer0": torch.tensor([[2, 0, 1]] * MEMBERS)}
    moved = permute(parameters, mlp_symmetry(architecture.shapes), order)
    assert torch.equal(moved["layer0.weight"][0, 0], parameters["layer0.weight"][0, 2])
    assert torch.equal(moved["layer0.bias"][1, 1], parameters["layer0.bias"][1, 0])
    assert torch.equal(moved["layer1.weight"][2, :, 2], parameters["layer1.weight"][2, :, 1])
    assert torch.equal(moved["layer1.bias"], parameters["layer1.bias"])


def test_the_symmetry_of_a_perceptron_is_the_published_one() -> None:
    symmetry = mlp_symmetry(mlp([784, 32, 32, 10]).shapes)
    found = {
        group.name: (group.size, {(p.tensor, p.axis) for p in group.places})
        for group in symmetry.groups
    }
    assert found == {
        "layer0": (32, {("layer0.weight", 0), ("layer0.bias", 0), ("layer1.weight", 1)}),
        "layer1": (32, {("layer1.weight", 0), ("layer1.bias", 0), ("layer2.weight", 1)}),
    }
    assert symmetry.groups_of("layer1.weight") == {0: "layer1", 1: "layer0"}
    assert symmetry.tensors() == [
        "layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias", "layer2.weight",
    ]  # fmt: skip
    assert mlp_symmetry(mlp([4, 3]).shapes).groups == ()


def test_a_symmetry_that_forgets_a_place_changes_the_function() -> None:
    architecture = mlp([6, 8, 5])
    right = mlp_symmetry(architecture.shapes).groups[0]
    parameters, x = networks(architecture, 1, torch.float64), items(6, 1, torch.float64)
    for forgotten in right.places:
        places = tuple(place for place in right.places if place != forgotten)
        wrong = Symmetry((Group("layer0", 8, places, scalable=True),))
        order = random_permutations(wrong, generators(3))
        with pytest.raises(AssertionError):
            assert_same_function(architecture, parameters, permute(parameters, wrong, order), x)


def test_random_permutations_are_uniform_and_independent_of_the_block() -> None:
    symmetry = mlp_symmetry(mlp([1, 3, 3, 1]).shapes)
    drawn = random_permutations(symmetry, generators(0, 3000))
    for order in drawn.values():
        code = (order * torch.tensor([9, 3, 1])).sum(1)
        counts = torch.from_numpy(np.unique(code.numpy(), return_counts=True)[1])
        assert len(counts) == 6 and ((counts - 500).abs() < 5 * 500**0.5).all()
    alone = random_permutations(symmetry, [torch_generator(0, "test", 7)])
    assert all(torch.equal(drawn[name][7], alone[name][0]) for name in drawn)


def test_networks_without_a_stated_symmetry_are_refused() -> None:
    with pytest.raises(SymmetryProblem, match="not multilayer perceptrons"):
        mlp_symmetry({"conv.weight": (3, 3), "conv.bias": (3,)})
    with pytest.raises(SymmetryProblem, match="two axes of one tensor"):
        Symmetry(
            (
                Group(
                    "g",
                    3,
                    (Place("a", 0), Place("a", 1)),
                ),
            )
        )
