"""What is held out of series to be forecast, where the user does not say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.gaps import fill_gaps, observed_part
from nodeflow.data.limits import limits, unchanging
from nodeflow.data.observed import Note
from nodeflow.data.series import Run, Series
from nodeflow.data.series_files import SeriesProblem
from nodeflow.data.splits import split_runs, split_time
from nodeflow.graphs.graph import Graph

__all__ = ["HeldOut", "check_parts", "hold_out", "limits_of_training", "origins"]

_ENOUGH_RUNS = 4
"""From so many runs on whole runs are held out."""

_SHARE = 0.25
"""The share of runs, or of time, that is held out."""

_SLACK = 1e-9
"""By which share of it a horizon may be exceeded: times are rounded."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Series in two parts.

    Attributes:
        training: what is learned from.
        test: what is held out; each run begins with the states that its forecast starts from.
        note: what was held out, in words.
    """

    training: Series
    test: Series
    note: Note

    @property
    def test_runs(self) -> list[Run]:
        """What is held out of the nodes that have a series to learn from, in their order."""
        seen = self.training.observed
        return [Run(run.name, run.times, run.states[:, seen]) for run in self.test.runs]


def hold_out(
    series: Series,
    *,
    runs: float | Sequence[str | int] | None = None,
    time: float | None = None,
    after: float | None = None,
    seed: int = 1,
) -> HeldOut:
    """Hold out runs, or the last part of time; by default what the number of runs suggests.

    A quarter of the runs if there are four or more, else the last quarter of the time of each run.

    Args:
        series: all runs.
        runs: share of the runs to hold out, drawn by the seed, or their names.
        time: share of the duration of each run.
        after: a time; what was observed later is held out.
        seed: of the draw.

    Raises:
        SeriesProblem: several of these are given, or one of the parts would be too short.
    """
    if sum(x is not None for x in (runs, time, after)) > 1:
        raise SeriesProblem("Hold out runs, or time, or what is after a time; name one of them.")
    if runs is None and time is None and after is None:
        if len(series.runs) >= _ENOUGH_RUNS:
            runs = _SHARE
        else:
            time = _SHARE
    if runs is not None:
        share = runs if isinstance(runs, int | float) else [str(name) for name in runs]
        training, test = split_runs(series, share, seed=seed)
        names = [run.name for run in test.runs]
        listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        text = f"{len(names)} of {len(series.runs)} runs were held out to be forecast: {listed}."
    elif time is not None:
        training, test = split_time(series, time)
        text = f"The last {time:.0%} of the time of each run was held out to be forecast."
    else:
        training, test = split_time(series, after=after)
        text = f"What was observed after t = {after:g} was held out to be forecast."
    return HeldOut(training, test, Note("held out", text))


def check_parts(
    parts: HeldOut, graph: Graph, fewest_times: int, horizon: float | None = None
) -> None:
    """Check that an ensemble can learn from the one part, and forecast the other one.

    Args:
        parts: of series.
        graph: their network.
        fewest_times: how many times every run needs for the training.
        horizon: as in `origins`.

    Raises:
        SeriesProblem: a run has too many gaps, too few times, or none within the horizon; or no
            value of the training ever changes.
    """
    part, trajectories = observed_part(parts.training, graph)
    for run, filled in zip(parts.training.runs, trajectories, strict=True):
        if len(filled.times) < fewest_times:
            raise SeriesProblem(
                f"Run {run.name} has {len(filled.times)} times to learn from at which every node "
                f"is known, and {fewest_times} are needed; hold out less, leave out the run, or "
                "nodes that are hardly observed, or give a prior over functions (prior: FILE), "
                "with which 2 are enough."
            )
    if all(unchanging(filled.states).all() for filled in trajectories):
        raise SeriesProblem(
            "No value ever changes in what is learned from, so there is nothing to learn; give "
            "runs that start away from where they end, or hold out another part."
        )
    for run in parts.test_runs:
        for _ in origins(fill_gaps(run, part.labels).times, horizon):
            pass


def limits_of_training(parts: HeldOut, graph: Graph, series: Series) -> list[Note]:
    """What cannot be told from the part that is learned from, and could be from all.

    Args:
        parts: of series.
        graph: their network.
        series: both parts.
    """
    said = set(limits(graph, series))
    return [
        replace(note, text=f"In what was learned from: {note.text}")
        for note in limits(graph, parts.training)
        if note not in said
    ]


def origins(times: NDArray[np.float64], horizon: float | None = None) -> Iterator[tuple[int, int]]:
    """Where forecasts of a run begin and end, as positions in its times, both included.

    Args:
        times: (T,), increasing.
        horizon: how far ahead forecasts go; each begins where the one before it ends. None for a
            single one through the whole run.

    Raises:
        SeriesProblem: no two times are within the horizon.
    """
    if horizon is None:
        yield 0, len(times) - 1
        return
    steps = np.diff(times)
    if steps.min() > horizon * (1 + _SLACK):
        raise SeriesProblem(
            f"The horizon is {horizon:g}, and there are at least {steps.min():g} between two "
            "observations that are held out; give a longer horizon."
        )
    first = 0
    while first < len(times) - 1:
        last = int(np.searchsorted(times, times[first] + horizon * (1 + _SLACK), "right")) - 1
        if last > first:
            yield first, last
        first = max(last, first + 1)
