from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from nodeflow.datasets import Dataset, load_dataset
from nodeflow.seeds import derive_seed, torch_generator
from nodeflow.zoo import architecture
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.predict import evaluate
from nodeflow.zoo.schemas import ZOO_METRICS
from nodeflow.zoo.train import TrainedBlock, TrainProblem, TrainSettings, train_block

ARCHITECTURE = mlp([64, 16, 12, 10])
QUICK = TrainSettings(epochs=2, batch_size=48, learning_rate=3e-3)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits").first(300)  # the last batch of 48 has 12 items


def train(
    data: Dataset,
    members: list[int],
    settings: TrainSettings = QUICK,
    architecture: Architecture = ARCHITECTURE,
    together: int = 32,
    root: int = 5,
    zoo: str = "test",
) -> TrainedBlock:
    return train_block(
        architecture, data, members, settings, root_seed=root, zoo=zoo, together=together
    )


def assert_same(a: TrainedBlock, b: TrainedBlock, member: int) -> None:
    one, two = a.only(member), b.only(member)
    for name in one:
        assert torch.equal(one[name], two[name]), name


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("widths", [[64, 32, 32, 10], [64, 7, 10], [64, 33, 17, 5, 10]])
def test_each_member_is_bit_for_bit_the_one_trained_alone(
    digits: Dataset, widths: list[int], optimizer: str
) -> None:
    settings = replace(QUICK, optimizer=optimizer, weight_decay=0.01)
    architecture = mlp(widths)
    stacked = train(digits, list(range(7)), settings, architecture)
    for member in range(7):
        alone = train(digits, [member], settings, architecture)
        assert_same(stacked, alone, member)
        row = stacked.metrics[member : member + 1].reset_index(drop=True)
        pd.testing.assert_frame_equal(row, alone.metrics, check_exact=True)


def test_members_do_not_depend_on_blocks_or_stacks_or_their_order(digits: Dataset) -> None:
    whole = train(digits, list(range(11)))
    parts = [train(digits, [0, 1, 2, 3]), train(digits, [10, 9, 8, 7, 6, 5, 4], together=3)]
    for member in range(11):
        assert_same(whole, parts[member > 3], member)
    rows = pd.concat([part.metrics for part in parts]).sort_values("member", ignore_index=True)
    pd.testing.assert_frame_equal(rows, whole.metrics, check_exact=True)


def test_stacked_training_is_the_textbook_training_loop(digits: Dataset) -> None:
    settings = TrainSettings(
        epochs=3, batch_size=64, learning_rate=2e-3, weight_decay=0.02, optimizer="adamw"
    )
    block = train(digits, [0, 1, 2], settings)
    x, y = torch.from_numpy(digits.train_x), torch.from_numpy(digits.train_y)
    for member in range(3):
        seed = derive_seed(5, "zoo member", "test", member)
        start = ARCHITECTURE.initialize([torch_generator(seed, "initialize")])
        network = nn.Sequential(
            nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 10)
        )
        for target, source in zip(network.parameters(), start.values(), strict=True):
            target.data.copy_(source[0])
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
        order = torch_generator(seed, "order")
        for _ in range(3):
            for batch in torch.split(torch.randperm(len(y), generator=order), 64):
                optimizer.zero_grad()
                torch.autograd.backward(nn.functional.cross_entropy(network(x[batch]), y[batch]))
                optimizer.step()
        for target, found in zip(network.parameters(), block.only(member).values(), strict=True):
            assert torch.allclose(target, found, atol=2e-6)


def test_streams_differ_by_root_seed_zoo_and_member(digits: Dataset) -> None:
    nets = [
        train(digits, [0]).only(0),
        train(digits, [1]).only(1),
        train(digits, [0], root=6).only(0),
        train(digits, [0], zoo="other").only(0),
    ]
    for i, one in enumerate(nets):
        for other in nets[:i]:
            assert (one["layer0.weight"] - other["layer0.weight"]).abs().mean() > 0.05


def test_best_keeps_the_epoch_with_the_lowest_validation_loss(digits: Dataset) -> None:
    settings = TrainSettings(epochs=6, batch_size=16, learning_rate=2e-2, keep="best")
    best = train(digits, [0, 1, 2], settings)
    losses = []
    for epochs in range(1, 7):
        last = train(digits, [0, 1, 2], replace(settings, epochs=epochs, keep="last"))
        losses.append(last.metrics["validation_loss"].to_numpy())
    assert np.array_equal(best.metrics["validation_loss"], np.min(losses, axis=0))
    assert np.array_equal(best.metrics["epoch"], np.argmin(losses, axis=0) + 1)
    assert (np.argmin(losses, axis=0) < 5).any()  # else "best" would not differ from "last"


def test_test_items_change_nothing_but_the_test_columns(digits: Dataset) -> None:
    settings = replace(QUICK, epochs=3, keep="best")
    noise = np.random.default_rng(0).random(digits.test_x.shape, dtype=np.float32)
    a = train(digits, [0, 1, 2], settings)
    b = train(replace(digits, test_x=noise), [0, 1, 2], settings)
    for member in range(3):
        assert_same(a, b, member)
    same = [c for c in ZOO_METRICS.columns if not c.startswith("test_")]
    assert a.metrics[same].equals(b.metrics[same])
    assert not a.metrics["test_loss"].equals(b.metrics["test_loss"])


def test_metrics_are_those_of_the_stored_weights(digits: Dataset) -> None:
    block = train(digits, [4, 2])
    assert list(block.metrics) == list(ZOO_METRICS.columns)
    assert list(block.metrics["member"]) == [4, 2] == list(block.members)
    assert block.metrics["seed"][1] == derive_seed(5, "zoo member", "test", 2)
    for part in ("train", "validation", "test"):
        loss, accuracy = evaluate(
            ARCHITECTURE,
            block.parameters,
            getattr(digits, f"{part}_x"),
            getattr(digits, f"{part}_y"),
        )
        assert np.array_equal(block.metrics[f"{part}_loss"], loss)
        assert np.array_equal(block.metrics[f"{part}_accuracy"], accuracy)


def test_a_member_that_diverges_is_a_row_and_the_others_survive(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        architecture,
        "INITIALIZATIONS",
        {**architecture.INITIALIZATIONS, "bad": lambda w, i, o, g: w.fill_(torch.inf)},
    )
    settings = replace(QUICK, initializations=("he_uniform", "bad", "normal"))
    block = train(digits, list(range(6)), settings)
    assert list(block.metrics["status"]) == ["ok", "failed", "ok"] * 2
    assert block.metrics["reason"][1] and not block.metrics["reason"][0]
    assert block.metrics["test_accuracy"].isna().tolist() == [False, True, False] * 2
    assert list(block.members) == [0, 2, 3, 5]
    assert list(block.metrics["initialization"][:3]) == ["he_uniform", "bad", "normal"]
    assert_same(block, train(digits, [3], settings), 3)
    nothing = train(digits, [1, 4], settings)
    assert len(nothing) == 0 and list(nothing.metrics["status"]) == ["failed"] * 2
    best = train(digits, [0, 1], replace(settings, keep="best"))
    assert list(best.members) == [0]


def test_digits_are_learned() -> None:
    settings = TrainSettings(epochs=12, batch_size=32)
    block = train(load_dataset("digits"), list(range(8)), settings, mlp([64, 32, 32, 10]))
    assert block.metrics["test_accuracy"].mean() > 0.93
    assert block.metrics["train_accuracy"].mean() > 0.95


def test_settings_that_train_nothing_are_one_line(digits: Dataset) -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": float("nan")},
        {"weight_decay": -1.0},
        {"optimizer": "sgd"},
        {"initializations": ()},
        {"keep": "first"},
    )
    for wrong in wrongs:
        with pytest.raises(TrainProblem):
            TrainSettings(**wrong)
    with pytest.raises(TrainProblem, match="no members"):
        train(digits, [])


def test_a_number_is_learned_by_its_squared_error() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 8)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2]).astype(np.float32)
    data = Dataset(
        "california", x[:200], y[:200], x[200:300], y[200:300], x[300:], y[300:], classes=1
    )
    architecture = mlp([8, 64, 64, 1])
    settings = TrainSettings(epochs=60, batch_size=20, learning_rate=1e-3, keep="best")
    block = train(data, [0, 1], settings, architecture)
    alone = train(data, [1], settings, architecture)
    assert_same(block, alone, 1)
    outputs = architecture.forward(block.parameters, torch.from_numpy(data.test_x))[:, :, 0]
    errors = ((outputs.numpy() - data.test_y) ** 2).mean(1)
    assert np.allclose(block.metrics["test_loss"], errors, rtol=1e-4)
    explained = 1 - errors / data.test_y.var()
    assert np.allclose(block.metrics["test_accuracy"], explained, rtol=1e-4)
    assert (block.metrics["test_accuracy"] > 0.7).all()
