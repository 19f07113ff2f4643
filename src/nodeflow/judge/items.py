"""What a panel judges on: the items of a zoo, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nodeflow.flow.method import Origin
from nodeflow.judge.settings import PanelSettings

__all__ = ["Items", "judged_items"]


@dataclass(frozen=True)
class Items:
    """Items, and settings that they allow.

    Attributes:
        x: (n, features); None where there are none.
        y: their classes (n,); None likewise.
        calibration: training items to measure running statistics on; None without any.
        settings: of the panel.
    """

    x: np.ndarray | None
    y: np.ndarray | None
    calibration: np.ndarray | None
    settings: PanelSettings


def judged_items(origin: Origin, settings: PanelSettings) -> Items:
    """The test and training items of a zoo.

    Where there are no training items nothing can be measured on them: running statistics of
    generated networks are then those of the first member, unless the settings name others too.
    """
    dataset = origin.dataset
    calibration = None
    if dataset is not None and len(dataset.train_x) > 1:
        calibration = dataset.train_x[: settings.calibration]
    if calibration is None and origin.architecture.statistics:
        rest = tuple(x for x in settings.statistics if x != "recalibrated")
        settings = replace(settings, statistics=rest or ("reference",))
    if dataset is None:
        return Items(None, None, calibration, settings)
    return Items(dataset.test_x, dataset.test_y, calibration, settings)
