"""How the probes of descents are trained: what is optimized, and at which learning rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from nodeflow.flow.descent import DescentField
from nodeflow.flow.methods.descent import DescentSettings
from nodeflow.job import Progress
from nodeflow.optimizers import Adam, cosine

__all__ = ["train_fields"]

_REPORTS = 20
_LAST_LEARNING_RATE = 1e-4
_CLIP = 1.0


def train_fields(
    fields: Sequence[DescentField],
    next_loss: Callable[[], Tensor],
    watch: Callable[[], dict[str, float]],
    settings: DescentSettings,
    steps: int,
    task: str,
) -> pd.DataFrame:
    """Change fields, all on one device, until all steps are done.

    Args:
        fields: those that are trained; a step changes the ones that its loss depends on.
        next_loss: the loss of the next step.
        watch: losses to be recorded, by the names of `FLOW_HISTORY`'s columns.
        settings: learning rates.
        steps: their number.
        task: what progress is reported of.

    Returns:
        One row per report with the columns of `FLOW_HISTORY`.
    """
    everything = nn.ModuleList(fields)
    moved = [_Moved(field) for field in fields if field.axes is not None]
    probes = [field.items for field in fields if field.axes is None]
    probes += [field.targets for field in fields]
    rates = [
        p for field in fields for p in (field.log_rate, field.log_floor, field.decays, field.noise)
    ]
    optimizers = [
        (Adam(probes), settings.learning_rate),
        (Adam(rates), settings.rate_learning_rate),
        (Adam(items.along for items in moved), settings.axes_learning_rate),
    ]
    progress = Progress(steps, task)
    every = max(1, steps // _REPORTS)
    total, since, rows = torch.zeros((), device=probes[0].device), 0, []
    everything.train()
    for step in range(1, steps + 1):
        loss = next_loss()
        everything.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(everything.parameters(), _CLIP)
        for items in moved:
            items.turn_gradient()
        for optimizer, first in optimizers:
            optimizer.step(cosine(step - 1, steps, first, _LAST_LEARNING_RATE))
        for items in moved:
            items.move()
        total, since = total + loss.detach(), since + 1
        if step % every == 0 or step == steps:
            everything.eval()
            losses = watch()
            everything.train()
            rows.append({"step": step, "loss": float(total) / since, **losses})
            progress.update(step, **losses)
            total, since = torch.zeros_like(total), 0
    return pd.DataFrame(rows)


class _Moved:
    """The items of a field, while they are moved along its axes.

    Attributes:
        along: (K, P, features) how far they have been moved along each; what is optimized.
    """

    def __init__(self, field: DescentField) -> None:
        assert field.axes is not None
        self._items, self._axes = field.items, field.axes
        self._first = field.items.detach().clone()
        self.along = torch.zeros_like(self._first, requires_grad=True)

    def turn_gradient(self) -> None:
        """Give `along` the gradient that the items have, if they have one."""
        grad = self._items.grad
        self.along.grad = None if grad is None else grad @ self._axes.T

    def move(self) -> None:
        """Put the items where `along` says."""
        with torch.no_grad():
            self._items.copy_(self._first + self.along @ self._axes)
