"""What stacked networks say about items, and how right they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.loss import cross_entropies

__all__ = ["evaluate", "predict", "predict_labels"]

_CPU = torch.device("cpu")
_ITEMS = 512
"""How many items to take at once: what comes of them fits the cache of a CPU."""


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
        Loss in nats and accuracy in [0, 1], float64 of shape (K,) each. A network whose logits are
        not finite has a loss that is not finite.
    """
    target = torch.as_tensor(y, device=device)
    losses, accuracies = [], []
    for some in _batches(parameters, batch):
        loss = torch.zeros(_members(some), dtype=torch.float64, device=device)
        right = torch.zeros_like(loss)
        for start, logits in zip(
            range(0, len(target), _ITEMS), _logits(architecture, some, x, device), strict=True
        ):
            label = target[start : start + _ITEMS]
            loss += cross_entropies(logits, label).sum(1, dtype=torch.float64)
            right += (logits.argmax(2) == label).sum(1)
        losses.append(loss.cpu() / len(target))
        accuracies.append(right.cpu() / len(target))
    return torch.cat(losses).numpy(), torch.cat(accuracies).numpy()


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
