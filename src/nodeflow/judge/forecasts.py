"""Forecasts of observed runs by an ensemble and by baselines, and their errors.

Whatever forecasts is given the same states at the same origins, and is compared with the same
values: those that were observed. Gaps of observed runs are filled for initial states alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.data.gaps import fill_gaps
from nodeflow.data.series import Run, SeriesProblem
from nodeflow.data.tables import ERRORS, FORECASTS
from nodeflow.graphs.bins import degree_bins
from nodeflow.graphs.graph import Graph
from nodeflow.node.ensemble import Ensemble

__all__ = ["Baseline", "forecast_errors", "forecast_runs", "origins"]

Floats = NDArray[np.float64]

_LEADS = 12
"""Groups of lead times by which errors are told."""

_SLACK = 1e-9
"""By which share of it a horizon may be exceeded: times are rounded."""


class Baseline(Protocol):
    """What forecasts a run without an ensemble."""

    def __call__(self, start: Floats, times: Floats) -> Floats:
        """States (T, n) at T times, the first of which is that of the state (n,) at the start."""
        ...


def origins(times: Floats, horizon: float | None = None) -> Iterator[tuple[int, int]]:
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


def forecast_runs(
    ensemble: Ensemble,
    graph: Graph,
    runs: Sequence[Run],
    baselines: Mapping[str, Baseline],
    horizon: float | None = None,
) -> pd.DataFrame:
    """Forecast runs from their own states.

    Args:
        ensemble: of the graph, or of another one.
        graph: n nodes.
        runs: of these nodes in their order; values may be missing.
        baselines: by name, those of the columns of `FORECASTS`.
        horizon: as in `origins`.

    Returns:
        Rows with the columns of `FORECASTS`, without those of origins themselves, which are given.

    Raises:
        SeriesProblem: a run has too many gaps to begin with, or its times are farther apart than
            the horizon.
        ModelProblem: no member of the ensemble can be integrated.
    """
    parts = []
    for run in runs:
        filled = fill_gaps(run, graph.labels)
        observed = run.states[np.isin(run.times, filled.times)]
        for first, last in origins(filled.times, horizon):
            times, start = filled.times[first : last + 1], filled.states[first]
            table = ensemble.predict(graph, start, times)
            table = table.assign(
                run=run.name,
                origin=times[0],
                lead=table["time"] - times[0],
                node=table["node"].astype(str),
                degree=np.tile(graph.degrees, len(times)),
                value=observed[first : last + 1].ravel(),
                **{name: x(start, times).ravel() for name, x in baselines.items()},
            )
            parts.append(table[table["time"] > times[0]])
    return pd.concat(parts, ignore_index=True)[list(FORECASTS.columns)]


def forecast_errors(forecasts: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Errors of forecasts over all values, by node, by degree and by lead time.

    Args:
        forecasts: rows of `FORECASTS`.
        methods: the baselines that stand beside the ensemble.

    Returns:
        Rows with the columns of `ERRORS`.
    """
    known = forecasts[np.isfinite(forecasts["value"])]
    groups = {
        "all": (pd.Series("", known.index), pd.Series(np.nan, known.index)),
        "node": (known["node"], known["degree"]),
        "degree": (pd.Series(degree_bins(known["degree"]), known.index), known["degree"]),
        "lead": (_lead_groups(known["lead"]), known["lead"]),
    }
    parts = []
    for by, (group, at) in groups.items():
        for method in ("ensemble", *methods):
            found = _errors(known, method).assign(group=group, at=at)
            table = _summary(found, method == "ensemble").assign(by=by, method=method)
            parts.append(table.assign(node=table.index if by == "node" else ""))
    return pd.concat(parts, ignore_index=True)[list(ERRORS.columns)]


def _lead_groups(leads: pd.Series) -> pd.Series:
    """Groups of lead times that hold about as many values each."""
    edges = np.unique(np.quantile(leads, np.linspace(0, 1, _LEADS + 1)[1:-1]))
    return pd.Series(np.searchsorted(edges, leads), leads.index)


def _errors(known: pd.DataFrame, method: str) -> pd.DataFrame:
    value = known["value"]
    error = (known["mean" if method == "ensemble" else method] - value).abs()
    return pd.DataFrame(
        {
            "error": error,
            "covered_50": value.between(known["lower_50"], known["upper_50"]),
            "covered_90": value.between(known["lower_90"], known["upper_90"]),
            "trusted": known["trusted"],
        }
    )


def _summary(found: pd.DataFrame, of_ensemble: bool) -> pd.DataFrame:
    grouped = found.groupby("group", sort=True)
    table = pd.DataFrame(
        {
            "at": grouped["at"].mean(),
            "values": grouped.size(),
            "mae": grouped["error"].mean(),
            "low": grouped["error"].quantile(0.1),
            "high": grouped["error"].quantile(0.9),
            "rmse": np.sqrt(found["error"].pow(2).groupby(found["group"]).mean()),
        }
    )
    for name in ("covered_50", "covered_90", "trusted"):
        table[name] = grouped[name].mean() if of_ensemble else np.nan
    return table
