"""The loss barrier: how much worse networks get on the straight path between two of them.

As in Ainsworth, Hayase & Srinivasa 2023 (arXiv:2209.04836) and Entezari et al. 2022
(arXiv:2110.06296).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.predict import evaluate, recalibrated

__all__ = ["loss_barrier"]

_CPU = torch.device("cpu")


@one_thread_if_small
def loss_barrier(
    architecture: Architecture,
    a: Mapping[str, Tensor],
    b: Mapping[str, Tensor],
    x: np.ndarray | Tensor,
    y: np.ndarray | Tensor,
    points: int = 25,
    device: torch.device = _CPU,
    calibration: np.ndarray | Tensor | None = None,
) -> pd.DataFrame:
    """Loss and accuracy of (1-λ) a + λ b for each pair.

    Args:
        architecture: of all networks.
        a: first networks of K pairs, tensors of shape (K, *shape).
        b: second networks, likewise.
        x: items, shape (n, features).
        y: their classes, shape (n,).
        points: number of equally spaced λ from 0 to 1, at least 2.
        device: where to compute.
        calibration: training items that running statistics are measured on anew at each place, as
            in REPAIR (Jordan et al. 2023, arXiv:2211.08403): those of a network between two are not
            between theirs. Without them, or without statistics, nothing is recalibrated.

    Returns:
        Columns of `BARRIER`, sorted by pair and λ.
    """
    if points < 2:
        raise ValueError(f"a path needs at least 2 points, not {points}")
    a, b = (
        architecture.arrange(networks, f"the {which} networks")
        for which, networks in (("first", a), ("second", b))
    )
    tables = []
    for step in np.linspace(0, 1, points):
        between = {name: torch.lerp(a[name], b[name].to(a[name]), float(step)) for name in a}
        loss, accuracy = evaluate(architecture, between, x, y, device)
        again = loss, accuracy
        if calibration is not None and architecture.statistics:
            between |= recalibrated(architecture, between, calibration, device)
            again = evaluate(architecture, between, x, y, device)
        tables.append(
            pd.DataFrame(
                {
                    "pair": np.arange(len(loss)),
                    "lambda": step,
                    "loss": loss,
                    "accuracy": accuracy,
                    "recalibrated_loss": again[0],
                    "recalibrated_accuracy": again[1],
                }
            )
        )
    return pd.concat(tables).sort_values(["pair", "lambda"], ignore_index=True)
