"""What stacked networks say about items, and how right they are."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from nodeflow.problems import Problem
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.loss import losses as losses_of

__all__ = [
    "StatisticsProblem",
    "evaluate",
    "predict",
    "predict_labels",
    "recalibrated",
    "with_statistics",
]

_CPU = torch.device("cpu")


class StatisticsProblem(Problem):
    """Networks that cannot be evaluated for want of running statistics."""


_ITEMS = 512
"""How many items to take at once: what comes of them fits the cache of a CPU."""


@one_thread_if_small
def predict(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device = _CPU,
    batch: int = 64,
) -> Tensor:
    """Logits of K networks on n items.

    Args:
        architecture: of all K networks.
        parameters: tensors of shape (K, *shape).
        x: items that all networks see, shape (n, features).
        device: where to compute.
        batch: how many networks to evaluate at once.

    Returns:
        Logits of shape (K, n, classes), on the CPU.
    """
    return torch.cat(
        [
            torch.cat(list(_logits(architecture, some, x, device)), 1).cpu()
            for some in _batches(parameters, batch)
        ]
    )


@one_thread_if_small
def predict_labels(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device = _CPU,
    batch: int = 64,
) -> Tensor:
    """The most likely class by each network for each item, int64 of shape (K, n); see `predict`."""
    return torch.cat(
        [
            torch.cat([z.argmax(2) for z in _logits(architecture, some, x, device)], 1).cpu()
            for some in _batches(parameters, batch)
        ]
    )


@one_thread_if_small
def evaluate(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    y: np.ndarray | Tensor,
    device: torch.device = _CPU,
    batch: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean cross-entropy and accuracy of K networks on n items.

    Returns:
        Loss in nats and accuracy in [0, 1], float64 of shape (K,) each; where a number is predicted
        the mean squared error and the share of its variance that is explained, R². A network whose
        outputs are not finite has a loss that is not finite.
    """
    target = torch.as_tensor(y, device=device)
    outputs = 0
    losses, accuracies = [], []
    for some in _batches(parameters, batch):
        loss = torch.zeros(_members(some), dtype=torch.float64, device=device)
        right = torch.zeros_like(loss)
        for start, logits in zip(
            range(0, len(target), _ITEMS), _logits(architecture, some, x, device), strict=True
        ):
            label = target[start : start + _ITEMS]
            loss += losses_of(logits, label).sum(1, dtype=torch.float64)
            right += (logits.argmax(2) == label).sum(1)
            outputs = logits.shape[2]
        if outputs == 1:
            right = len(target) - loss / target.double().var(correction=0)
        losses.append(loss.cpu() / len(target))
        accuracies.append(right.cpu() / len(target))
    return torch.cat(losses).numpy(), torch.cat(accuracies).numpy()


@one_thread_if_small
@torch.no_grad()
def recalibrated(
    architecture: Architecture,
    tensors: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device = _CPU,
) -> dict[str, Tensor]:
    """Running statistics of K networks measured anew, over all items as one batch.

    So they are pooled: the variance holds what differs between any parts of the items, as in
    algorithm 1 of Gupta et al. 2026 (arXiv:2601.05052).

    Args:
        architecture: of all networks, with statistics.
        tensors: their parameters, of shape (K, *shape); statistics among them are of no account.
        x: training items, shape (n, features), at least 2.
        device: where to compute.

    Returns:
        Running means and (unbiased) variances, on the CPU.
    """
    assert architecture.module is not None
    module = copy.deepcopy(architecture.module).train()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0  # the statistics are those of the last batch
    parameters = {name: tensors[name].to(device) for name in architecture.shapes}
    items = torch.as_tensor(x).to(device=device, dtype=next(iter(parameters.values())).dtype)
    items = items.reshape(-1, *architecture.item)
    members = _members(tensors)
    found = {n: t.to(items) for n, t in architecture.fresh_statistics(members).items()}
    for k in range(members):
        one = {name: tensor[k] for name, tensor in [*parameters.items(), *found.items()]}
        functional_call(module, one, (items,))
    return {name: tensor.cpu() for name, tensor in found.items()}


def with_statistics(
    architecture: Architecture,
    tensors: Mapping[str, Tensor],
    x: np.ndarray | Tensor | None,
    device: torch.device = _CPU,
) -> dict[str, Tensor]:
    """K networks with running statistics: measured anew if any is missing; see `recalibrated`.

    Raises:
        StatisticsProblem: some are missing, and there are no items.
    """
    if not set(architecture.statistics) - set(tensors):
        return dict(tensors)
    if x is None:
        raise StatisticsProblem(
            "networks come without running statistics; give training items that they can be "
            "measured on."
        )
    return {**tensors, **recalibrated(architecture, tensors, x, device)}


@torch.no_grad()
def _logits(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    device: torch.device,
) -> Iterator[Tensor]:
    here = {name: tensor.to(device) for name, tensor in parameters.items()}
    dtype = next(iter(here.values())).dtype
    # A copy, because torch aligns its memory and numpy does not, and products round accordingly.
    items = torch.as_tensor(x).to(device=device, dtype=dtype, copy=True)
    for start in range(0, len(items), _ITEMS):
        yield architecture.forward(here, items[start : start + _ITEMS])


def _batches(parameters: Mapping[str, Tensor], batch: int) -> Iterator[dict[str, Tensor]]:
    for start in range(0, max(_members(parameters), 1), batch):
        yield {name: tensor[start : start + batch] for name, tensor in parameters.items()}


def _members(parameters: Mapping[str, Tensor]) -> int:
    return next(iter(parameters.values())).shape[0]
