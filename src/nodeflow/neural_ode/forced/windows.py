"""Series cut into windows: the latest observations at an origin, and those that follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nodeflow.data.series import Run
from nodeflow.neural_ode.forced.start import Latest

__all__ = ["Windows", "cut_windows"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Windows:
    """O origins in one or several runs, in order.

    Attributes:
        runs: names of runs, one for each origin.
        times: (O, 1 + H), of the origin and of the observations after it, in the user's unit.
        latest: observed rates at the origin and before.
        observed: (O, H, n), what followed, in the user's unit, 0 where missing.
        known: (O, H, n), 1 where observed and 0 where not.
    """

    runs: NDArray[np.object_]
    times: Tensor
    latest: Latest
    observed: Tensor
    known: Tensor

    def __len__(self) -> int:
        return len(self.times)

    def take(self, which: Tensor) -> Windows:
        """Some of the origins."""
        latest = Latest(*(x[which] for x in vars(self.latest).values()))
        rest = (self.times[which], latest, self.observed[which], self.known[which])
        return Windows(self.runs[which.numpy()], *rest)


def cut_windows(
    runs: Sequence[Run],
    exposure: Floats,
    *,
    lags: int,
    ahead: int,
    unit: float,
    dtype: torch.dtype,
) -> Windows:
    """All origins with so many observation times after them.

    Args:
        runs: what was observed; NaN where nothing was.
        exposure: (n,); rates are observations divided by it.
        lags: latest observations at an origin; fewer at the beginning of a run.
        ahead: observation times after an origin; with 0, every time is an origin.
        unit: of ages, in the user's unit of time.
        dtype: of all but times.

    Returns:
        No origins if every run is too short.
    """
    parts = [_of_run(run, exposure, lags, ahead, unit) for run in runs]
    names = np.concatenate(
        [np.full(len(part[0]), run.name, object) for run, part in zip(runs, parts, strict=True)]
    )
    times, values, known, ages, observed, seen = (
        torch.from_numpy(np.concatenate(columns)) for columns in zip(*parts, strict=True)
    )
    latest = Latest(values.to(dtype), known.to(dtype), ages.to(dtype))
    return Windows(names, times, latest, observed.to(dtype), seen.to(dtype))


def _of_run(run: Run, exposure: Floats, lags: int, ahead: int, unit: float) -> tuple[Floats, ...]:
    there = np.isfinite(run.states)
    states = np.where(there, run.states, 0.0)
    origins = np.arange(max(len(run.times) - ahead, 0))
    after = origins[:, None] + np.arange(ahead + 1)
    before = origins[:, None] - np.arange(lags)
    inside = (before >= 0)[:, :, None]
    before = np.maximum(before, 0)
    return (
        run.times[after],
        np.where(inside, states[before] / exposure, 0.0),
        np.where(inside, there[before], False).astype(np.float64),
        (run.times[origins][:, None] - run.times[before]) / unit,
        states[after[:, 1:]],
        there[after[:, 1:]].astype(np.float64),
    )
