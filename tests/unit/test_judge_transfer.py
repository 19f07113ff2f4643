from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nodeflow.datasets import load_dataset
from nodeflow.judge.store import TRANSFER
from nodeflow.judge.transfer import (
    TransferProblem,
    TransferSettings,
    changed_task,
    transfer,
)
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import classifier
from nodeflow.zoo.train import TrainSettings, initial_parameters, train_block


def test_tasks_change_images_and_nothing_else() -> None:
    images = np.random.default_rng(0).random((5, 16)).astype(np.float32)
    assert (changed_task(images, "same") == images).all()
    assert np.allclose(changed_task(changed_task(images, "inverted"), "inverted"), images)
    turned = changed_task(images, "rotated")
    assert (turned.reshape(5, 4, 4)[:, 0, :] == images.reshape(5, 4, 4)[:, :, -1]).all()
    for _ in range(3):
        turned = changed_task(turned, "rotated")
    assert (turned == images).all()
    with pytest.raises(TransferProblem, match="square"):
        changed_task(images[:, :10], "rotated")
    with pytest.raises(TransferProblem, match="no task"):
        TransferSettings(tasks=("upside_down",))


def test_trained_networks_start_ahead_on_their_own_task_only(tmp_path: Path) -> None:
    dataset = load_dataset("digits")
    architecture = classifier(dataset, [16])
    training = TrainSettings(epochs=8)
    members = train_block(architecture, dataset, range(3), training, 1, "z").parameters
    start = initial_parameters(architecture, range(3), training, 1, "z")
    settings = TransferSettings(("same", "inverted"), (0, 2), 3)
    table = transfer(architecture, {"held-out": members, "initialization": start}, dataset,
                     settings, 1, ("t",))  # fmt: skip
    write_table(tmp_path / "t.parquet", table, TRANSFER, {})
    assert len(table) == 2 * 2 * 2 * 3
    mean = table.groupby(["task", "set", "epochs"])["accuracy"].mean()
    assert mean["same", "held-out", 0] > mean["same", "initialization", 0] + 0.4
    assert mean["inverted", "held-out", 0] < 0.5
    for task in settings.tasks:
        for name in ("held-out", "initialization"):
            assert mean[task, name, 2] > mean[task, name, 0]
    alone = transfer(
        architecture,
        {"held-out": {name: tensor[:1] for name, tensor in members.items()}},
        dataset, settings, 1, ("t",),
    )  # fmt: skip
    first = table[(table["set"] == "held-out") & (table["index"] == 0)]
    assert np.allclose(alone["loss"], first["loss"], rtol=1e-4)
    assert all(torch.isfinite(tensor).all() for tensor in members.values())
