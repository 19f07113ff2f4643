"""Inputs s(t) that act on all nodes alike: columns of a table, and harmonics of seasons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from nodeflow.neural_ode.forced.settings import ForecasterProblem

__all__ = ["Inputs", "read_inputs"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What s(t) is; called with times, it gives it.

    Attributes:
        periods: of seasons, in the unit of time of the series.
        harmonics: order of the highest sine and cosine of each.
        names: of the columns of the table.
        times: (P,), strictly increasing; between them inputs are linear in time.
        values: (P, len(names)), in the user's units.
        shift: (len(names),), subtracted from values.
        size: (len(names),), what they are then divided by.
    """

    periods: tuple[float, ...]
    harmonics: int
    names: tuple[str, ...]
    times: Floats
    values: Floats
    shift: Floats
    size: Floats

    @property
    def width(self) -> int:
        """How many numbers s(t) has."""
        return len(self.names) + 2 * self.harmonics * len(self.periods)

    def __call__(self, times: Tensor) -> Tensor:
        """Inputs at times (B,) float64, shape (B, width) float64."""
        columns = []
        if self.names:
            known, values = torch.from_numpy(self.times), torch.from_numpy(self.scaled)
            right = torch.searchsorted(known, times.contiguous()).clamp(1, len(known) - 1)
            share = (times - known[right - 1]) / (known[right] - known[right - 1])
            columns.append(torch.lerp(values[right - 1], values[right], share[:, None]))
        for period in self.periods:
            angle = 2 * math.pi * times / period
            for order in range(1, self.harmonics + 1):
                columns.append(torch.stack([torch.sin(order * angle), torch.cos(order * angle)], 1))
        return torch.cat([times.new_empty(len(times), 0), *columns], dim=1)

    @property
    def scaled(self) -> Floats:
        """The table in units of its spread over the training time."""
        return (self.values - self.shift) / self.size

    def check(self, first: float, last: float) -> None:
        """Raise unless the table covers these times.

        Raises:
            ForecasterProblem: it does not.
        """
        if self.names and not (self.times[0] <= first and last <= self.times[-1]):
            raise ForecasterProblem(
                f"The inputs {', '.join(self.names)} are known at times {self.times[0]:g} … "
                f"{self.times[-1]:g}, and they are needed at {first:g} … {last:g}; give a table "
                "that covers them, with inputs as they are foreseen."
            )

    def spread_over(self, first: float, last: float) -> Inputs:
        """The same with units from the values between two times."""
        if not self.names:
            return self
        inside = self.values[(self.times >= first) & (self.times <= last)]
        inside = inside if len(inside) > 1 else self.values
        size = inside.std(axis=0)
        return replace(self, shift=inside.mean(axis=0), size=np.where(size > 0, size, 1.0))

    def with_table(self, table: pd.DataFrame | str | Path | None) -> Inputs:
        """The same with the values of another table, in the units of this one.

        Raises:
            ForecasterProblem: as `read_inputs`; or the table has other columns.
        """
        if table is None:
            return self
        new = read_inputs(table, self.periods, self.harmonics)
        if set(new.names) != set(self.names):
            raise ForecasterProblem(
                f"The table of inputs has the columns {', '.join(new.names)}, and the forecaster "
                f"was trained with {', '.join(self.names) or 'none'}; give those."
            )
        order = [new.names.index(name) for name in self.names]
        return replace(self, times=new.times, values=new.values[:, order])


_NO_TABLE: tuple[tuple[str, ...], Floats, Floats] = ((), np.empty(0), np.empty((0, 0)))


def read_inputs(
    table: pd.DataFrame | str | Path | None, periods: Sequence[float], harmonics: int
) -> Inputs:
    """Inputs from a table or a CSV file with the column `time` and a column for each input.

    Args:
        table: None if there is none.
        periods: of seasons.
        harmonics: order of the highest sine and cosine of each.

    Raises:
        ForecasterProblem: the file cannot be read; it has no column `time` or none beside it; times
            do not increase; a value is no finite number.
    """
    names, times, values = _NO_TABLE if table is None else _columns(table)
    shift = np.zeros(len(names))
    return Inputs(tuple(periods), harmonics, names, times, values, shift, np.ones(len(names)))


def _columns(table: pd.DataFrame | str | Path) -> tuple[tuple[str, ...], Floats, Floats]:
    where = "The table of inputs"
    if not isinstance(table, pd.DataFrame):
        where = str(table)
        try:
            table = pd.read_csv(table)
        except (OSError, ValueError) as error:
            raise ForecasterProblem(
                f"{where} cannot be read as a table of inputs ({str(error).splitlines()[0]}); give "
                "a CSV file with the column time and a column for each input."
            ) from error
    names = tuple(str(name) for name in table.columns if name != "time")
    if "time" not in table or not names:
        raise ForecasterProblem(
            f"{where} has the columns {', '.join(map(str, table.columns))}; give time and a column "
            "for each input."
        )
    numbers = table[["time", *names]].apply(pd.to_numeric, errors="coerce")
    numbers = np.array(numbers, dtype=np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ForecasterProblem(
            f"{where}, row {row + 1}, column {('time', *names)[column]}: "
            f"{table[['time', *names]].iloc[row, column]!r} is no finite number; inputs are needed "
            "at every time of the table."
        )
    times = numbers[:, 0]
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back) or len(times) < 2:
        reason = (
            f"has the time {times[back[0] + 1]:g} after {times[back[0]]:g}; sort it by time"
            if len(back)
            else "has a single time; give two at least"
        )
        raise ForecasterProblem(f"{where} {reason}, each time once.")
    return names, times, numbers[:, 1:]
