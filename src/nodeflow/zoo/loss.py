"""The loss of every network on every item."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

__all__ = ["cross_entropies"]


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax cross-entropy in nats.

    Args:
        logits: shape (K, B, classes).
        labels: int64, shape (B,) if all networks see the same items, or (K, B).

    Returns:
        Shape (K, B).
    """
    # A softmax over the few classes runs several times faster along an axis that is not the last.
    classes_second = logits.transpose(1, 2).contiguous()
    return cross_entropy(classes_second, labels.expand(logits.shape[:2]), reduction="none")
