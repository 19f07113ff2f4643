"""The way of members through their training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nodeflow.datasets import Dataset
from nodeflow.seeds import derive_seed
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.settings import TrainSettings
from nodeflow.zoo.train import Trainees

__all__ = ["training_paths"]


@one_thread_if_small
def training_paths(
    states: int,
    architecture: Architecture,
    dataset: Dataset,
    members: Sequence[int] | np.ndarray,
    settings: TrainSettings,
    root_seed: int,
    zoo: str,
) -> Tensor:
    """Train members of a zoo once more, on the CPU, and keep where they were on the way.

    Args:
        states: how many to keep, at equal numbers of steps as nearly as can be; the first is where
            they start, the last where they end, at least two.
        architecture: as of `nodeflow.zoo.train.train_block`, like all that follow.
        dataset: see there.
        members: see there.
        settings: see there.
        root_seed: see there.
        zoo: see there.

    Returns:
        float32 tensor of shape (states, K, D), networks flat in the order of the architecture. The
        last are those after all epochs, also where members keep the best epoch.
    """
    ids = [int(member) for member in members]
    seeds = [derive_seed(root_seed, "zoo member", zoo, member) for member in ids]
    trainees = Trainees(architecture, ids, seeds, settings, torch.device("cpu"))
    x, y = torch.as_tensor(dataset.train_x), torch.as_tensor(dataset.train_y)
    steps = settings.epochs * len(trainees.starts(len(y)))
    wanted = np.linspace(0, steps, states).round().astype(int).tolist()
    kept: list[Tensor] = []
    done = 0

    def keep() -> None:
        if done not in wanted:
            return
        rows = [trainees.parameters[name].detach().flatten(1) for name in architecture.shapes]
        now = torch.cat(rows, dim=1)[: len(ids)]
        kept.extend([now] * wanted.count(done))

    def after() -> None:
        nonlocal done
        done += 1
        keep()

    keep()
    for _ in range(settings.epochs):
        trainees.step_through(x, y, after)
    return torch.stack(kept)
