"""Files of forecasters."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from nodeflow.graphs.graph import build_graph
from nodeflow.neural_ode.forced.forecaster import HISTORY, Forecaster
from nodeflow.neural_ode.forced.inputs import Inputs
from nodeflow.neural_ode.forced.model import Units
from nodeflow.neural_ode.forced.places import Places
from nodeflow.neural_ode.forced.settings import ForecasterProblem, ForecasterSettings
from nodeflow.neural_ode.likelihoods import LIKELIHOODS
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors
from nodeflow.threads import one_thread_if_small

__all__ = ["FORECASTER", "load_forecaster", "save_forecaster"]

FORECASTER = Kind("forecaster", 1)

_PARAMETERS = "parameters."
_INPUTS = "inputs."
_TABLE = ("times", "values", "shift", "size")


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
