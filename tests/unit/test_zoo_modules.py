import hashlib
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

from nodeflow.datasets import load_dataset
from nodeflow.seeds import derive_seed, torch_generator
from nodeflow.tensors import TensorProblem
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.architectures import build
from nodeflow.zoo.predict import ItemProblem, evaluate, predict, recalibrated
from nodeflow.zoo.settings import ArchitectureProblem
from nodeflow.zoo.torch_modules import from_module
from nodeflow.zoo.train import TrainProblem, TrainSettings, initial_parameters, train_block

SMALL: dict[str, dict[str, Any]] = {
    "resnet": {"kind": "resnet", "widths": [4, 8, 16], "blocks": [1, 1, 1]},
    "vit": {"kind": "vit", "patch": 2, "width": 24, "depth": 2, "heads": 3, "hidden": 48},
    "small_cnn": {"kind": "small_cnn", "widths": [4, 8, 8], "hidden": 8},
}
DIGITS = load_dataset("digits").first(100)
QUICK = TrainSettings(epochs=1, batch_size=48, learning_rate=3e-3)


@pytest.mark.parametrize(
    ("settings", "item", "classes", "parameters"),
    [
        ({"kind": "mlp", "hidden": [16]}, (4,), 3, 131),
        ({"kind": "mlp", "hidden": [32, 32]}, (1, 28, 28), 10, 26_506),
        ({"kind": "mlp", "hidden": [128, 128]}, (1, 28, 28), 10, 118_282),
        ({"kind": "mlp", "hidden": [64, 64]}, (1, 28, 28), 10, 55_050),
        ({"kind": "mlp", "hidden": [64, 64]}, (8,), 1, 4_801),
        ({"kind": "small_cnn"}, (3, 32, 32), 10, 21_914),
        ({"kind": "resnet20"}, (3, 32, 32), 10, 272_474),
        ({"kind": "resnet18"}, (3, 32, 32), 10, 11_173_962),
        ({"kind": "vit_small_192"}, (3, 32, 32), 10, 2_693_578),
        ({"kind": "bert"}, (128,), 1, 108_595_969),
    ],
)
def test_published_shapes_have_their_published_numbers_of_parameters(
    settings: dict[str, Any], item: tuple[int, ...], classes: int, parameters: int
) -> None:
    assert build(settings, item, classes).parameters == parameters


@pytest.mark.parametrize("kind", SMALL)
def test_each_member_is_bit_for_bit_the_one_trained_alone(kind: str) -> None:
    architecture = build(SMALL[kind], (1, 8, 8), 10)
    stacked = train_block(architecture, DIGITS, range(5), QUICK, 5, "test")
    for members in ([0], [4], [3, 1]):
        alone = train_block(architecture, DIGITS, members, QUICK, 5, "test")
        for member in members:
            one, two = alone.only(member), stacked.only(member)
            assert list(one) == [*architecture.shapes, *architecture.statistics]
            for name in one:
                assert torch.equal(one[name], two[name]), name
            rows = [b.metrics.set_index("member").loc[member] for b in (alone, stacked)]
            assert rows[0].to_dict() == rows[1].to_dict()


@pytest.mark.parametrize("kind", ["resnet", "vit"])
def test_stacked_training_is_the_textbook_loop(kind: str) -> None:
    architecture = build(SMALL[kind], (1, 8, 8), 10)
    settings = replace(QUICK, optimizer="adamw", weight_decay=0.02, epochs=2)
    block = train_block(architecture, DIGITS, [0, 7], settings, 5, "test")
    x, y = torch.from_numpy(DIGITS.train_x).view(-1, 1, 8, 8), torch.from_numpy(DIGITS.train_y)
    seed = derive_seed(5, "zoo member", "test", 7)
    assert architecture.module is not None
    network = type(architecture.module)(
        (1, 8, 8), 10, **{k: v for k, v in SMALL[kind].items() if k != "kind"}
    ).train()
    start = architecture.initialize([torch_generator(seed, "initialize")])
    for name, parameter in network.named_parameters():
        parameter.data.copy_(start[name][0])
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.02)
    order = torch_generator(seed, "order")
    for _ in range(2):
        for batch in torch.split(torch.randperm(len(y), generator=order), 48)[:2]:
            optimizer.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(network(x[batch]), y[batch]))
            optimizer.step()
    found = block.only(7)
    for name, tensor in network.state_dict().items():
        if name.endswith("key.bias"):  # moves by rounding alone: a softmax ignores it
            continue
        assert torch.allclose(tensor, found[name], atol=2e-4, rtol=1e-3), name
    assert bool(architecture.statistics) == (kind == "resnet")


def test_networks_of_modules_speak_alone_as_in_a_stack_and_start_as_they_should() -> None:
    architecture = build(SMALL["resnet"], (1, 8, 8), 10)
    start = architecture.initialize([torch_generator(0, "test", k) for k in range(3)])
    assert (start["norm.weight"] == 1).all() and (start["head.bias"] == 0).all()
    fan_in = 4 * 9
    assert start["blocks.0.conv1.weight"].abs().max() <= (6 / fan_in) ** 0.5
    tensors = {**start, **architecture.fresh_statistics(3)}
    logits = predict(architecture, tensors, DIGITS.test_x[:20], batch=2)
    one = predict(architecture, {n: t[2:] for n, t in tensors.items()}, DIGITS.test_x[:20])
    assert logits.shape == (3, 20, 10) and torch.equal(logits[2:], one)
    loss, accuracy = evaluate(architecture, tensors, DIGITS.test_x, DIGITS.test_y)
    assert loss.shape == accuracy.shape == (3,) and (loss > 1).all()


def test_what_cannot_be_built_or_trained_is_one_line() -> None:
    for settings, message in (
        ({"kind": "resnet50"}, "resnet20"),
        ({"kind": "resnet", "widths": [4]}, "blocks"),
        ({"kind": "mlp"}, "hidden"),
        ({"kind": "small_cnn", "depth": 3}, "depth"),
    ):
        with pytest.raises(ArchitectureProblem, match=message):
            build(settings, (1, 8, 8), 10)
    with pytest.raises(ArchitectureProblem, match="momentum None"):
        from_module(nn.Sequential(nn.BatchNorm1d(4, momentum=None), nn.Linear(4, 2)), (4,))
    with pytest.raises(TrainProblem, match="batch_size"):
        architecture = build(SMALL["vit"], (1, 8, 8), 10)
        train_block(architecture, DIGITS, [0], replace(QUICK, batch_size=128), 1, "test")


NORMS: dict[str, Callable[[], nn.Module]] = {
    "group": lambda: nn.GroupNorm(2, 8),
    "instance": lambda: nn.InstanceNorm2d(8, affine=True),
    "instance with statistics": lambda: nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
    "batch": lambda: nn.BatchNorm2d(8),
    "layer": lambda: nn.LayerNorm([8, 8, 8]),
    "root mean square": lambda: nn.RMSNorm([8, 8, 8]),
    "one's own": lambda: Gain(),
}


class Gain(nn.Module):
    """A normalization without a reset, as many have them in their own code."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / x.square().mean(1, keepdim=True).add(1e-6).sqrt() * self.weight


def convolutional(norm: Callable[[], nn.Module]) -> nn.Module:
    parts = [nn.Conv2d(1, 8, 3, padding=1), norm(), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(512, 10))


def started(module: nn.Module, item: tuple[int, ...], members: int = 2) -> dict[str, torch.Tensor]:
    architecture = from_module(module, item)
    return initial_parameters(architecture, range(members), QUICK, 1, "test")


@pytest.mark.parametrize("norm", NORMS)
def test_normalizations_of_ones_own_module_start_at_one_and_are_trained(norm: str) -> None:
    architecture = from_module(convolutional(NORMS[norm]), (1, 8, 8))
    start = initial_parameters(architecture, range(2), QUICK, 1, "test")
    assert (start["1.weight"] == 1).all()
    assert "1.bias" not in start or (start["1.bias"] == 0).all()
    fan_in = 9
    assert start["0.weight"].abs().max() <= (6 / fan_in) ** 0.5 and (start["0.bias"] == 0).all()
    block = train_block(architecture, DIGITS, range(2), QUICK, 1, "test")
    assert (block.metrics["status"] == "ok").all()
    assert not torch.equal(block.parameters["1.weight"], start["1.weight"])


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_running_statistics_of_any_dimension_are_those_of_torch(dimensions: int) -> None:
    norm = [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d][dimensions - 1]
    item = (4, *[2] * dimensions)
    head = nn.Linear(4 * 2**dimensions, 3)
    module = nn.Sequential(norm(4), nn.Dropout(0.5), nn.Flatten(), head)
    architecture = from_module(module, item)
    x = torch.randn(50, *item, generator=torch.Generator().manual_seed(1)) * 2 + 1
    networks = initial_parameters(architecture, range(2), QUICK, 1, "test")
    found = recalibrated(architecture, networks, x)
    axes = [0, *range(2, dimensions + 2)]
    assert torch.allclose(found["0.running_mean"], x.mean(axes).expand(2, -1), atol=1e-5)
    assert torch.allclose(found["0.running_var"], x.var(axes).expand(2, -1), rtol=1e-4)


def test_normalization_over_processes_is_that_of_one_process() -> None:
    def net(norm: type[nn.Module]) -> Architecture:
        return from_module(
            nn.Sequential(nn.Linear(64, 8), norm(8), nn.ReLU(), nn.Linear(8, 10)), (64,)
        )

    one, other = (
        train_block(net(norm), DIGITS, range(2), QUICK, 1, "test")
        for norm in (nn.BatchNorm1d, nn.SyncBatchNorm)
    )
    for name in (*one.parameters, *one.statistics):
        assert torch.equal(one.tensors[name], other.tensors[name]), name


class Tokens(nn.Module):
    """What transformers of one's own have: tokens, attention, tables, constants."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(6, 8, padding_idx=0)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        self.positions = nn.Parameter(torch.randn(1, 5, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.scale: torch.Tensor
        self.register_buffer("scale", torch.full((8,), 2.0))
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.cat([self.token.expand(len(x), -1, -1), self.words(x)], 1)
        h = (h + self.positions) * self.scale
        out: torch.Tensor = self.head(self.attention(h, h, h, need_weights=False)[0][:, 0])
        return out


def tokens() -> Architecture:
    with pytest.warns(UserWarning, match="No reset_parameters sets positions:"):
        return from_module(Tokens(), (4,), tokens=6)


def test_parts_of_ones_own_module_start_by_their_own_reset_under_the_seed_of_a_member() -> None:
    before = torch.get_rng_state()
    architecture = tokens()
    assert architecture.original is not None
    torch.set_rng_state(before)
    start = initial_parameters(architecture, range(3), QUICK, 1, "test")
    assert torch.equal(torch.get_rng_state(), before)
    alone = initial_parameters(architecture, [2], QUICK, 1, "test")
    for name, tensor in start.items():
        assert torch.equal(tensor[2:], alone[name]), name
    assert (start["words.weight"][:, 0] == 0).all()
    assert start["words.weight"][:, 1:].std() == pytest.approx(1, abs=0.15)
    bound = (6 / (8 + 24)) ** 0.5  # Xavier, as attention has it
    assert 0.9 * bound < start["attention.in_proj_weight"].abs().max() <= bound
    assert (start["attention.in_proj_bias"] == 0).all()
    for name in ("words.weight", "attention.in_proj_weight", "head.weight"):
        assert not torch.equal(start[name][0], start[name][1]), name
    # What nothing resets has the values of the module.
    for name in ("token", "positions"):
        given = architecture.original.get_parameter(name)
        assert torch.equal(start[name], given.expand_as(start[name])), name


def test_constant_buffers_are_shared_and_others_than_the_modules_are_refused() -> None:
    architecture = tokens()
    x = np.random.default_rng(0).integers(0, 6, (7, 4))
    networks = initial_parameters(architecture, range(2), QUICK, 1, "test")
    logits = predict(architecture, networks, x)
    module = Tokens()
    module.load_state_dict({n: t[1] for n, t in networks.items()} | {"scale": module.scale})
    assert torch.allclose(module.eval()(torch.from_numpy(x)), logits[1], atol=1e-5)
    same = {**networks, "scale": torch.full((2, 8), 2.0)}
    assert torch.equal(predict(architecture, same, x), logits)
    with pytest.raises(TensorProblem, match="buffer scale"):
        predict(architecture, {**networks, "scale": torch.ones(2, 8)}, x)
    with pytest.raises(ItemProblem, match="item 3 holds the token 6; tokens are 0 to 5"):
        predict(architecture, networks, np.where(np.arange(7)[:, None] == 3, 6, x))


def test_a_parametrized_layer_starts_as_the_plain_one_does() -> None:
    weight_norm = nn.utils.parametrizations.weight_norm
    start = started(nn.Sequential(weight_norm(nn.Linear(64, 8)), nn.Linear(8, 10)), (64,))
    norms, directions = (start[f"0.parametrizations.weight.original{k}"].squeeze() for k in (0, 1))
    assert torch.allclose(directions.norm(dim=2), norms)
    assert directions.abs().max() <= 1 / 8 and not torch.equal(directions[0], directions[1])


class Symmetric(nn.Module):
    """A matrix from its upper half; how to take one apart is not said."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.triu() + x.triu(1).T


@pytest.mark.parametrize("kind", ["weight_norm", "pruned", "parametrized"])
def test_a_layer_whose_weight_is_computed_is_trained_from_the_values_it_has(kind: str) -> None:
    layer = nn.Linear(8, 8)
    if kind == "weight_norm":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            torch.nn.utils.weight_norm(layer)
    elif kind == "pruned":
        prune.random_unstructured(layer, "weight", 0.5)  # type: ignore[no-untyped-call]
    else:
        parametrize.register_parametrization(layer, "weight", Symmetric())
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), layer, nn.Linear(8, 10))
    with pytest.warns(UserWarning, match="No reset_parameters sets"):
        architecture = from_module(module, (1, 8, 8))
    start = initial_parameters(architecture, range(2), QUICK, 1, "test")
    (name,) = {"3.weight_v", "3.weight_orig", "3.parametrizations.weight.original"} & set(start)
    assert all(torch.equal(one, module.get_parameter(name)) for one in start[name])
    block = train_block(architecture, DIGITS, range(2), QUICK, 1, "test")
    assert not torch.equal(block.parameters[name], start[name])
    heard = predict(architecture, block.parameters, DIGITS.test_x)
    for k in range(2):
        module.load_state_dict(architecture.state_dict(block.only(k)), strict=True)
        with torch.no_grad():
            own = module(torch.as_tensor(DIGITS.test_x).reshape(-1, 1, 8, 8))
        torch.testing.assert_close(heard[k], own, rtol=1e-4, atol=1e-5)


class Padded(nn.Module):
    """Grey values as tokens whose padding is also read out, and a parameter that nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(17, 8, padding_idx=0)
        self.marks = nn.Parameter(torch.ones(17, 8))
        self.unread = nn.Parameter(torch.ones(3))
        self.readout = nn.Linear(17, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = (16 * x.flatten(1)).round().long()
        marks = nn.functional.embedding(tokens, self.marks, padding_idx=-17)
        h = (self.words(tokens) * marks).mean(1)
        out: torch.Tensor = self.readout(h @ self.words.weight.T)
        return out


def test_padding_learns_from_what_else_reads_it_alone_in_every_network_of_a_stack() -> None:
    architecture = from_module(Padded(), (1, 8, 8))
    settings = TrainSettings(epochs=1, batch_size=16, learning_rate=1e-3)
    start = initial_parameters(architecture, range(3), settings, 1, "test")
    module, one = Padded(), DIGITS.first(16)
    block = train_block(architecture, one, range(3), settings, 1, "test")
    x, y = torch.as_tensor(one.train_x), torch.as_tensor(one.train_y)
    for k in range(3):
        module.load_state_dict({name: tensor[k] for name, tensor in start.items()})
        optimizer = torch.optim.Adam(module.parameters(), 1e-3)
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(
                block.parameters[name][k], parameter.detach(), rtol=1e-4, atol=1e-5
            )
        assert not torch.equal(block.parameters["words.weight"][k, 0], torch.zeros(8))
        assert torch.equal(block.parameters["marks"][k, 0], torch.ones(8))


def test_modules_in_any_state_make_the_same_architecture_and_stay_as_they_are() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 10))
    expected = started(module, (1, 8, 8))
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    trained = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 10))
    trained(torch.randn(5, 1, 8, 8)).sum().backward()
    for parameter in trained.parameters():
        parameter.data.add_(1)
    for other in (
        trained,
        nn.DataParallel(module),
        *(deepcopy(module).to(t) for t in (torch.half, torch.double)),
    ):
        found = started(other, (1, 8, 8))
        assert {n: t.dtype for n, t in found.items()} == {n: t.dtype for n, t in expected.items()}
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert all(torch.equal(module.state_dict()[name], state[name]) for name in state)


def test_networks_that_change_their_items_in_place_each_read_the_items_as_given() -> None:
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 3))
    architecture = from_module(module, (4,))
    networks = initial_parameters(architecture, range(3), QUICK, 1, "test")
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    kept = x.clone()
    plain = from_module(nn.Sequential(nn.ReLU(), nn.Linear(4, 3)), (4,))
    assert torch.equal(predict(architecture, networks, x), predict(plain, networks, x))
    shifted = from_module(Shift(), (4,))
    logits = predict(shifted, {"head.weight": torch.ones(2, 3, 4)}, x)
    assert torch.equal(logits[0], logits[1]) and torch.equal(x, kept)


class Shift(nn.Module):
    """Adds one to its items, where they are."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x += 1
        out: torch.Tensor = self.head(x)
        return out


class Broken(nn.Linear):
    """A layer whose reset needs what it is not given."""

    def reset_parameters(self, scale: float = 0.0) -> None:
        if scale == 0:
            raise ValueError("a scale is needed")


def test_modules_that_cannot_be_used_are_one_sentence() -> None:
    lazy, item = nn.Sequential(nn.LazyLinear(3)), (4,)
    broken = nn.Linear(4, 3)
    broken.__class__ = Broken
    no_values = nn.Sequential(Gain(), nn.Flatten()).to("meta")
    for module, shape, message in (
        (lazy, item, "0.weight has no shape yet"),
        (broken, item, "a scale is needed"),
        (no_values, (8, 1, 1), "0.weight has no value"),
        ("resnet", item, "not of str"),
        (nn.Flatten(), item, "Flatten has no parameters"),
        (torch.jit.script(nn.Linear(4, 3)), item, "torch.jit"),
        (nn.Linear(4, 3), 4, "item is 4"),
    ):
        with pytest.raises(ArchitectureProblem, match=message):
            from_module(module, shape)  # type: ignore[arg-type]
    for whole, message in (
        (nn.Linear(5, 3), r"cannot read items of shape \(4,\)"),
        (nn.Sequential(nn.Linear(4, 3), nn.Flatten(0)), "logits"),
        (nn.GRU(4, 3), "tuple"),
    ):
        architecture = from_module(whole, item)
        networks = initial_parameters(architecture, [0], QUICK, 1, "test")
        with pytest.raises(ArchitectureProblem, match=message):
            predict(architecture, networks, np.zeros((2, 4), np.float32))


class Overwritten(nn.Module):
    """Changes what its gradient needs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x.exp()
        h[:, 0] = 0
        return h


def test_modules_that_cannot_be_trained_are_one_sentence_before_the_first_step() -> None:
    for module, kind, message in (
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(64, 10)), TrainProblem, "dropout"),
        (nn.Linear(64, 10).requires_grad_(False), TrainProblem, "weight of module is frozen"),
        (nn.Linear(64, 5), ItemProblem, "no class of networks with 5 outputs"),
        (nn.Linear(64, 1), TrainProblem, "has one output, .* digits has 10 classes"),
        (nn.Sequential(nn.Linear(64, 8), Overwritten(), nn.Linear(8, 10)), TrainProblem, "inplace"),
    ):
        with pytest.raises(kind, match=message):
            train_block(from_module(module, (64,)), DIGITS, [0], QUICK, 1, "test")
    with pytest.raises(ArchitectureProblem, match="2 initializations are given for 3"):
        generators = [torch_generator(k, "test") for k in range(3)]
        build(SMALL["vit"], (1, 8, 8), 10).initialize(generators, ["torch", "normal"])


def test_shipped_architectures_start_from_the_bytes_they_always_started_from() -> None:
    digest = hashlib.blake2b(digest_size=8)
    for settings in SMALL.values():
        architecture = build(settings, (1, 8, 8), 10)
        for tensor in architecture.initialize([torch_generator(3, "test")]).values():
            digest.update(tensor.numpy().tobytes())
    assert digest.hexdigest() == "14443eee55aa6a91"


class Remembering(nn.Module):
    """A layer that keeps what it once computed of its weights, and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 10)
        self.norm: torch.Tensor | None = None
        self.calls: torch.Tensor
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.norm is None:
            self.norm = self.layer.weight.norm()
        out: torch.Tensor = self.layer(x) / self.norm
        return out


def test_what_a_module_keeps_of_one_network_is_forgotten_before_the_next() -> None:
    architecture = from_module(Remembering(), (64,))
    networks = initial_parameters(architecture, range(3), QUICK, 1, "test")
    x = torch.as_tensor(DIGITS.test_x)
    heard = predict(architecture, networks, x)
    for k in range(3):
        module = Remembering()
        module.load_state_dict(architecture.state_dict({n: t[k] for n, t in networks.items()}))
        with torch.no_grad():
            torch.testing.assert_close(heard[k], module(x), rtol=1e-5, atol=1e-6)
    double = {name: tensor.double() for name, tensor in networks.items()}
    assert predict(architecture, double, x).dtype == torch.float64
    assert torch.equal(predict(architecture, networks, x), heard)
    assert architecture.constants["calls"] == 0
    assert (train_block(architecture, DIGITS, [0, 1], QUICK, 1, "test").members == [0, 1]).all()


def test_networks_of_one_architecture_speak_as_they_do_alone_in_threads() -> None:
    architecture = from_module(
        nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), (64,)
    )
    networks = initial_parameters(architecture, range(8), QUICK, 1, "test")
    alone = predict(architecture, networks, DIGITS.test_x)

    def heard(k: int) -> torch.Tensor:
        one = {name: tensor[k : k + 1] for name, tensor in networks.items()}
        return predict(architecture, one, DIGITS.test_x)[0]

    with ThreadPoolExecutor(4) as pool:
        for k, said in zip([*range(8)] * 20, pool.map(heard, [*range(8)] * 20), strict=True):
            assert torch.equal(said, alone[k])
