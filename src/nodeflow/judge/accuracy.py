"""How right networks are: accuracy, loss, calibration, and the ensemble of them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodeflow.tensors import TensorProblem
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.predict import as_labels, check_labels, predict

__all__ = [
    "Assessment",
    "assess",
    "assess_each",
    "assess_logits",
    "calibration_error",
    "unassessed",
]

_CPU = torch.device("cpu")
_BINS = 15
_TOGETHER = 64


@dataclass(frozen=True)
class Assessment:
    """What K classifiers do on n labelled items. A network with a non-finite logit has failed.

    Attributes:
        accuracy: (K,) share of items classified correctly; NaN if failed.
        loss: (K,) mean cross-entropy in nats; NaN if failed.
        ece: (K,) expected calibration error; NaN if failed.
        errors: (K, n) bool, which items are classified wrongly; all False if failed.
        ensemble_accuracy: (K,) accuracy of the mean of the predicted probabilities of networks 0
            to k, the failed ones left out; NaN before the first that has not failed.
        ok: (K,) bool, False if failed.
    """

    accuracy: np.ndarray
    loss: np.ndarray
    ece: np.ndarray
    errors: np.ndarray
    ensemble_accuracy: np.ndarray
    ok: np.ndarray


@one_thread_if_small
def assess(
    architecture: Architecture,
    parameters: Mapping[str, Tensor],
    x: np.ndarray,
    y: np.ndarray,
    device: torch.device = _CPU,
) -> Assessment:
    """Evaluate stacked networks on labelled items.

    Args:
        architecture: of all K networks.
        parameters: tensors of shape (K, *shape).
        x: items, (n, features).
        y: classes, (n,) integers.
        device: where to compute the logits.

    Raises:
        TensorProblem, StatisticsProblem, ItemProblem: see `nodeflow.zoo.evaluate`.
    """
    return assess_each(architecture, [parameters], x, y, device)


def assess_each(
    architecture: Architecture,
    stacks: Iterable[Mapping[str, Tensor]],
    x: np.ndarray,
    y: np.ndarray,
    device: torch.device = _CPU,
) -> Assessment:
    """As `assess`, of networks that come in several stacks, one in memory at a time."""
    parts, total = [], None
    for given in stacks:
        stack = architecture.arrange(given)
        for start in range(0, len(next(iter(stack.values()))), _TOGETHER):
            batch = {name: tensor[start : start + _TOGETHER] for name, tensor in stack.items()}
            part, total = assess_logits(predict(architecture, batch, x, device), y, total)
            parts.append(part)
    if not parts:
        raise TensorProblem("There are no networks to assess; give at least one.")
    names = ("accuracy", "loss", "ece", "errors", "ensemble_accuracy", "ok")
    return Assessment(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def unassessed(ok: np.ndarray) -> Assessment:
    """What is known of K networks where there are no items: which of them are finite, (K,) bool."""
    nothing = np.full(len(ok), np.nan)
    return Assessment(nothing, nothing, nothing, np.zeros((len(ok), 0), bool), nothing, ok)


def assess_logits(
    logits: Tensor, y: np.ndarray, total: Tensor | None = None
) -> tuple[Assessment, Tensor]:
    """Judge logits.

    Args:
        logits: (K, n, classes).
        y: classes, (n,) integers.
        total: (n, classes) sum of the probabilities of networks that came before these, for the
            ensemble; none by default.

    Returns:
        The assessment, and `total` with these networks added.
    """
    target = as_labels(y, logits.shape[1])
    check_labels(target, logits.shape[2])
    ok = torch.isfinite(logits).flatten(1).all(dim=1)
    logs = torch.log_softmax(logits.double(), dim=2)
    chances = torch.where(ok[:, None, None], logs.exp(), 0.0)
    sums = chances.cumsum(dim=0) + (0.0 if total is None else total)
    errors = (logits.argmax(dim=2) != target) & ok[:, None]
    confidence = chances.max(dim=2).values
    any_finite = sums.flatten(1).any(dim=1)
    columns = {
        "accuracy": 1 - errors.double().mean(dim=1),
        "loss": -logs.gather(2, target.expand(len(logits), -1)[:, :, None]).mean(dim=(1, 2)),
        "ece": torch.from_numpy(calibration_error(confidence.numpy(), ~errors.numpy())),
    }
    assessment = Assessment(
        **{name: torch.where(ok, value, torch.nan).numpy() for name, value in columns.items()},
        errors=errors.numpy(),
        ensemble_accuracy=torch.where(
            any_finite, (sums.argmax(dim=2) == target).double().mean(dim=1), torch.nan
        ).numpy(),
        ok=ok.numpy(),
    )
    return assessment, sums[-1]


def calibration_error(confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Expected calibration error with 15 bins of equal width (Guo et al. 2017).

    Args:
        confidence: (K, n) probability of the predicted class, in [0, 1].
        correct: (K, n) bool.

    Returns:
        (K,): the mean over items of |mean confidence − accuracy| of the bin an item falls into.
    """
    networks, items = confidence.shape
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    places = bins + _BINS * np.arange(networks)[:, None]
    gaps = np.bincount(
        places.ravel(), weights=(confidence - correct).ravel(), minlength=networks * _BINS
    )
    error: np.ndarray = np.abs(gaps).reshape(networks, _BINS).sum(axis=1) / items
    return error
