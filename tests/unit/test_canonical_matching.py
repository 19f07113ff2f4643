from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nodeflow.canonical.matching import STARTS, MatchProblem, MatchSettings, match
from nodeflow.canonical.scores import similarity
from nodeflow.canonical.symmetry import (
    Group,
    Place,
    Symmetry,
    inverse,
    mlp_symmetry,
    permute,
    random_permutations,
)
from nodeflow.seeds import torch_generator
from nodeflow.zoo.perceptrons import mlp

Networks = dict[str, Tensor]


def randoms(shapes: dict[str, tuple[int, ...]], members: int, seed: int) -> Networks:
    generator = torch_generator(seed, "networks")
    return {
        name: torch.randn(members, *shape, generator=generator, dtype=torch.float64)
        for name, shape in shapes.items()
    }


def one(networks: Networks, member: int = 0) -> Networks:
    return {name: tensor[member] for name, tensor in networks.items()}


def orders(symmetry: Symmetry, members: int, seed: int) -> dict[str, Tensor]:
    return random_permutations(symmetry, [torch_generator(seed, "o", k) for k in range(members)])


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("widths", [[64, 32, 32, 10], [10, 24, 24, 24, 24, 5]])
def test_planted_permutations_are_recovered_exactly(widths: list[int], noise: float) -> None:
    members = 40
    shapes = dict(mlp(widths).shapes)
    symmetry = mlp_symmetry(shapes)
    reference = one(randoms(shapes, 1, 1))
    planted = orders(symmetry, members, 2)
    copies = {name: tensor.expand(members, *tensor.shape) for name, tensor in reference.items()}
    noisy = {
        name: tensor + noise * randoms(shapes, members, 3)[name]
        for name, tensor in permute(copies, symmetry, planted).items()
    }
    found = match(noisy, reference, symmetry, MatchSettings()).permutations
    for name, expected in inverse(planted).items():
        assert torch.equal(found[name], expected)


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 5), ends=st.tuples(st.integers(1, 4), st.integers(1, 4)),
       seed=st.integers(0, 2**20), start=st.sampled_from(STARTS))  # fmt: skip
def test_one_hidden_layer_is_matched_to_the_optimum_of_all_permutations(
    size: int, ends: tuple[int, int], seed: int, start: str
) -> None:
    shapes = dict(mlp([ends[0], size, ends[1]]).shapes)
    symmetry = mlp_symmetry(shapes)
    networks, reference = randoms(shapes, 3, seed), one(randoms(shapes, 1, seed + 1))
    found = match(networks, reference, symmetry, MatchSettings(start=start))
    every = torch.tensor(list(permutations(range(size))))
    for member in range(3):
        copies = {
            name: tensor[member].expand(len(every), *tensor.shape[1:])
            for name, tensor in networks.items()
        }
        best = similarity(permute(copies, symmetry, {"layer0": every}), reference).max()
        assert found.history[-1, member] == pytest.approx(float(best), abs=1e-10)


def test_two_hidden_layers_end_where_no_single_group_can_be_improved() -> None:
    shapes = dict(mlp([3, 4, 4, 2]).shapes)
    symmetry = mlp_symmetry(shapes)
    networks, reference = randoms(shapes, 12, 4), one(randoms(shapes, 1, 5))
    every = [torch.tensor(p) for p in permutations(range(4))]
    pairs = list(product(every, every))
    both = {
        "layer0": torch.stack([a for a, _ in pairs]),
        "layer1": torch.stack([b for _, b in pairs]),
    }
    plain = match(networks, reference, symmetry, MatchSettings())
    for member in range(12):
        aligned = one(permute(networks, symmetry, plain.permutations), member)
        copies = {n: t.expand(len(pairs), *t.shape) for n, t in aligned.items()}
        all_values = similarity(permute(copies, symmetry, both), reference)
        still = {
            name: torch.tensor([torch.equal(order, every[0]) for order in both[name]])
            for name in both
        }
        reached = plain.history[-1, member]
        assert float(all_values[still["layer0"]].max()) <= reached + 1e-10
        assert float(all_values[still["layer1"]].max()) <= reached + 1e-10


@settings(max_examples=25, deadline=None)
@given(widths=st.lists(st.integers(1, 12), min_size=3, max_size=6), seed=st.integers(0, 2**20),
       start=st.sampled_from(STARTS))  # fmt: skip
def test_the_objective_never_falls_and_is_what_it_says(
    widths: list[int], seed: int, start: str
) -> None:
    shapes = dict(mlp(widths).shapes)
    symmetry = mlp_symmetry(shapes)
    networks, reference = randoms(shapes, 4, seed), one(randoms(shapes, 1, seed + 1))
    found = match(networks, reference, symmetry, MatchSettings(start))
    assert (np.diff(found.history, axis=0) >= 0).all()
    aligned = permute(networks, symmetry, found.permutations)
    value = sum((aligned[name] * reference[name]).flatten(1).sum(1) for name in shapes)
    assert torch.allclose(torch.as_tensor(value), torch.from_numpy(found.history[-1]), atol=1e-9)
    if start == "identity":
        assert np.allclose(found.history[0], similarity(networks, reference))
    assert (found.sweeps < len(found.history)).all()


def test_each_network_is_matched_as_if_alone() -> None:
    shapes = dict(mlp([8, 12, 12, 12, 4]).shapes)
    symmetry = mlp_symmetry(shapes)
    networks, reference = randoms(shapes, 30, 6), one(randoms(shapes, 1, 7))
    chosen = MatchSettings("identity")
    together = match(networks, reference, symmetry, chosen)
    assert len(set(together.sweeps)) > 1  # they do not all stop at the same sweep
    for member in range(30):
        alone = match(
            {n: t[member : member + 1] for n, t in networks.items()}, reference, symmetry, chosen
        )
        for name, order in alone.permutations.items():
            assert torch.equal(order[0], together.permutations[name][member])
        assert alone.sweeps[0] == together.sweeps[member]
        assert np.allclose(alone.history[-1, 0], together.history[-1, member], rtol=1e-12)


def test_every_ordering_of_a_network_is_matched_to_the_same_network() -> None:
    shapes = dict(mlp([20, 16, 16, 16, 5]).shapes)
    symmetry = mlp_symmetry(shapes)
    networks, reference = randoms(shapes, 50, 8), one(randoms(shapes, 1, 9))
    other = permute(networks, symmetry, orders(symmetry, 50, 10))

    def canonical(some: Networks) -> Networks:
        found = match(some, reference, symmetry, MatchSettings())
        return permute(some, symmetry, found.permutations)

    a, b = canonical(networks), canonical(other)
    twice = canonical(a)
    for name in shapes:
        assert torch.equal(a[name], b[name])
        assert torch.equal(a[name], twice[name])


LARGE = [520, 128, 48, 5]
"""One network's first layer fills a chunk of `nodeflow.canonical.matching`."""


def large(members: int, seed: int) -> tuple[Symmetry, Networks, Networks]:
    """Networks of single precision with large layers, and a reference."""
    shapes = dict(mlp(LARGE).shapes)
    networks = {name: tensor.float() for name, tensor in randoms(shapes, members, seed).items()}
    reference = {name: t.float() for name, t in one(randoms(shapes, 1, seed + 1)).items()}
    return mlp_symmetry(shapes), networks, reference


def test_large_networks_of_single_precision_are_matched_as_in_double_precision() -> None:
    symmetry, networks, reference = large(12, 16)
    found = match(networks, reference, symmetry, MatchSettings())
    double = {name: tensor.double() for name, tensor in networks.items()}
    exact = match(double, {n: t.double() for n, t in reference.items()}, symmetry, MatchSettings())
    for name, order in exact.permutations.items():
        assert torch.equal(found.permutations[name], order)
    value = similarity(permute(networks, symmetry, found.permutations), reference)
    assert np.allclose(value, exact.history[-1], rtol=1e-12)
    assert np.allclose(found.history, exact.history, rtol=1e-6)
    assert not np.array_equal(found.history, exact.history), "products were not rounded"
    assert (np.diff(found.history, axis=0) >= 0).all()


def test_small_and_large_networks_of_single_precision_are_matched_as_if_alone() -> None:
    shapes = dict(mlp([8, 12, 12, 4]).shapes)
    small = {name: tensor.float() for name, tensor in randoms(shapes, 6, 20).items()}
    cases = [(mlp_symmetry(shapes), small, {name: t[0] for name, t in small.items()}), large(6, 21)]
    for symmetry, networks, reference in cases:
        together = match(networks, reference, symmetry, MatchSettings())
        for k in range(6):
            lone = {name: tensor[k : k + 1] for name, tensor in networks.items()}
            alone = match(lone, reference, symmetry, MatchSettings())
            assert alone.history[-1, 0] == together.history[-1, k]


def test_every_ordering_of_a_large_network_is_matched_to_the_same_network() -> None:
    symmetry, networks, reference = large(12, 18)
    networks["layer0.weight"][6:, :, 0] = 0  # units that their first values do not tell apart
    other = permute(networks, symmetry, orders(symmetry, 12, 19))
    found = [match(some, reference, symmetry, MatchSettings()) for some in (networks, other)]
    assert np.array_equal(found[0].history[:, :6], found[1].history[:, :6]), "rounded alike"
    a, b = (
        permute(some, symmetry, one.permutations)
        for some, one in zip((networks, other), found, strict=True)
    )
    for name in a:
        assert torch.equal(a[name], b[name])
    again = match(a, reference, symmetry, MatchSettings())
    for order in again.permutations.values():
        assert (order == torch.arange(order.shape[1])).all()


def test_networks_without_hidden_units_stay_as_they_are() -> None:
    shapes = dict(mlp([3, 2]).shapes)
    networks, reference = randoms(shapes, 2, 0), one(randoms(shapes, 1, 1))
    found = match(networks, reference, mlp_symmetry(shapes), MatchSettings())
    assert found.permutations == {} and (found.sweeps == 0).all()
    assert np.array_equal(found.history, similarity(networks, reference)[None])


def test_sweeps_are_limited() -> None:
    shapes = dict(mlp([6, 16, 16, 16, 3]).shapes)
    symmetry = mlp_symmetry(shapes)
    networks, reference = randoms(shapes, 10, 11), one(randoms(shapes, 1, 12))
    found = match(networks, reference, symmetry, MatchSettings("identity", sweeps=1))
    assert len(found.history) == 2 and (found.sweeps == 1).all()


def test_a_convolutional_residual_stream_is_matched_by_the_same_code() -> None:
    # stem (8×3×3×3) → two residual blocks (8→6→8) → head (4×8): the stream has seven places.
    shapes: dict[str, tuple[int, ...]] = {"stem": (8, 3, 3, 3), "head": (4, 8)}
    stream = [Place("stem", 0, True), Place("head", 1, False)]
    groups = []
    for block in "ab":
        shapes |= {f"{block}.in": (6, 8, 3, 3), f"{block}.out": (8, 6, 3, 3)}
        stream += [Place(f"{block}.in", 1, False), Place(f"{block}.out", 0, True)]
        places = (Place(f"{block}.in", 0, True), Place(f"{block}.out", 1, False))
        groups.append(Group(block, 6, places, scalable=False))
    symmetry = Symmetry((Group("stream", 8, tuple(stream), scalable=False), *groups))
    reference = one(randoms(shapes, 1, 13))
    planted = orders(symmetry, 20, 14)
    copies = {name: tensor.expand(20, *tensor.shape) for name, tensor in reference.items()}
    noisy = {
        name: tensor + 0.3 * randoms(shapes, 20, 15)[name]
        for name, tensor in permute(copies, symmetry, planted).items()
    }
    found = match(noisy, reference, symmetry, MatchSettings()).permutations
    for name, expected in inverse(planted).items():
        assert torch.equal(found[name], expected)


def test_settings_that_match_nothing_are_one_line() -> None:
    with pytest.raises(MatchProblem, match="signature, identity"):
        MatchSettings("random")
    with pytest.raises(MatchProblem, match=r"sweeps is -1; allowed: a whole number ≥ 1"):
        MatchSettings(sweeps=-1)
    shapes = dict(mlp([2, 3, 2]).shapes)
    networks = randoms(shapes, 2, 0)
    networks["layer0.bias"][1, 0] = torch.nan
    with pytest.raises(MatchProblem, match="not finite"):
        match(networks, one(networks), mlp_symmetry(shapes), MatchSettings())


@pytest.mark.parametrize("size", [3, 64, 5000])
def test_a_similarity_does_not_depend_on_company(size: int) -> None:
    networks = {"a": torch.randn(30, size, generator=torch.Generator().manual_seed(size))}
    reference = {"a": networks["a"][7]}
    together = similarity(networks, reference)
    alone = [similarity({"a": networks["a"][k : k + 1]}, reference) for k in range(30)]
    assert torch.equal(together, torch.cat(alone))
