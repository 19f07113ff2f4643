"""Forecasts of observed series on a network, with bands, by neural ODEs with inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nodeflow.data.series import Run, Series, check_nodes
from nodeflow.dynamics.given import increasing
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.forced.inputs import Inputs
from nodeflow.neural_ode.forced.model import Predicted, Setting, Units, simulate, spreads
from nodeflow.neural_ode.forced.places import Places, as_places
from nodeflow.neural_ode.forced.settings import ForecasterProblem, ForecasterSettings
from nodeflow.neural_ode.forced.windows import Windows, cut_windows
from nodeflow.neural_ode.likelihoods import Likelihood, mixture_quantiles
from nodeflow.threads import one_thread_if_small

__all__ = ["HISTORY", "QUANTILES", "Forecaster"]

Floats = NDArray[np.float64]

HISTORY = ("phase", "step", "model", "loss", "validation_loss")
"""Columns of the losses in training."""

QUANTILES: Mapping[str, float] = {
    "median": 0.5,
    "lower_50": 0.25,
    "upper_50": 0.75,
    "lower_90": 0.05,
    "upper_90": 0.95,
}
"""Columns of forecasts that are quantiles, with their shares."""

_SLACK = 0.01
"""Share of the range seen in training by which states and inputs may leave it and be trusted."""


@dataclass(frozen=True, eq=False)
class Forecaster:
    """An ensemble of neural ODEs with inputs; made by `train_forecaster` or `load_forecaster`.

    Attributes:
        parameters: of R models: of the three networks (see `forced.field`), of filtered
            starts (`forced.start`), and logarithms of spreads.
        settings: what it was trained with.
        places: the network, exposure and covariates of the nodes to forecast.
        centre: (C,), subtracted from covariates.
        extent: (C,), what they are then divided by.
        inputs: s(t).
        units: of states.
        seen: (1 + S, 2), smallest and largest state and inputs in training.
        likelihood: of observations.
        history: losses in training: phase (choice of the number of steps, or final), step, model,
            loss (of the batch) and validation_loss.
    """

    parameters: Mapping[str, Tensor]
    settings: ForecasterSettings
    places: Places
    centre: Floats
    extent: Floats
    inputs: Inputs
    units: Units
    seen: Floats
    likelihood: Likelihood
    history: pd.DataFrame

    def on(
        self,
        graph: nx.Graph[Any] | Graph,
        *,
        exposure: Any = None,
        covariates: pd.DataFrame | None = None,
    ) -> Forecaster:
        """The same on another network.

        Args:
            graph: any, of any size; its directions and weights are used.
            exposure: of each of its nodes; 1 by default.
            covariates: of each of its nodes, as in training.

        Raises:
            ForecasterProblem: exposures or covariates do not fit.
        """
        places, own = as_places(graph, exposure, covariates), self.places.names
        if set(places.names) != set(own):
            raise ForecasterProblem(
                f"The forecaster was trained with the covariates {', '.join(own) or 'none'}, and "
                f"{', '.join(places.names) or 'none'} are given; give those."
            )
        order = [places.names.index(name) for name in own]
        values = places.covariates[:, order]
        return replace(self, places=replace(places, names=own, covariates=values))

    @one_thread_if_small
    def predict(
        self, series: Series, times: ArrayLike, *, inputs: pd.DataFrame | str | Path | None = None
    ) -> pd.DataFrame:
        """Forecast what follows the last time of a series.

        Args:
            series: one run on the nodes of the network, up to now.
            times: increasing, after its last time.
            inputs: a table of inputs that covers these times; by default that of the training.

        Returns:
            A row for each time and node: time, node, mean, median, lower_50, upper_50, lower_90,
            upper_90 (quantiles of the likelihood, mixed over models) and trusted (whether states
            and inputs of all models stay within what was seen in training).

        Raises:
            ForecasterProblem: several runs, other nodes, times that are not after the last one, or
                inputs that do not cover them.
        """
        check_nodes(series, self.places.graph, ForecasterProblem)
        if len(series.runs) != 1:
            raise ForecasterProblem(
                f"The series has {len(series.runs)} runs, and a forecast goes on from one; give "
                "Series(series.nodes, (run,))."
            )
        (run,) = series.runs
        ahead = increasing(times, "Times", ForecasterProblem)
        if ahead[0] <= run.times[-1]:
            raise ForecasterProblem(
                f"Times have to be after the last one of the series, {run.times[-1]:g}, and the "
                f"first is {ahead[0]:g}."
            )
        nothing = np.full((len(ahead), len(series.nodes)), np.nan)
        joined = Run(
            run.name, np.concatenate([run.times, ahead]), np.concatenate([run.states, nothing])
        )
        windows = self._windows((joined,), len(ahead))
        table = self._table(windows.take(torch.tensor([len(windows) - 1])), inputs)
        return table.drop(columns=["run", "origin", "lead", "observed"])

    @one_thread_if_small
    def backtest(
        self,
        series: Series,
        ahead: int,
        *,
        first: float = -np.inf,
        inputs: pd.DataFrame | str | Path | None = None,
    ) -> pd.DataFrame:
        """Forecast from every time of a series that has so many times after it.

        Args:
            series: one or several runs.
            ahead: observation times to look ahead.
            first: time of the first origin.
            inputs: as in `predict`.

        Returns:
            A row for each run, origin, lead (in observation times) and node: run, origin (a time),
            lead, time, node and observed, and the columns of `predict`.

        Raises:
            ForecasterProblem: other nodes, no such origin, or inputs that do not cover the times.
        """
        check_nodes(series, self.places.graph, ForecasterProblem)
        windows = self._windows(series.runs, ahead)
        which = torch.nonzero(windows.times[:, 0] >= first).ravel()
        if not len(which):
            raise ForecasterProblem(
                f"No time from {first:g} on has {ahead} times after it; look ahead less, or give "
                "longer series."
            )
        return self._table(windows.take(which), inputs)

    def simulate(self, windows: Windows, inputs: Inputs | None = None) -> Predicted:
        """States and expected observations of all models; see `forced.model`."""
        setting = Setting.of(
            self.settings, self.places, self.centre, self.extent, inputs or self.inputs, self.units
        )
        with torch.no_grad():
            return simulate(self.parameters, setting, windows)

    def _windows(self, runs: tuple[Run, ...], ahead: int) -> Windows:
        return cut_windows(
            runs,
            self.places.exposure,
            lags=self.settings.lags,
            ahead=ahead,
            unit=self.units.time,
            dtype=self.parameters["spread"].dtype,
        )

    def _table(self, windows: Windows, table: pd.DataFrame | str | Path | None) -> pd.DataFrame:
        inputs = self.inputs.with_table(table)
        inputs.check(float(windows.times.min()), float(windows.times.max()))
        simulated = self.simulate(windows, inputs)
        means = simulated.means.numpy().astype(np.float64)
        spread = spreads(self.parameters, windows, self.units).numpy().astype(np.float64)
        if not self.likelihood.counts:
            spread = spread * self.units.size * self.places.exposure
        origins, leads, n = means.shape[1:]
        times = windows.times.numpy()
        observed = windows.observed.numpy().astype(np.float64)
        columns = {
            "run": np.repeat(windows.runs, leads * n),
            "origin": np.repeat(times[:, 0], leads * n),
            "lead": np.tile(np.repeat(np.arange(1, leads + 1), n), origins),
            "time": np.repeat(times[:, 1:].ravel(), n),
            "node": np.tile(np.array(self.places.graph.labels, dtype=object), origins * leads),
            "observed": np.where(windows.known.numpy() > 0, observed, np.nan).ravel(),
            "mean": means.mean(axis=0).ravel(),
            **{
                name: mixture_quantiles(self.likelihood, means, spread, share).ravel()
                for name, share in QUANTILES.items()
            },
            "trusted": self._trusted(windows, simulated, inputs).ravel(),
        }
        return pd.DataFrame(columns)

    def _trusted(self, windows: Windows, simulated: Predicted, inputs: Inputs) -> NDArray[np.bool_]:
        """Whether nothing on the way to a state left where functions were learned, (B, H, n)."""
        states = torch.cat([simulated.start[:, :, None], simulated.states], dim=2).numpy()
        low, high, around = self.units.low, self.units.high, self.seen[1:]
        slack = _SLACK * (high - low)
        low = -np.inf if self.units.positive else low  # states below 0 are rates close to 0
        inside = (states.min(axis=0) >= low - slack) & (states.max(axis=0) <= high + slack)
        times = windows.times.ravel()
        s = inputs(times).numpy()
        width = _SLACK * (around[:, 1] - around[:, 0])
        beyond = (s < around[:, 0] - width) | (s > around[:, 1] + width)
        fair = np.logical_not(beyond).prod(axis=1).reshape(windows.times.shape) > 0
        good: NDArray[np.bool_] = inside & fair[:, :, None]
        good &= (windows.latest.known.sum(1) > 0).numpy()[:, None]
        trusted: NDArray[np.bool_] = np.logical_and.accumulate(good, axis=1)[:, 1:]
        return trusted
