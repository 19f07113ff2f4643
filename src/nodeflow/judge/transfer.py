"""Transfer: how fast networks learn a changed task, beside fresh initializations.

Tasks are data sets with items of the same shape: the one that networks were trained on, seen
another way, or another one. Where it has another number of classes, the tensors that this gives
another shape start anew. Labels keep their numbers, whatever they stand for. All networks of a set
take each step together, as in a zoo.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.datasets import Dataset
from nodeflow.optimizers import Adam
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator
from nodeflow.zoo.architectures import Architecture, build
from nodeflow.zoo.loss import cross_entropies
from nodeflow.zoo.predict import evaluate, recalibrated

__all__ = ["TransferProblem", "TransferSettings", "transfer"]

_CPU = torch.device("cpu")
_CALIBRATION = 1000


class TransferProblem(Problem):
    """A transfer that cannot be measured; the text says why."""


@dataclass(frozen=True)
class TransferSettings:
    """What is measured, and how networks are trained on.

    Attributes:
        epochs: when to test; 0 is before any training.
        networks: how many of each set.
        batch_size: items in a step.
        learning_rate: of Adam, constant.
    """

    epochs: tuple[int, ...] = (0, 1, 2, 5)
    networks: int = 50
    batch_size: int = 64
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        if min(self.epochs, default=-1) < 0 or min(self.networks, self.batch_size) < 1:
            raise TransferProblem(
                f"transfer has epochs {list(self.epochs)}, networks {self.networks}, batch_size "
                f"{self.batch_size}; they must be at least 0, 1 and 1."
            )


def transfer(
    architecture: Architecture,
    sets: Mapping[str, Mapping[str, Tensor]],
    tasks: Mapping[str, Dataset],
    settings: TransferSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    calibration: np.ndarray | None = None,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Train networks of each set on each task and test them on the way.

    Network i of every set sees the items of a task in the same order. Networks with batch
    normalization that come without running statistics start with those measured on calibration
    items.

    Args:
        architecture: of all networks.
        sets: name → stacked parameters (K, …); the first `settings.networks` of each count.
        tasks: name → data set to train on and to be tested on.
        settings: what to measure.
        root_seed: the run's root seed.
        labels: what names this measurement; orders of items follow from (root_seed, *labels), and
            so do tensors that start anew.
        calibration: items that running statistics are measured on, if some are missing: training
            items of what networks were trained on.
        device: where to train.

    Returns:
        Rows with the columns of `TRANSFER`.

    Raises:
        TransferProblem: networks cannot read the items of a task; running statistics and items to
            measure them on are both missing.
    """
    rows = []
    for task, dataset in tasks.items():
        train_x = torch.as_tensor(dataset.train_x, device=device)
        train_y = torch.as_tensor(dataset.train_y, device=device)
        wanted = _fitted(architecture, dataset, task)
        for name, networks in sets.items():
            some = {n: t[: settings.networks].clone().to(device) for n, t in networks.items()}
            if set(architecture.statistics) - set(some):
                if calibration is None:
                    raise TransferProblem(
                        f"networks of {name} come without running statistics; give items that "
                        "they can be measured on."
                    )
                items = calibration[:_CALIBRATION]
                some |= recalibrated(architecture, some, items, device)
            fresh = _heads(architecture, wanted, some, (root_seed, *labels, task))
            now = {n: fresh[n].to(device) if n in fresh else some[n] for n in wanted.shapes}
            statistics = {name: some[name].to(device) for name in architecture.statistics}
            count = len(next(iter(now.values())))
            orders = [
                torch_generator(root_seed, "transfer", *labels, task, k) for k in range(count)
            ]
            optimizer = Adam(t.requires_grad_() for t in now.values())
            for epoch in range(max(settings.epochs) + 1):
                if epoch in settings.epochs:
                    loss, accuracy = evaluate(
                        wanted,
                        {n: t.detach() for n, t in (now | statistics).items()},
                        dataset.test_x,
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
                _epoch(wanted, now, statistics, optimizer, train_x, train_y, orders, settings)
    return pd.concat(rows, ignore_index=True)


def _fitted(architecture: Architecture, dataset: Dataset, task: str) -> Architecture:
    """The architecture with as many classes as a task has."""
    features = math.prod(architecture.item)
    if dataset.train_x.shape[1] != features or dataset.train_y.dtype.kind not in "iu":
        raise TransferProblem(
            f"networks that read {features} numbers cannot learn the task {task}, whose items have "
            f"{dataset.train_x.shape[1]}, or whose labels are no classes; choose another task."
        )
    recipe = architecture.recipe
    if recipe.get("classes", dataset.classes) == dataset.classes:
        return architecture
    return build(recipe["settings"], recipe["item"], dataset.classes)


def _heads(
    architecture: Architecture,
    wanted: Architecture,
    networks: Mapping[str, Tensor],
    names: tuple[int | str | float, ...],
) -> dict[str, Tensor]:
    """Fresh tensors of each network where its own have another shape than a task's."""
    other = [n for n, shape in wanted.shapes.items() if tuple(architecture.shapes[n]) != shape]
    if not other:
        return {}
    root_seed, *labels = names
    count = len(next(iter(networks.values())))
    generators = [
        torch_generator(int(root_seed), "transfer head", *labels, k) for k in range(count)
    ]
    start = wanted.initialize(generators)
    return {name: start[name] for name in other}


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
