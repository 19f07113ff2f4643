"""How good networks are that are trained for fewer epochs: what less computing buys."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch

from nodeflow.datasets import Dataset
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.predict import evaluate, with_statistics
from nodeflow.zoo.settings import TrainSettings
from nodeflow.zoo.train import initial_parameters, train_block_after

__all__ = ["epochs_up_to", "train_shorter"]

_CPU = torch.device("cpu")


def epochs_up_to(epochs: int) -> list[int]:
    """No epoch, the powers of two below `epochs`, and `epochs` itself."""
    powers = [2**k for k in range(epochs.bit_length()) if 2**k < epochs]
    return [0, *powers, epochs]


def train_shorter(
    architecture: Architecture,
    dataset: Dataset,
    members: Sequence[int],
    settings: TrainSettings,
    root_seed: int,
    zoo: str,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Test members of a zoo as they were after fewer epochs; see `train_block_after`.

    Each is the member itself as it was after so many epochs, or the better one before that its
    validation items chose, if the settings ask for the best.

    Args:
        architecture: of all members.
        dataset: as of `train_block`; what is measured is measured on test items.
        members: their numbers in the zoo.
        settings: how its members are trained.
        root_seed: the run's root seed.
        zoo: name of the zoo.
        device: where to train.

    Returns:
        One row per number of epochs and member that did not fail, columns of `ZOO_EPOCHS`. Of no
        epoch: networks as they start, running statistics measured on training items.
    """
    start = initial_parameters(architecture, members, settings, root_seed, zoo)
    whole = with_statistics(architecture, start, dataset.train_x, device)
    loss, accuracy = evaluate(architecture, whole, dataset.test_x, dataset.test_y, device)
    rows = {"epochs": 0, "member": list(members), "accuracy": accuracy, "loss": loss}
    tables = [pd.DataFrame(rows)]
    asked = epochs_up_to(settings.epochs)[1:]
    blocks = train_block_after(
        asked, architecture, dataset, members, settings, root_seed, zoo, device
    )
    for epochs, block in blocks.items():
        good = block.metrics[block.metrics["status"] == "ok"]
        found = good[["member", "test_accuracy", "test_loss"]]
        named = found.rename(columns=lambda name: name.removeprefix("test_"))
        tables.append(named.assign(epochs=epochs))
    return pd.concat(tables, ignore_index=True)[["epochs", "member", "accuracy", "loss"]]
