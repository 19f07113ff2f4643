from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from nodeflow.datasets import load_dataset
from nodeflow.seeds import derive_seed, torch_generator
from nodeflow.zoo.architectures import ArchitectureProblem, build, from_module
from nodeflow.zoo.predict import evaluate, predict
from nodeflow.zoo.train import TrainProblem, TrainSettings, train_block

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
