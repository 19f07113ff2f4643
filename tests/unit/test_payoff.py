"""What networks cost is their share of the jobs that made them; who pays for what follows."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nodeflow.datasets import load_dataset
from nodeflow.figures.speed import draw_payoff
from nodeflow.figures.style import drawing, save
from nodeflow.payoff import PAYOFF, compare_payoff, cost_of_each
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.schemas import ZOO_EPOCHS
from nodeflow.zoo.shorter import epochs_up_to, train_shorter
from nodeflow.zoo.train import TrainSettings, train_block, train_block_after

RUNTIME = pd.DataFrame(
    [
        ("train_zoo", "digits/raw/block~0", 30.0, 60.0),
        ("train_zoo", "digits/raw/block~1", 10.0, 20.0),
        ("sample_flow", "f/raw/capacity~8", 2.0, math.nan),
        ("train_flow", "f/raw/capacity~8", 50.0, 95.0),
        ("draw_zoo", "all", 9.0, 9.0),
    ],
    columns=["rule", "job", "seconds", "cpu_seconds"],
)
MADE: list[dict[str, Any]] = [
    {
        "name": "training", "zoo": "digits", "networks": 200,
        "jobs": [["train_zoo", f"digits/raw/block~{k}"] for k in (0, 1)],
    },
    {
        "name": "f: descent", "zoo": "digits", "networks": 100, "flow": "f", "alignment": "raw",
        "capacity": 8, "jobs": [["sample_flow", "f/raw/capacity~8"]],
        "once": [["train_flow", "f/raw/capacity~8"]],
    },
]  # fmt: skip
EPOCHS = pd.DataFrame(
    {"zoo": "digits", "epochs": [0, 0, 4, 4, 8, 8], "accuracy": [0.0, 0.2, 0.7, 0.9, 0.9, 1.0]}
)
SUMMARY = pd.DataFrame(
    {
        "flow": "f",
        "alignment": "raw",
        "capacity": 8,
        "set": ["zoo", "generated"],
        "accuracy": [1, 0.93],
    }
)


def test_a_network_costs_its_share_of_its_jobs() -> None:
    table = cost_of_each(RUNTIME, MADE, "seconds").set_index("name")
    assert table["each"].to_dict() == pytest.approx({"training": 0.2, "f: descent": 0.02})
    assert table["once"].to_dict() == {"training": 0.0, "f: descent": 50.0}


def test_generating_pays_from_where_its_line_crosses_that_of_training() -> None:
    table = compare_payoff(RUNTIME, MADE, EPOCHS, SUMMARY).set_index("networks")
    # A member takes 0.4 s of processor time, a generated network 0.02 s, and the fit 95 s.
    assert (table["pays_from"] == 250).all()
    dearer = table["generating_cpu"] >= table["training_cpu"]
    assert dearer.to_dict() == {10**k: k < 3 for k in range(7)}
    assert table["generating_cpu"][1000] == pytest.approx(95 + 20)
    # 115 s train 1,000 networks for 8 · 115 / 400 = 2.3 epochs each.
    assert table["epochs"][1000] == pytest.approx(2.3)
    assert table["trained_accuracy"][1000] == pytest.approx(0.1 + 0.7 * 2.3 / 4)
    assert table["epochs"][100] == 8 and table["trained_accuracy"][100] == pytest.approx(0.95)
    assert (table["generated_accuracy"] == 0.93).all()


def test_each_flow_is_compared_with_the_training_of_its_own_zoo() -> None:
    dear = {"name": "training", "zoo": "fashion", "networks": 2, "jobs": MADE[0]["jobs"]}
    pd.testing.assert_frame_equal(
        compare_payoff(RUNTIME, [MADE[0], dear, MADE[1]], EPOCHS, SUMMARY),
        compare_payoff(RUNTIME, MADE, EPOCHS, SUMMARY),
    )


def test_a_network_that_is_dearer_than_a_trained_one_never_pays(tmp_path: Path) -> None:
    slow = RUNTIME.assign(cpu_seconds=RUNTIME["cpu_seconds"].fillna(100.0))
    table = compare_payoff(slow, MADE, EPOCHS, SUMMARY)
    assert np.isinf(table["pays_from"]).all() and (table["epochs"] == 8).all()
    write_table(tmp_path / "payoff.parquet", table, PAYOFF, {})
    both = pd.concat([table, compare_payoff(RUNTIME, MADE, EPOCHS, SUMMARY)])
    with drawing():
        save(draw_payoff(both), tmp_path / "p.png", tmp_path / "p.pdf")


def test_members_that_are_trained_for_less_are_those_of_the_zoo(tmp_path: Path) -> None:
    assert epochs_up_to(15) == [0, 1, 2, 4, 8, 15] and epochs_up_to(1) == [0, 1]
    dataset, settings = load_dataset("iris"), TrainSettings(epochs=6, batch_size=16)
    architecture = classifier(dataset, [8])
    table = train_shorter(architecture, dataset, [3, 5], settings, 1, "z")
    write_table(tmp_path / "epochs.parquet", table, ZOO_EPOCHS, {})
    whole = train_block(architecture, dataset, [3, 5], settings, 1, "z").metrics
    last = table[table["epochs"] == 6]
    assert last["accuracy"].tolist() == whole["test_accuracy"].tolist()
    assert last["member"].tolist() == [3, 5] and len(table) == 10
    losses = table.groupby("epochs")["loss"].mean()
    assert losses.is_monotonic_decreasing


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("learning_rate", [0.05, 1e20])
def test_members_after_some_epochs_are_those_that_are_trained_for_as_many(
    keep: str, learning_rate: float
) -> None:
    """To the last bit; at the second learning rate none is finite after the last epoch."""
    dataset = load_dataset("iris")
    settings = TrainSettings(epochs=5, batch_size=16, keep=keep, learning_rate=learning_rate)
    given = classifier(dataset, [8]), dataset, [3, 5]
    after = train_block_after([1, 2, 5], *given, settings, 1, "z")
    assert list(after) == [1, 2, 5]
    for epochs, block in after.items():
        alone = train_block(*given, replace(settings, epochs=epochs), 1, "z")
        pd.testing.assert_frame_equal(block.metrics, alone.metrics)
        for name, tensor in alone.parameters.items():
            assert torch.equal(block.parameters[name], tensor)


def test_networks_with_statistics_are_measured_before_they_are_trained() -> None:
    dataset, settings = load_dataset("digits").first(64), TrainSettings(epochs=1, batch_size=16)
    resnet = build({"kind": "resnet", "widths": [2], "blocks": [1]}, (1, 8, 8), 10)
    table = train_shorter(resnet, dataset, [0, 1], settings, 1, "z")
    assert table["epochs"].tolist() == [0, 0, 1, 1] and np.isfinite(table["loss"]).all()
