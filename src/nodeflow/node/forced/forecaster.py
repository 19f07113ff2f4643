"""Forecasts of observed series on a network, with bands, by neural ODEs with inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
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
from nodeflow.graphs.graph import Graph, build_graph
from nodeflow.node.forced_inputs import Inputs
from nodeflow.node.forced_model import Predicted, Setting, Units, simulate, spreads
from nodeflow.node.forced_places import Places, as_places
from nodeflow.node.forced_settings import ForecasterProblem, ForecasterSettings
from nodeflow.node.forced_windows import Windows, cut_windows
from nodeflow.node.likelihoods import LIKELIHOODS, Likelihood, mixture_quantiles
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors
from nodeflow.threads import one_thread_if_small

__all__ = [
    "FORECASTER",
    "HISTORY",
    "QUANTILES",
    "Forecaster",
    "load_forecaster",
    "save_forecaster",
    "scaling",
    "setting_of",
]

Floats = NDArray[np.float64]

FORECASTER = Kind("forecaster", 1)

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


@dataclass(frozen=True, eq=False)
class Forecaster:
    """An ensemble of neural ODEs with inputs; made by `train_forecaster` or `load_forecaster`.

    Attributes:
        parameters: of R models: of the three networks (see `nodeflow.node.forced`), of filtered
            starts (`nodeflow.node.forced_start`), and logarithms of spreads.
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
        """States and expected observations of all models; see `nodeflow.node.forced_model`."""
        setting = setting_of(
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
        found = self.simulate(windows, inputs)
        means = found.means.numpy().astype(np.float64)
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
            "trusted": self._trusted(windows, found, inputs).ravel(),
        }
        return pd.DataFrame(columns)

    def _trusted(self, windows: Windows, found: Predicted, inputs: Inputs) -> NDArray[np.bool_]:
        """Whether nothing on the way to a state left where functions were learned, (B, H, n)."""
        states = torch.cat([found.start[:, :, None], found.states], dim=2).numpy()
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


_PARAMETERS = "parameters."
_INPUTS = "inputs."
_TABLE = ("times", "values", "shift", "size")
_SLACK = 0.01
"""Share of the range seen in training by which states and inputs may leave it and be trusted."""


def save_forecaster(path: str | Path, forecaster: Forecaster) -> None:
    """Write a forecaster as one safetensors file; `load_forecaster` reads it.

    Raises:
        ForecasterProblem: names of nodes are neither texts nor numbers.
    """
    graph = forecaster.places.graph
    names = None if graph.names is None else list(graph.names)
    bad = next((x for x in names or [] if not isinstance(x, str | int | float)), None)
    if bad is not None:
        raise ForecasterProblem(
            f"Node {bad!r} has a name that a file cannot hold; call nodes by texts or numbers."
        )
    tensors = {
        **{f"{_PARAMETERS}{name}": x.numpy() for name, x in forecaster.parameters.items()},
        "edges": graph.edges,
        **({} if graph.weights is None else {"weights": graph.weights}),
        "exposure": forecaster.places.exposure,
        "covariates": forecaster.places.covariates,
        "centre": forecaster.centre,
        "extent": forecaster.extent,
        "seen": forecaster.seen,
        **{f"{_INPUTS}{name}": getattr(forecaster.inputs, name) for name in _TABLE},
    }
    about = {
        "settings": asdict(forecaster.settings),
        "units": asdict(forecaster.units),
        "likelihood": forecaster.likelihood.name,
        "covariates": list(forecaster.places.names),
        "inputs": list(forecaster.inputs.names),
        "n": graph.n,
        "directed": graph.directed,
        "names": names,
        "history": forecaster.history.replace(np.nan, None).to_dict(orient="list"),
    }
    write_tensors(path, tensors, FORECASTER, about)


@one_thread_if_small
def load_forecaster(path: str | Path) -> Forecaster:
    """A forecaster from the file that `save_forecaster` wrote.

    Raises:
        FileProblem: the file is missing, damaged, or no file of a forecaster.
    """
    tensors = {name: x.copy() for name, x in read_tensors(path, FORECASTER).items()}
    about = read_parameters(path)
    given: dict[str, Any] = about["settings"]
    settings = ForecasterSettings(**given)
    graph = build_graph(
        about["n"],
        tensors["edges"],
        weights=tensors.get("weights"),
        directed=about["directed"],
        names=about["names"],
    )
    return Forecaster(
        {
            name.removeprefix(_PARAMETERS): torch.from_numpy(x)
            for name, x in tensors.items()
            if name.startswith(_PARAMETERS)
        },
        settings,
        Places(graph, tensors["exposure"], tuple(about["covariates"]), tensors["covariates"]),
        tensors["centre"],
        tensors["extent"],
        Inputs(
            settings.periods,
            settings.harmonics,
            tuple(about["inputs"]),
            *(tensors[f"{_INPUTS}{name}"] for name in _TABLE),
        ),
        Units(**about["units"]),
        tensors["seen"],
        LIKELIHOODS[about["likelihood"]],
        pd.DataFrame(about["history"]).astype({"validation_loss": np.float64})[list(HISTORY)],
    )


def scaling(covariates: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each covariate over nodes; 1 instead of 0."""
    extent = covariates.std(axis=0)
    return covariates.mean(axis=0), np.where(extent > 0, extent, 1.0)


def setting_of(
    settings: ForecasterSettings,
    places: Places,
    centre: Floats,
    extent: Floats,
    inputs: Inputs,
    units: Units,
) -> Setting:
    """What is around the states, as tensors."""
    dtype = torch.float64 if settings.precision == "double" else torch.float32
    return Setting(
        places.matrix(settings.normalization, dtype),
        places.neighbours(dtype),
        torch.from_numpy((places.covariates - centre) / extent).to(dtype),
        torch.from_numpy(places.exposure).to(dtype),
        inputs,
        units,
        settings.substeps,
    )
