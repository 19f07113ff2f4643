"""The loss of every network on every item."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

__all__ = ["cross_entropies", "losses"]


def losses(outputs: Tensor, targets: Tensor) -> Tensor:
    """What training makes small: softmax cross-entropies, or squared errors of a single output.

    Args:
        outputs: shape (K, B, classes), or (K, B, 1) where a number is predicted.
        targets: classes or numbers, shape (B,) if all networks see the same items, or (K, B).

    Returns:
        Shape (K, B).
    """
    if outputs.shape[2] == 1:
        return (outputs[:, :, 0] - targets).square()
    return cross_entropies(outputs, targets)


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
