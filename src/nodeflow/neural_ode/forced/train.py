"""Training of forecasters: the likelihood of rollouts of several steps from many origins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.data.series import Series, check_nodes
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.forced.field import Parameters, initial_forced_parameters
from nodeflow.neural_ode.forced.forecaster import HISTORY, Forecaster
from nodeflow.neural_ode.forced.inputs import Inputs, read_inputs
from nodeflow.neural_ode.forced.model import Setting, Units, simulate, spreads
from nodeflow.neural_ode.forced.places import Places, as_places, scaling
from nodeflow.neural_ode.forced.settings import ForecasterProblem, ForecasterSettings
from nodeflow.neural_ode.forced.start import initial_filter
from nodeflow.neural_ode.forced.windows import Windows, cut_windows
from nodeflow.neural_ode.likelihoods import LIKELIHOODS, Likelihood
from nodeflow.optimizers import Adam, cosine
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small

__all__ = ["train_forecaster"]

_LOOKS = 20
"""How often the validation loss is computed while the number of steps is chosen."""

_RARE = 1e-3
"""Share of observations on either side beyond which functions are held constant."""

_VARIANCE = 1.0
"""Variance of initial weights times fan-in."""


@one_thread_if_small
def train_forecaster(
    graph: nx.Graph[Any] | Graph,
    series: Series,
    settings: ForecasterSettings | None = None,
    *,
    exposure: Any = None,
    inputs: pd.DataFrame | str | Path | None = None,
    covariates: pd.DataFrame | None = None,
    seed: int = 0,
) -> Forecaster:
    """Train an ensemble of neural ODEs with inputs s(t) and covariates c of nodes.

    They are dx_i/dt = f(x_i, s, c_i) + h_ego(x_i, s, c_i) Σ_j A_ij h_alt(x_j). Rollouts start
    at filtered states of many origins at once, and their loss is that of a likelihood of the
    observations that follow, over the horizon. A_ij is what j does to i.

    Args:
        graph: the network; its directions and weights are used.
        series: what was observed on its nodes, of `nodeflow.data.read_series`; values may be
            missing and times uneven.
        settings: see `ForecasterSettings`.
        exposure: a positive number for each node; observations are rate times exposure.
        inputs: a table or CSV file with the column time and a column for each input s(t).
        covariates: a table with a row for each node and a column for each covariate c.
        seed: of all that is random; the same gives the same forecaster.

    Raises:
        ForecasterProblem: the series are of other nodes, too short, never change or do not fit the
            likelihood; or exposure, inputs or covariates do not fit.
    """
    settings = settings or ForecasterSettings()
    places = as_places(graph, exposure, covariates)
    check_nodes(series, places.graph, ForecasterProblem)
    likelihood = _likelihood(series, settings)
    units = _units(series, places, settings, likelihood)
    known = [run.times for run in series.runs]
    first, last = min(t[0] for t in known), max(t[-1] for t in known)
    given = read_inputs(inputs, settings.periods, settings.harmonics)
    given.check(first, last)
    given = given.spread_over(first, last)
    centre, extent = scaling(places.covariates)
    dtype = torch.float64 if settings.precision == "double" else torch.float32
    windows = cut_windows(
        series.runs, places.exposure, lags=settings.lags, ahead=settings.horizon,
        unit=units.time, dtype=dtype,
    )  # fmt: skip
    windows = windows.take(torch.nonzero(windows.latest.known.sum((1, 2)) > 0).ravel())
    _check_length(series, windows, settings)
    task = _Task(
        settings, Setting.of(settings, places, centre, extent, given, units), likelihood, seed
    )
    steps, chosen = settings.steps, pd.DataFrame()
    if settings.validation:
        early, late = _split(windows, settings)
        _, chosen = _train(task, early, settings.steps, "choice", late)
        by_step = chosen.groupby("step")["validation_loss"].mean()
        steps = int(by_step.index[int(np.argmin(by_step))])
    parameters, history = _train(task, windows, steps, "final")
    return Forecaster(
        parameters,
        settings,
        places,
        centre,
        extent,
        given,
        units,
        _seen(series, places, given, units),
        likelihood,
        pd.concat([chosen, history], ignore_index=True),
    )


@dataclass(frozen=True)
class _Task:
    settings: ForecasterSettings
    setting: Setting
    likelihood: Likelihood
    seed: int


def _train(
    task: _Task, windows: Windows, steps: int, phase: str, late: Windows | None = None
) -> tuple[Parameters, pd.DataFrame]:
    """Adam on batches of origins; the learning rate is that of a training of all steps."""
    settings = task.settings
    parameters = _initial(task)
    for value in parameters.values():
        value.requires_grad_()
    optimizer = Adam(parameters.values())
    draws = torch_generator(task.seed, "forecaster origins")
    looks = {math.ceil(settings.steps * (k + 1) / _LOOKS) for k in range(_LOOKS)}
    rows = []
    for step in range(1, steps + 1):
        batch = torch.randint(len(windows), (min(settings.batch, len(windows)),), generator=draws)
        loss = _loss(parameters, task, windows.take(batch))
        optimizer.zero_grad()
        loss.sum().backward()  # type: ignore[no-untyped-call]
        _clip(parameters, settings.clip)
        optimizer.step(cosine(step - 1, settings.steps, settings.learning_rate))
        if step in looks or step == steps:
            losses, apart = loss.tolist(), [math.nan] * settings.models
            if late is not None:
                with torch.no_grad():
                    apart = _loss(parameters, task, late).tolist()
            rows += [
                (phase, step, model, losses[model], apart[model])
                for model in range(settings.models)
            ]
    history = pd.DataFrame(rows, columns=list(HISTORY))
    bad = ~np.isfinite(history["loss"].to_numpy())
    if bad.any():
        raise ForecasterProblem(
            f"Training became unstable at step {history['step'][int(np.argmax(bad))]}; lower "
            f"learning_rate below {settings.learning_rate:g} or raise substeps."
        )
    return {name: value.detach() for name, value in parameters.items()}, history


def _initial(task: _Task) -> Parameters:
    settings, setting = task.settings, task.setting
    dtype = setting.exposure.dtype
    generators = [
        torch_generator(task.seed, "forecaster", model) for model in range(settings.models)
    ]
    return {
        **initial_forced_parameters(
            generators,
            hidden=settings.hidden,
            inputs=setting.inputs.width,
            covariates=setting.covariates.shape[1],
            scale=_VARIANCE,
            dtype=dtype,
        ),
        **initial_filter(settings.models, settings.lags, dtype),
        "spread": torch.zeros(settings.models, settings.horizon, dtype=dtype),
    }


def _loss(parameters: Mapping[str, Tensor], task: _Task, windows: Windows) -> Tensor:
    """Mean over what is known of each model's negative log-likelihood, (R,)."""
    setting, units = task.setting, task.setting.units
    scale = 1.0 if task.likelihood.counts else units.size * setting.exposure
    losses = task.likelihood.loss(
        windows.observed / scale,
        simulate(parameters, setting, windows).means / scale,
        spreads(parameters, windows, units),
    )
    return (losses * windows.known).sum((1, 2, 3)) / windows.known.sum().clamp_min(1)


def _clip(parameters: Mapping[str, Tensor], most: float) -> None:
    gradients = [p.grad for p in parameters.values() if p.grad is not None]
    norm = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
    factor = (most / (norm + 1e-12)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))


def _likelihood(series: Series, settings: ForecasterSettings) -> Likelihood:
    values = np.concatenate([run.states[np.isfinite(run.states)] for run in series.runs])
    whole = bool(((values >= 0) & (values % 1 == 0)).all())
    name = settings.likelihood
    if name == "auto":
        name = "poisson" if whole else "gaussian"
    likelihood = LIKELIHOODS[name]
    if likelihood.counts and not whole:
        bad = values[(values < 0) | (values % 1 != 0)][0]
        raise ForecasterProblem(
            f"The likelihood {name} is that of counts, and {bad:g} is observed; give counts, and "
            "what they are divided by as exposure, or take the likelihood gaussian."
        )
    if settings.scale == "log" and (values < 0).any():
        raise ForecasterProblem(
            f"The scale log needs observations that are not negative, and {values.min():g} is "
            "observed; take the scale linear."
        )
    if settings.beyond == "proportional" and (settings.scale == "log" or not likelihood.counts):
        raise ForecasterProblem(
            f"Functions grow in proportion to rates of counts alone, and the scale is "
            f"{settings.scale} and the likelihood {name}; take the scale linear and a likelihood "
            "of counts, or set beyond to constant."
        )
    return likelihood


def _units(
    series: Series, places: Places, settings: ForecasterSettings, likelihood: Likelihood
) -> Units:
    rates = np.concatenate([(run.states / places.exposure).ravel() for run in series.runs])
    rates = rates[np.isfinite(rates)]
    time = float(np.median(np.concatenate([np.diff(run.times) for run in series.runs])))
    if rates.min() == rates.max():
        raise ForecasterProblem(
            f"Every observation has the rate {rates[0]:g}, so there is nothing to learn; give "
            "series that change."
        )
    log = settings.scale == "log"
    shift = 0.0 if likelihood.counts or log else float(rates.mean())
    size = float(rates.mean() if log else np.sqrt(np.square(rates - shift).mean()))
    free = Units(likelihood.counts, log, shift, size, time, -math.inf, math.inf)
    low, high = np.quantile(free.states(torch.from_numpy(rates)).numpy(), [_RARE, 1 - _RARE])
    return replace(free, low=float(low), high=float(high))


def _check_length(series: Series, windows: Windows, settings: ForecasterSettings) -> None:
    needed = settings.horizon + 1
    if not len(windows):
        longest = max(len(run.times) for run in series.runs)
        raise ForecasterProblem(
            f"The longest run has {longest} times, and rollouts over a horizon of "
            f"{settings.horizon} need {needed}; lower horizon to {longest - 1} at most, or observe "
            "more."
        )
    if settings.validation and min(map(len, _split(windows, settings))) == 0:
        raise ForecasterProblem(
            f"The runs have {len(windows)} origins of rollouts, too few to set a share of "
            f"{settings.validation:g} apart with a horizon of {settings.horizon}; set validation "
            "to 0, lower horizon, or observe more."
        )


def _split(windows: Windows, settings: ForecasterSettings) -> tuple[Windows, Windows]:
    """Early and late origins of each run; no observation is a target of both."""
    early, late = [], []
    for name in dict.fromkeys(windows.runs):
        places = np.flatnonzero(windows.runs == name)
        cut = round(len(places) * (1 - settings.validation))
        early += [*places[: max(cut - settings.horizon, 0)]]
        late += [*places[cut:]]
    return windows.take(torch.tensor(early, dtype=torch.long)), windows.take(
        torch.tensor(late, dtype=torch.long)
    )


def _seen(series: Series, places: Places, inputs: Inputs, units: Units) -> np.ndarray:
    """Smallest and largest state and input in the observations, (1 + S, 2)."""
    rates = np.concatenate([(run.states / places.exposure).ravel() for run in series.runs])
    states = units.states(torch.from_numpy(rates[np.isfinite(rates)]))
    times = torch.from_numpy(np.concatenate([run.times for run in series.runs]))
    columns = [states, *inputs(times).T]
    return np.array([[float(x.min()), float(x.max())] for x in columns])
