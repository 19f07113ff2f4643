"""The height of a loss barrier, of our own networks and of published ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["PUBLISHED_BARRIERS", "PublishedBarrier", "barrier_heights"]


@dataclass(frozen=True)
class PublishedBarrier:
    """Test losses in nats on the path between two networks that others trained and aligned.

    Attributes:
        network: what was trained on what.
        ends: mean loss of the two networks.
        raw: loss of their mean as trained; None if not given.
        aligned: loss of their mean after alignment.
        renewed: the same with statistics of hidden units measured anew.
    """

    network: str
    ends: float
    raw: float | None
    aligned: float
    renewed: float


PUBLISHED_BARRIERS = (
    PublishedBarrier("MLP, depth 3, width 128; MNIST", 0.070, 2.69, 0.231, 0.139),
    PublishedBarrier("MLP, depth 6, width 128; MNIST", 0.221, None, 0.968, 0.888),
    PublishedBarrier("MLP, depth 10, width 128; Fashion-MNIST", 0.331, 2.53, 2.36, 1.13),
    PublishedBarrier("ResNet-20; CIFAR-10", 0.227, None, 2.88, 1.22),
)
"""Single pairs aligned by their activations, from the code release of Jordan et al. 2023
(arXiv:2211.08403). Losses are those halfway, where these paths are taken to be highest."""


def barrier_heights(path: pd.DataFrame) -> pd.DataFrame:
    """The barrier of each pair: the largest excess over the straight line between both ends.

    Args:
        path: as `loss_barrier` gives it.

    Returns:
        Columns pair, loss_barrier (nats), accuracy_barrier (the largest fall of the accuracy below
        the line), and both once more as recalibrated_…; all are 0 or more.
    """
    rows = []
    for pair, one in path.groupby("pair"):
        step = one["lambda"].to_numpy()
        height = {"pair": pair}
        for name, sign in (
            ("loss", 1),
            ("accuracy", -1),
            ("recalibrated_loss", 1),
            ("recalibrated_accuracy", -1),
        ):
            values = one[name].to_numpy()
            line = values[0] + step * (values[-1] - values[0])
            height[f"{name}_barrier"] = max(0.0, float(np.max(sign * (values - line))))
        rows.append(height)
    return pd.DataFrame(rows)
