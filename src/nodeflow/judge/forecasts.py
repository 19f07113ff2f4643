"""Forecasts of observed runs by an ensemble and by baselines, and their errors.

Whatever forecasts is given the same states at the same origins, and is compared with the same
values: those that were observed. Gaps of observed runs are filled for initial states alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.data.baselines import Forecast
from nodeflow.data.gaps import fill_gaps
from nodeflow.data.held_out import origins
from nodeflow.data.observed import Note
from nodeflow.data.series import Run
from nodeflow.data.tables import ERRORS, FORECASTS
from nodeflow.graphs.bins import degree_bins
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.ensemble import Ensemble

__all__ = ["error_table", "forecast_notes", "forecast_runs", "function_table"]

Floats = NDArray[np.float64]

_LEADS = 12
"""Groups of lead times by which errors are told."""

_POINTS = 96
"""States at which functions are shown."""

_BEYOND = 0.15
"""How far functions are shown beyond the states of the training, in their range."""

_ENOUGH = 9
"""Pieces of runs from which on the width of a 90 % band is not a guess; see `calibrate`."""


def forecast_runs(
    ensemble: Ensemble,
    graph: Graph,
    runs: Sequence[Run],
    baselines: Mapping[str, Forecast],
    horizon: float | None = None,
) -> pd.DataFrame:
    """Forecast runs from their own states.

    Args:
        ensemble: of the graph, or of another one.
        graph: n nodes.
        runs: of these nodes in their order; values may be missing.
        baselines: by name, as fitted by those of `nodeflow.data.BASELINES`.
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
                **{name: x(graph, start, times).ravel() for name, x in baselines.items()},
            )
            parts.append(table[table["time"] > times[0]])
    forecasts: pd.DataFrame = pd.concat(parts, ignore_index=True)[list(FORECASTS.columns)]
    return forecasts


def error_table(forecasts: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
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
            errors = _errors(known, method).assign(group=group, at=at)
            table = _summary(errors, method == "ensemble").assign(by=by, method=method)
            parts.append(table.assign(node=table.index if by == "node" else ""))
    return pd.concat(parts, ignore_index=True)[list(ERRORS.columns)]


def _lead_groups(leads: pd.Series) -> pd.Series:
    """Groups of lead times that hold about as many values each."""
    edges = np.unique(np.quantile(leads, np.linspace(0, 1, _LEADS + 1)[1:-1]))
    return pd.Series(np.searchsorted(edges, leads), leads.index)


def _errors(known: pd.DataFrame, method: str) -> pd.DataFrame:
    observed = known["value"]
    error = (known["mean" if method == "ensemble" else method] - observed).abs()
    return pd.DataFrame(
        {
            "error": error,
            "covered_50": observed.between(known["lower_50"], known["upper_50"]),
            "covered_90": observed.between(known["lower_90"], known["upper_90"]),
            "trusted": known["trusted"],
        }
    )


def _summary(errors: pd.DataFrame, of_ensemble: bool) -> pd.DataFrame:
    grouped = errors.groupby("group", sort=True)
    table = pd.DataFrame(
        {
            "at": grouped["at"].mean(),
            "values": grouped.size(),
            "mae": grouped["error"].mean(),
            "low": grouped["error"].quantile(0.1),
            "high": grouped["error"].quantile(0.9),
            "rmse": np.sqrt(errors["error"].pow(2).groupby(errors["group"]).mean()),
        }
    )
    for name in ("covered_50", "covered_90", "trusted"):
        table[name] = grouped[name].mean() if of_ensemble else np.nan
    return table


def function_table(ensemble: Ensemble) -> pd.DataFrame:
    """The learned functions with bands, a little beyond the states of the training, too.

    Returns:
        Rows with the columns of `nodeflow.data.tables.FUNCTIONS`.
    """
    covered = np.array(ensemble.seen.f)
    low, high = float(covered.min()), float(covered.max())
    beyond = _BEYOND * (high - low)
    return ensemble.functions(np.linspace(low - beyond, high + beyond, _POINTS))


def forecast_notes(ensemble: Ensemble, forecasts: pd.DataFrame, runs: Sequence[Run]) -> list[Note]:
    """What has to be known about an ensemble and its forecasts.

    Args:
        ensemble: that made them.
        forecasts: rows of `FORECASTS`.
        runs: that were forecast.
    """
    made, models = ensemble.made, ensemble.models.ok
    low, high = made["states"]
    starts = int(forecasts.groupby("run")["origin"].nunique().sum())
    prior = made.get("prior")
    failed = f" The training of {(~models).sum()} more failed." if not models.all() else ""
    notes = [
        Note(
            "training",
            (f"With a prior of {prior['members']} systems, " if prior else "")
            + f"{models.sum()} neural ODEs learned from {_several(made['runs'], 'run')} with "
            f"{made['times']:,} times in all, in states from {low:.4g} to {high:.4g}.{failed}",
        ),
        Note(
            "lead times",
            f"Forecasts start at {_several(starts, 'time')} and go up to "
            f"{forecasts['lead'].max():.4g} ahead.",
        ),
    ]
    notes += [Note("prior", text, limits=True) for text in made.get("alarm", ())]
    pieces = ensemble.calibration.runs
    if pieces < _ENOUGH:
        how = "not at all" if not pieces else f"on {pieces} runs or blocks of time alone"
        notes.append(
            Note(
                "bands",
                f"How wide bands have to be could be measured {how}, where {_ENOUGH} are needed "
                "for a 90 % band: take their width for a guess.",
                limits=True,
            )
        )
    missing = sum(int(np.isnan(_initial(run, forecasts)).sum()) for run in runs)
    if missing:
        notes.append(
            Note(
                "initial states",
                f"{missing} values were missing in the states that forecasts start from, and were "
                "interpolated between the observations around them.",
                limits=True,
            )
        )
    return notes


def _several(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _initial(run: Run, forecasts: pd.DataFrame) -> Floats:
    """What was observed at the origins of a run."""
    of_run = forecasts[forecasts["run"] == run.name]
    states: Floats = run.states[np.isin(run.times, of_run["origin"].unique())]
    return states
