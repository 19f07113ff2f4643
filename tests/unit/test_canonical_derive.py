from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nodeflow.canonical import matching
from nodeflow.canonical.align import CanonicalSettings, align_block, canonicalize, distances
from nodeflow.canonical.derive import check_symmetry, derive_symmetry
from nodeflow.canonical.matching import MatchSettings, match
from nodeflow.canonical.symmetry import (
    Group,
    Place,
    Symmetry,
    SymmetryProblem,
    compose,
    inverse,
    mlp_symmetry,
    permute,
    random_permutations,
    rescale,
)
from nodeflow.seeds import torch_generator
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.architectures import build
from nodeflow.zoo.torch_modules import from_module

ARCHITECTURES: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "mlp": ({"kind": "mlp", "hidden": [12, 9]}, (7,)),
    "tanh": ({"kind": "mlp", "hidden": [12, 9], "activation": "tanh"}, (7,)),
    "small_cnn": ({"kind": "small_cnn"}, (3, 32, 32)),
    "resnet": ({"kind": "resnet", "widths": [4, 8, 16], "blocks": [1, 2, 1]}, (1, 8, 8)),
    "resnet20": ({"kind": "resnet20"}, (3, 32, 32)),
    "vit": (
        {"kind": "vit", "patch": 2, "width": 24, "depth": 2, "heads": 3, "hidden": 48},
        (1, 8, 8),
    ),
    "text": (
        {"kind": "text", "vocabulary": 40, "width": 12, "depth": 2, "heads": 2, "hidden": 18},
        (10,),
    ),
}
LARGE: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "resnet18": ({"kind": "resnet18"}, (3, 32, 32)),
    "vit_small_192": ({"kind": "vit_small_192"}, (3, 32, 32)),
    "bert": ({"kind": "bert"}, (128,)),
}


def architecture_of(name: str) -> Architecture:
    settings, item = (ARCHITECTURES | LARGE)[name]
    return build(settings, item, 1 if name == "bert" else 10)


def networks(architecture: Architecture, count: int, dtype: torch.dtype) -> dict[str, Tensor]:
    generators = [torch_generator(1, "test network", k) for k in range(count)]
    tensors = {
        name: (tensor + 0.1 * torch.randn(tensor.shape, generator=generators[0])).to(dtype)
        for name, tensor in architecture.initialize(generators).items()
    }
    for name, tensor in architecture.fresh_statistics(count).items():
        tensors[name] = (tensor + torch.rand(tensor.shape, generator=generators[0])).to(dtype)
    return tensors


def items(architecture: Architecture, dtype: torch.dtype) -> Tensor:
    generator = torch_generator(2, "test items")
    size = int(torch.tensor(architecture.item).prod())
    if architecture.tokens:
        return torch.randint(architecture.tokens, (5, size), generator=generator)
    return torch.randn(5, size, generator=generator).to(dtype)


# --- symmetries written by hand, from the definitions of the networks ----------------------------


def acts(symmetry: Symmetry) -> set[tuple[Any, ...]]:
    """What a symmetry does, without the names and the order of its groups."""
    heads = {
        frozenset(p.tensor for p in group.places): group.family or group.name
        for group in symmetry.groups
    }
    return {
        (
            group.size,
            group.heads,
            group.scalable,
            group.odd,
            frozenset(group.places),
            frozenset(key for key, one in heads.items() if group.heads > 1 and one == group.family),
        )
        for group in symmetry.groups
    }


def norm(name: str, power: int = 1) -> list[Place]:
    return [
        *(Place(f"{name}.{part}", 0, power) for part in ("weight", "bias")),
        *(Place(f"{name}.{part}", 0) for part in ("running_mean", "running_var")),
    ]


def resnet_by_hand(widths: list[int], blocks: list[int]) -> set[tuple[Any, ...]]:
    stream: list[Place] = [Place("stem.weight", 0), *norm("norm")]
    groups, size, number = [], widths[0], 0
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(count):
            name = f"blocks.{number}"
            stream.append(Place(f"{name}.conv1.weight", 1, -1))
            inner = [Place(f"{name}.conv1.weight", 0), *norm(f"{name}.norm1")]
            groups.append((width, [*inner, Place(f"{name}.conv2.weight", 1, -1)]))
            if stage > 0 and block == 0:
                stream.append(Place(f"{name}.shortcut.0.weight", 1, -1))
                groups.append((size, stream))
                stream = [Place(f"{name}.shortcut.0.weight", 0), *norm(f"{name}.shortcut.1")]
                size = width
            stream += [Place(f"{name}.conv2.weight", 0), *norm(f"{name}.norm2")]
            number += 1
    groups.append((size, [*stream, Place("head.weight", 1, -1)]))
    return {(n, 1, True, False, frozenset(places), frozenset()) for n, places in groups}


def transformer_by_hand(
    width: int, depth: int, heads: int, hidden: int, ends: list[Place]
) -> set[tuple[Any, ...]]:
    stream = [*ends, Place("norm.weight", 0), Place("norm.bias", 0), Place("head.weight", 1)]
    found = set()
    for layer in range(depth):
        name = f"layers.{layer}"
        linear = f"{name}.attention"
        stream += [
            Place(f"{name}.{n}.{p}", 0) for n in ("norm1", "norm2") for p in ("weight", "bias")
        ]
        stream += [Place(f"{linear}.{x}.weight", 1) for x in ("query", "key", "value")]
        stream += [Place(f"{linear}.out.{p}", 0) for p in ("weight", "bias")]
        stream += [Place(f"{name}.up.weight", 1), Place(f"{name}.down.weight", 0)]
        stream += [Place(f"{name}.down.bias", 0)]
        query = frozenset(
            Place(f"{linear}.{x}.{p}", 0) for x in ("query", "key") for p in ("weight", "bias")
        )
        value = frozenset(
            [
                Place(f"{linear}.value.weight", 0),
                Place(f"{linear}.value.bias", 0),
                Place(f"{linear}.out.weight", 1),
            ]
        )
        family = frozenset(frozenset(p.tensor for p in one) for one in (query, value))
        found |= {(width, heads, False, False, one, family) for one in (query, value)}
        up = [Place(f"{name}.up.{p}", 0) for p in ("weight", "bias")]
        up.append(Place(f"{name}.down.weight", 1))
        found.add((hidden, 1, False, False, frozenset(up), frozenset()))
    return found | {(width, 1, False, False, frozenset(stream), frozenset())}


PATCHES = [
    *(Place(name, 2) for name in ("token", "positions")),
    *(Place(f"patches.{part}", 0) for part in ("weight", "bias")),
]


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("resnet", resnet_by_hand([4, 8, 16], [1, 2, 1])),
        ("resnet20", resnet_by_hand([16, 32, 64], [3, 3, 3])),
        ("resnet18", resnet_by_hand([64, 128, 256, 512], [2, 2, 2, 2])),
        ("vit", transformer_by_hand(24, 2, 3, 48, PATCHES)),
        ("vit_small_192", transformer_by_hand(192, 6, 3, 768, PATCHES)),
        (
            "text",
            transformer_by_hand(12, 2, 2, 18, [Place("positions", 2), Place("words.weight", 1)]),
        ),
    ],
)
def test_the_derived_symmetry_is_the_one_written_by_hand(
    name: str, by_hand: set[tuple[Any, ...]]
) -> None:
    symmetry = derive_symmetry(architecture_of(name))
    assert acts(symmetry) == by_hand
    assert symmetry.frozen == ()
    published = {"resnet20": 12, "resnet18": 12}
    assert len(symmetry.groups) == published.get(name, len(symmetry.groups))


def test_a_linear_layer_reads_the_pixels_of_a_channel_together() -> None:
    symmetry = derive_symmetry(architecture_of("small_cnn"))
    (group,) = (g for g in symmetry.groups if g.name == "convolutions.2")
    assert Place("hidden.weight", 1, -1, after=16) in group.places
    assert [g.size for g in symmetry.groups] == [16, 24, 24, 32]


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer0, self.layer1, self.layer2 = nn.Linear(7, 6), nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer2(torch.relu(self.layer1(torch.relu(self.layer0(x)))))
        return out


def test_a_perceptron_that_is_a_module_has_the_stated_symmetry() -> None:
    architecture = from_module(Perceptron(), (7,))
    assert derive_symmetry(architecture).groups == mlp_symmetry(architecture.shapes).groups


class Unknown(Perceptron):
    def forward(self, x: Tensor) -> Tensor:
        h = torch.cumsum(self.layer0(x), 1)
        out: Tensor = self.layer2(torch.relu(self.layer1(h)))
        return out


class Uneven(Perceptron):
    """Its first units are read in part by their places."""

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.layer0(x))
        out: Tensor = self.layer2(torch.relu(self.layer1(h)))
        return out + h[:, :3]


def test_what_is_not_known_stays_in_place_and_is_listed() -> None:
    symmetry = derive_symmetry(from_module(Unknown(), (7,)))
    assert [group.name for group in symmetry.groups] == ["layer1"]
    assert any("layer0.weight, axis 0" in line and "cumsum" in line for line in symmetry.frozen)
    assert [g.name for g in derive_symmetry(from_module(Uneven(), (7,))).groups] == ["layer1"]


@pytest.mark.parametrize("name", ["small_cnn", "resnet", "vit", "text", "tanh"])
def test_a_wrong_symmetry_does_not_pass_the_check(name: str) -> None:
    architecture = architecture_of(name)
    right = derive_symmetry(architecture)
    check_symmetry(architecture, right, seed=3)
    for group in right.groups[:3]:
        for forgotten in group.places[:4]:
            places = tuple(place for place in group.places if place != forgotten)
            wrong = Symmetry((Group("wrong", group.size, places, heads=group.heads),))
            with pytest.raises(SymmetryProblem, match="changes outputs"):
                check_symmetry(architecture, wrong)
    if name == "vit":  # rows of a head do not fit into another one
        whole = next(g for g in right.groups if g.heads > 1)
        with pytest.raises(SymmetryProblem, match="changes outputs"):
            check_symmetry(architecture, Symmetry((Group("w", whole.size, whole.places),)))


# --- proofs, for every architecture --------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_alignment_changes_no_function(name: str, dtype: torch.dtype, tolerance: float) -> None:
    architecture = architecture_of(name)
    symmetry = derive_symmetry(architecture)
    tensors, x = networks(architecture, 4, dtype), items(architecture, dtype)
    reference = {n: t[0] for n, t in tensors.items()}
    for heads in ("scores", "spectral"):
        start = "identity" if name == "tanh" else "signature"
        settings = MatchSettings(signs=True, heads=heads, start=start)
        aligned = align_block(tensors, reference, symmetry, settings)
        before = architecture.forward(tensors, x)
        after = architecture.forward(aligned.parameters, x)
        assert (before - after).abs().max() <= tolerance * before.abs().max()
        report = aligned.report
        assert (report["objective_after"] >= report["objective_before"] - 1e-9).all()
        assert (report["distance_after"][1:] < report["distance_before"][1:]).all()
        assert all(torch.equal(aligned.parameters[n][0], t) for n, t in reference.items())
        again = align_block(aligned.parameters, reference, symmetry, settings)
        for n, tensor in aligned.parameters.items():
            assert torch.equal(again.parameters[n], tensor), n


def planted(
    architecture: Architecture, symmetry: Symmetry, count: int, noise: float
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """A reference, copies with noise and units moved, the permutations, and the signs."""
    reference = {n: t[0] for n, t in networks(architecture, 1, torch.float32).items()}
    generators = [torch_generator(4, "planted", k) for k in range(count)]
    copies = {}
    for name, tensor in reference.items():
        spread = noise * tensor.std(correction=0) if name not in symmetry.statistics else 0.0
        copies[name] = torch.stack(
            [tensor + spread * torch.randn(tensor.shape, generator=g) for g in generators]
        )
    orders = random_permutations(symmetry, generators)
    signs = {
        g.name: torch.randint(2, (count, g.size), generator=generators[0]).double() * 2 - 1
        for g in symmetry.groups
        if g.odd
    }
    return reference, rescale(permute(copies, symmetry, orders), symmetry, signs), orders, signs


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_planted_permutations_are_found(name: str, noise: float) -> None:
    architecture = architecture_of(name)
    symmetry = derive_symmetry(architecture)
    count = 2 if name == "resnet20" else 12
    reference, copies, orders, signs = planted(architecture, symmetry, count, noise)
    for heads in ("scores", "spectral"):
        matching = match(copies, reference, symmetry, MatchSettings(signs=True, heads=heads))
        expected: Mapping[str, Tensor] = inverse(orders)
        for group in symmetry.groups:
            found = matching.permutations[group.name]
            assert torch.equal(found, expected[group.name]), group.name
            if group.odd:
                was = signs[group.name].gather(1, found)
                assert torch.equal(matching.signs[group.name], was)
        nothing = compose(orders, matching.permutations)
        assert all((order == torch.arange(order.shape[1])).all() for order in nothing.values())
        assert (matching.history[1:] >= matching.history[:-1] - 1e-9).all()
        if noise == 0:
            back = matching.applied(copies, symmetry)
            for n, tensor in reference.items():
                assert torch.equal(back[n], tensor.to(back[n]).expand_as(back[n])), n


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_published_shapes_keep_their_function_and_planted_permutations_are_found(name: str) -> None:
    architecture = architecture_of(name)
    symmetry = derive_symmetry(architecture)
    assert symmetry.frozen == ()
    reference, copies, orders, _ = planted(architecture, symmetry, 1, 0.3)
    matching = match(copies, reference, symmetry, MatchSettings())
    found = matching.permutations
    assert all(torch.equal(found[n], order) for n, order in inverse(orders).items())
    assert (matching.history[1:] >= matching.history[:-1] - 1e-9).all()
    fresh = architecture.initialize([torch_generator(5, "fresh")])
    fresh |= architecture.fresh_statistics(1)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
        # As they are initialized: the weights above are so large that rounding grows by each layer.
        given = {n: tensor.to(dtype) for n, tensor in fresh.items()}
        moved, x = matching.applied(given, symmetry), items(architecture, dtype)[:2]
        before, after = architecture.forward(given, x), architecture.forward(moved, x)
        assert (before - after).abs().max() <= tolerance * before.abs().max()


def test_statistics_move_but_do_not_count() -> None:
    architecture = architecture_of("resnet")
    symmetry = derive_symmetry(architecture)
    tensors = networks(architecture, 6, torch.float32)
    reference = {n: t[0] for n, t in tensors.items()}
    other = {n: t * 7 if n in symmetry.statistics else t for n, t in tensors.items()}
    one, seven = (
        match(zoo, reference, symmetry, MatchSettings()).permutations for zoo in (tensors, other)
    )
    assert all(torch.equal(one[name], seven[name]) for name in one)
    aligned = align_block(tensors, reference, symmetry, MatchSettings()).parameters
    assert not torch.equal(aligned["norm.running_mean"], tensors["norm.running_mean"])


def test_heads_by_their_scores_fit_better_than_by_their_singular_values() -> None:
    architecture = architecture_of("vit")
    symmetry = derive_symmetry(architecture)
    tensors = networks(architecture, 20, torch.float32)
    reference = {n: t[0] for n, t in tensors.items()}
    gain = [
        match(tensors, reference, symmetry, MatchSettings(heads=heads)).history[-1]
        for heads in ("scores", "spectral")
    ]
    assert (gain[0] - gain[1]).mean() > 0
    still = symmetry.without_residual()
    assert {g.name for g in symmetry.groups} - {g.name for g in still.groups} == {"token"}
    held = match(tensors, reference, still, MatchSettings()).history[-1]
    assert (gain[0] - held).mean() > 0


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("name", ["mlp", "tanh", "resnet", "vit", "text"])
def test_no_option_of_canonicalization_changes_a_function(
    name: str, scaled: bool, residual: bool
) -> None:
    architecture = architecture_of(name)
    symmetry = derive_symmetry(architecture)
    tensors, x = networks(architecture, 4, torch.float64), items(architecture, torch.float64)
    reference = {n: t[0] for n, t in tensors.items()}
    settings = CanonicalSettings(MatchSettings(signs=name == "tanh"), scaled, residual)
    found = canonicalize(tensors, reference, symmetry, settings)
    before = architecture.forward(tensors, x)
    after = architecture.forward(found.parameters, x)
    assert (before - after).abs().max() <= 1e-10 * before.abs().max()
    report = found.report
    learned = {n: t for n, t in reference.items() if n not in symmetry.statistics}
    given = {n: tensors[n] for n in learned}
    assert np.allclose(report["distance_before"], distances(given, learned))
    ends = {n: found.parameters[n][0] for n in learned}
    moved = {n: found.parameters[n] for n in learned}
    assert np.allclose(report["distance_after"], distances(moved, ends))
    assert (report["distance_after"][1:] < report["distance_before"][1:]).all()
    scalable = any(group.scalable for group in symmetry.groups)
    same = all(torch.equal(found.parameters[n][0], t) for n, t in reference.items())
    assert same != (scaled and scalable), "only scales change a reference"
    moving = {group.name for group in symmetry.groups if group.residual}
    for group, order in found.permutations.items():
        assert residual or group not in moving, order.shape
    assert bool(moving) == (name in ("resnet", "vit", "text"))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_scores_that_follow_changes_are_those_computed_anew(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = architecture_of(name)
    symmetry = derive_symmetry(architecture)
    tensors = networks(architecture, 2 if name == "resnet20" else 5, torch.float64)
    reference = {n: t[0] for n, t in tensors.items()}
    seen = []
    ascend = matching._ascend

    def ascend_and_look(scores: Any, *given: Any) -> Any:
        found = ascend(scores, *given)
        orders = {name: order.numpy() for name, order in found.permutations.items()}
        everyone = np.arange(len(found.sweeps))
        signs = {name: sign.numpy() for name, sign in found.signs.items()}
        for family in scores.families:
            for group in family:
                followed = scores.of(group, everyone, orders, signs)
                anew = scores.fixed[group.name].copy()
                for one in scores.between[group.name]:
                    order, sign = orders[one.other], signs.get(one.other, one.sign)
                    moved = one.networks[everyone[:, None], order] * sign[:, :, None, None]
                    anew += np.einsum("ari,karj->kij", one.reference[0], moved)
                assert np.allclose(followed, anew, rtol=1e-11, atol=1e-11)
                seen.append(group.name)
        return found

    monkeypatch.setattr(matching, "_ascend", ascend_and_look)
    settings = MatchSettings(signs=True, start="identity")
    match(tensors, reference, symmetry, settings)
    assert set(seen) == {group.name for group in symmetry.groups}


@pytest.mark.parametrize("name", ["mlp", "tanh", "resnet", "vit"])
def test_networks_are_matched_as_if_each_were_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = architecture_of(name)
    symmetry = derive_symmetry(architecture)
    tensors = networks(architecture, 7, torch.float32)
    reference = {n: t[0] for n, t in tensors.items()}
    settings = MatchSettings(signs=True)
    whole = match(tensors, reference, symmetry, settings)
    monkeypatch.setattr(matching, "_TOGETHER", 1)
    alone = match(tensors, reference, symmetry, settings)
    for group, order in whole.permutations.items():
        assert torch.equal(order, alone.permutations[group]), group
    assert all(torch.equal(sign, alone.signs[n]) for n, sign in whole.signs.items())
    assert np.array_equal(whole.history, alone.history)
    assert np.array_equal(whole.sweeps, alone.sweeps)
