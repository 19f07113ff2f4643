"""Series divided into those that are learned from and those that forecasts are tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.data.series import Run, Series
from nodeflow.data.series_files import SeriesProblem
from nodeflow.graphs.graph import Graph
from nodeflow.seeds import numpy_generator

__all__ = ["forecast_errors", "split_runs", "split_time"]


def split_runs(
    series: Series, held_out: float | Sequence[str], *, seed: int = 1
) -> tuple[Series, Series]:
    """Hold out whole runs.

    Args:
        series: all runs.
        held_out: names of the runs to hold out, or which share of them, drawn by the seed: at least
            one run, and not all.
        seed: of the draw, which the order of runs has no influence on.

    Returns:
        Runs to train on, and runs to test on, each in the order of the series.

    Raises:
        SeriesProblem: no such run, a share that is none, or nothing would be left to train on.
    """
    names = [run.name for run in series.runs]
    if isinstance(held_out, int | float):
        if not 0 < held_out < 1:
            raise SeriesProblem(f"The share of runs to hold out is {held_out}; give one in (0, 1).")
        count = max(1, round(held_out * len(names)))
        drawn = numpy_generator(seed, "held-out runs").permutation(sorted(names))
        chosen = set(drawn[:count].tolist())
    else:
        chosen = {str(name) for name in held_out}
        unknown = sorted(chosen - set(names))
        if unknown:
            raise SeriesProblem(
                f"There is no run {unknown[0]!r} to hold out; the runs are {', '.join(names[:8])}."
            )
    early = tuple(run for run in series.runs if run.name not in chosen)
    late = tuple(run for run in series.runs if run.name in chosen)
    if not early or not late:
        raise SeriesProblem(
            f"Of {len(names)} run(s) {len(late)} would be held out; there has to be at least one "
            "to train on and one to test on, so hold out the last part of time: split_time."
        )
    return Series(series.nodes, early), Series(series.nodes, late)


def split_time(
    series: Series, held_out: float | None = None, *, after: float | None = None
) -> tuple[Series, Series]:
    """Hold out the last part of each run.

    Args:
        series: all runs.
        held_out: share of each run's duration, in (0, 1).
        after: or the time after which observations are held out. Runs that end before it are
            trained on as a whole.

    Returns:
        The first parts, and the last ones. A last part begins with the last time of the first one,
        from whose states it is forecast.

    Raises:
        SeriesProblem: none of the two or both, a share that is none, nothing to hold out, or one
            part of a run would have fewer than two times.
    """
    if (held_out is None) == (after is None):
        raise SeriesProblem("Name the share of time to hold out, or the time after which it is.")
    if held_out is not None and not 0 < held_out < 1:
        raise SeriesProblem(f"The share of time to hold out is {held_out}; give one in (0, 1).")
    what = f"after {after:g}" if after is not None else f"the share {held_out} of its duration"
    early, late = [], []
    for run in series.runs:
        if after is not None and run.times[-1] <= after:
            early.append(run)
            continue
        cut = run.times[-1] - (held_out or 0.0) * (run.times[-1] - run.times[0])
        cut = cut if after is None else after
        last = int(np.searchsorted(run.times, cut, side="right")) - 1
        if last < 1 or last > len(run.times) - 2:
            raise SeriesProblem(
                f"Run {run.name} has too few times to hold out {what}: each part needs two; hold "
                "out another part, or whole runs."
            )
        early.append(Run(run.name, run.times[: last + 1], run.states[: last + 1]))
        late.append(Run(run.name, run.times[last:], run.states[last:]))
    if not late:
        raise SeriesProblem(
            f"Nothing was observed {what}: the last time is "
            f"{max(run.times[-1] for run in series.runs):g}; name an earlier one."
        )
    return Series(series.nodes, tuple(early)), Series(series.nodes, tuple(late))


def forecast_errors(
    graph: Graph,
    held_out: Series,
    forecasts: Mapping[str, Sequence[NDArray[np.float64]]],
) -> pd.DataFrame:
    """Forecasts beside what was observed.

    Args:
        graph: the network of the series.
        held_out: runs that were forecast from their first time.
        forecasts: by method, for each run states (T, n) at its times.

    Returns:
        A row for each method, run, node and time but the first at which there is an observation:
        method, run, node, degree (of a directed graph, of those that act on the node), lead (time
        since the run's first), observed, forecast, error (absolute).

    Raises:
        SeriesProblem: a method has forecasts of other runs, times or nodes.
    """
    parts = []
    for method, several in forecasts.items():
        if len(several) != len(held_out.runs):
            raise SeriesProblem(
                f"{method} has {len(several)} forecasts of {len(held_out.runs)} runs; give one "
                "each."
            )
        for run, given in zip(held_out.runs, several, strict=True):
            states = np.asarray(given, dtype=np.float64)
            if states.shape != run.states.shape:
                raise SeriesProblem(
                    f"{method} has states of shape {states.shape} for run {run.name}, which has "
                    f"{run.states.shape}: one row a time, one column a node."
                )
            later, nodes = np.nonzero(np.isfinite(run.states[1:]))
            seen, predicted = run.states[1:][later, nodes], states[1:][later, nodes]
            parts.append(
                pd.DataFrame(
                    {
                        "method": method,
                        "run": run.name,
                        "node": pd.Series(held_out.nodes, dtype=object).to_numpy()[nodes],
                        "degree": graph.degrees[nodes],
                        "lead": (run.times[1:] - run.times[0])[later],
                        "observed": seen,
                        "forecast": predicted,
                        "error": np.abs(predicted - seen),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)
