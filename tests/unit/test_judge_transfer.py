from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import savemat

from nodeflow.datasets import load_dataset
from nodeflow.judge.schemas import TRANSFER
from nodeflow.judge.transfer import TransferProblem, TransferSettings, transfer
from nodeflow.seeds import torch_generator
from nodeflow.stack import StackProblem
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.predict import StatisticsProblem
from nodeflow.zoo.store import Block
from nodeflow.zoo.train import Fresh, TrainSettings, train_block


def test_trained_networks_start_ahead_on_their_own_task_only(tmp_path: Path) -> None:
    dataset = load_dataset("digits")
    architecture = classifier(dataset, [16])
    training = TrainSettings(epochs=8)
    members = train_block(architecture, dataset, range(3), training, 1, "z")
    start = Fresh(architecture, np.arange(3), training, 1, "z")
    settings = TransferSettings((0, 2), 3)
    tasks = {"same": dataset, "inverted": load_dataset("digits:inverted")}
    table = transfer(architecture, {"held-out": members, "initialization": start}, tasks,
                     settings, 1, ("t",))  # fmt: skip
    write_table(tmp_path / "t.parquet", table, TRANSFER, {})
    assert len(table) == 2 * 2 * 2 * 3
    mean = table.groupby(["task", "set", "epochs"])["accuracy"].mean()
    assert mean["same", "held-out", 0] > mean["same", "initialization", 0] + 0.4
    assert mean["inverted", "held-out", 0] < 0.5
    for task in tasks:
        for name in ("held-out", "initialization"):
            assert mean[task, name, 2] > mean[task, name, 0]
    alone = transfer(
        architecture,
        {"held-out": members.take([0])},
        tasks, settings, 1, ("t",),
    )  # fmt: skip
    first = table[(table["set"] == "held-out") & (table["index"] == 0)]
    assert np.allclose(alone["loss"], first["loss"], rtol=1e-4)
    assert all(torch.isfinite(tensor).all() for tensor in members.parameters.values())


def colour_files(folder: Path) -> dict[str, Path]:
    """CIFAR-10, CIFAR-100, STL-10 and SVHN in their true formats, a few random images each."""
    rng, homes = np.random.default_rng(0), {}
    for name in ("cifar10", "cifar100", "stl10", "svhn"):
        homes[name] = folder / name
        homes[name].mkdir()

    def images(count: int, *shape: int) -> np.ndarray:
        return rng.integers(0, 256, (count, *shape), dtype=np.uint8)

    for name, files, heads in (
        ("cifar10", [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"], (10,)),
        ("cifar100", ["train", "test"], (20, 100)),
    ):
        for file in files:
            rows = images(60 if file == "train" else 12, len(heads) + 3072)
            for column, classes in enumerate(heads):
                rows[:, column] %= classes
            (homes[name] / f"{file}.bin").write_bytes(rows.tobytes())
    for half in ("train", "test"):
        (homes["stl10"] / f"{half}_X.bin").write_bytes(images(12, 3 * 96 * 96).tobytes())
        (homes["stl10"] / f"{half}_y.bin").write_bytes((1 + images(12) % 10).tobytes())
        found = {"X": images(32, 32, 3, 12), "y": 1 + images(12, 1) % 10}
        savemat(homes["svhn"] / f"{half}_32x32.mat", found)
    return homes


def test_networks_of_cifar_learn_every_data_set_of_their_shape(tmp_path: Path) -> None:
    homes = colour_files(tmp_path)
    data = {name: load_dataset(name, home) for name, home in homes.items()}
    architecture = build({"kind": "small_cnn", "widths": [2, 2, 2], "hidden": 4}, (3, 32, 32), 10)
    training = TrainSettings(epochs=1, batch_size=8)
    block = train_block(architecture, data["cifar10"], range(2), training, 1, "z")
    tasks = {name: data[name] for name in ("stl10", "svhn", "cifar100")}
    bare = Block(block.members, block.parameters)
    sets = {"generated": bare, "held-out": block}
    settings = TransferSettings((0, 1), 2, batch_size=8)
    table = transfer(
        architecture, sets, tasks, settings, 1, ("t",), calibration=data["cifar10"].train_x
    )
    assert len(table) == 3 * 2 * 2 * 2 and np.isfinite(table["loss"]).all()
    start = table[table["epochs"] == 0].groupby("task")["loss"].mean()
    # A fresh last layer for 100 classes knows nothing of them; that of 10 is kept.
    assert start["cifar100"] > np.log(100) - 1
    with pytest.raises(StatisticsProblem, match="measured on"):
        transfer(architecture, {"generated": bare}, tasks, settings, 1, ("t",))


def test_what_networks_cannot_read_is_refused_in_one_line() -> None:
    iris, digits = load_dataset("iris"), load_dataset("digits")
    architecture = classifier(iris, [4])
    start = Fresh(architecture, np.arange(2), TrainSettings(), 1, "z")
    with pytest.raises(TransferProblem, match="read 4 numbers cannot learn the task digits"):
        transfer(architecture, {"a": start}, {"digits": digits}, TransferSettings(), 1, ("t",))
    bare: Any = architecture.initialize([torch_generator(1, "test")])
    with pytest.raises(StackProblem, match="set a are given as dict"):
        transfer(architecture, {"a": bare}, {"iris": iris}, TransferSettings(), 1, ("t",))
