"""Transfer: how fast networks learn a changed task, beside fresh initializations.

Tasks are the items of a data set seen another way, with the same classes. All networks of
a set take each step together, as in a zoo.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.datasets import Dataset
from nodeflow.optimizers import Adam
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.loss import cross_entropies
from nodeflow.zoo.predict import evaluate, recalibrated

__all__ = ["TASKS", "TransferProblem", "TransferSettings", "changed_task", "transfer"]

_CPU = torch.device("cpu")
_CALIBRATION = 1000


class TransferProblem(Problem):
    """A transfer that cannot be measured; the text says why."""


TASKS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "same": lambda items: items,
    "inverted": lambda items: 1 - items,
    "rotated": lambda items: np.rot90(_images(items), axes=(1, 2)).reshape(items.shape),
}
"""Items (n, features) → items: as they are, dark for light, turned by 90° (square images only)."""


@dataclass(frozen=True)
class TransferSettings:
    """What is measured, and how networks are trained on.

    Attributes:
        tasks: names from `TASKS`.
        epochs: when to test; 0 is before any training.
        networks: how many of each set.
        batch_size: items in a step.
        learning_rate: of Adam, constant.
    """

    tasks: tuple[str, ...] = ("inverted", "rotated")
    epochs: tuple[int, ...] = (0, 1, 2, 5)
    networks: int = 50
    batch_size: int = 64
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        unknown = sorted(set(self.tasks) - set(TASKS))
        if unknown:
            raise TransferProblem(
                f"There is no task {', '.join(unknown)}; choose from {', '.join(TASKS)}."
            )
        if min(self.epochs, default=-1) < 0 or min(self.networks, self.batch_size) < 1:
            raise TransferProblem(
                f"transfer has epochs {list(self.epochs)}, networks {self.networks}, batch_size "
                f"{self.batch_size}; they must be at least 0, 1 and 1."
            )


def changed_task(items: np.ndarray, task: str) -> np.ndarray:
    """Items (n, features) of a task.

    Raises:
        TransferProblem: the items are to be turned and are no square images.
    """
    return np.ascontiguousarray(TASKS[task](items), dtype=np.float32)


def _images(items: np.ndarray) -> np.ndarray:
    """Flat items (n, side²) as images (n, side, side)."""
    side = math.isqrt(items.shape[1])
    if side**2 != items.shape[1]:
        raise TransferProblem(
            f"items of {items.shape[1]} numbers are no square images and cannot be rotated; "
            "choose other tasks in flow.transfer.tasks, or other flows."
        )
    return items.reshape(-1, side, side)


def transfer(
    architecture: Architecture,
    sets: Mapping[str, Mapping[str, Tensor]],
    dataset: Dataset,
    settings: TransferSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Train networks of each set on each task and test them on the way.

    Network i of every set sees the items of a task in the same order. Networks with batch
    normalization that come without running statistics start with those measured on training items
    of the data set.

    Args:
        architecture: of all networks.
        sets: name → stacked parameters (K, …); the first `settings.networks` of each count.
        dataset: tasks change its training and its test items.
        settings: what to measure.
        root_seed: the run's root seed.
        labels: what names this measurement; orders of items follow from (root_seed, *labels).
        device: where to train.

    Returns:
        Rows with the columns of `TRANSFER`.
    """
    rows = []
    for task in settings.tasks:
        train_x = torch.as_tensor(changed_task(dataset.train_x, task), device=device)
        train_y = torch.as_tensor(dataset.train_y, device=device)
        test_x = changed_task(dataset.test_x, task)
        for name, networks in sets.items():
            some = {n: t[: settings.networks].clone().to(device) for n, t in networks.items()}
            if set(architecture.statistics) - set(some):
                items = dataset.train_x[:_CALIBRATION]
                some |= recalibrated(architecture, some, items, device)
            now = {name: some[name] for name in architecture.shapes}
            statistics = {name: some[name].to(device) for name in architecture.statistics}
            count = len(next(iter(now.values())))
            orders = [
                torch_generator(root_seed, "transfer", *labels, task, k) for k in range(count)
            ]
            optimizer = Adam(t.requires_grad_() for t in now.values())
            for epoch in range(max(settings.epochs) + 1):
                if epoch in settings.epochs:
                    loss, accuracy = evaluate(
                        architecture,
                        {n: t.detach() for n, t in (now | statistics).items()},
                        test_x,
                        dataset.test_y,
                        device,
                    )
                    rows.append(
                        pd.DataFrame(
                            {
                                "task": task,
                                "set": name,
                                "index": np.arange(count),
                                "epochs": epoch,
                                "accuracy": accuracy,
                                "loss": loss,
                            }
                        )
                    )
                _epoch(
                    architecture, now, statistics, optimizer, train_x, train_y, orders, settings
                )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def _epoch(
    architecture: Architecture,
    networks: Mapping[str, Tensor],
    statistics: Mapping[str, Tensor],
    optimizer: Adam,
    x: Tensor,
    y: Tensor,
    orders: Sequence[torch.Generator],
    settings: TransferSettings,
) -> None:
    """One pass of all networks, each in its own order."""
    order = torch.stack([torch.randperm(len(y), generator=g) for g in orders]).to(x.device)
    for start in range(0, len(y), settings.batch_size):
        batch = order[:, start : start + settings.batch_size]
        logits = architecture.forward_training(networks, statistics, x[batch])
        losses = cross_entropies(logits, y[batch]).mean(dim=1)
        optimizer.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step(settings.learning_rate)
