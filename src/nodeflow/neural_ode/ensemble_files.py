"""Ensembles as files, with all that their predictions need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.ensemble import Ensemble
from nodeflow.neural_ode.seen import Seen
from nodeflow.neural_ode.store import models_from
from nodeflow.neural_ode.trust import Calibration
from nodeflow.stack_files import to_arrays
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors
from nodeflow.threads import one_thread_if_small

__all__ = ["ENSEMBLE", "load_ensemble", "save_ensemble"]

ENSEMBLE = Kind("ensemble", 2, written="nodeflow.neural_ode.save_ensemble")


def save_ensemble(
    path: str | Path, ensemble: Ensemble, parameters: Mapping[str, Any] | None = None
) -> None:
    """Write an ensemble as one safetensors file, with all that its predictions need.

    Args:
        path: the file.
        ensemble: what to write.
        parameters: what else the file should say of how it was made.
    """
    models = ensemble.models
    facts = {
        "made": dict(ensemble.made),
        "seen": ensemble.seen.to_dict(),
        "calibration": ensemble.calibration.to_dict(),
        "noise": ensemble.noise,
        "strength": ensemble.strength,
        "notes": list(ensemble.notes),
    }
    if isinstance(models, Curves):
        tensors = {"states": models.states, "values": models.values}
    else:
        tensors, names = to_arrays(models)
        facts |= names | {"activation": models.activation}
    write_tensors(path, tensors, ENSEMBLE, {**(parameters or {}), **facts})


@one_thread_if_small
def load_ensemble(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Ensemble:
    """Read an ensemble.

    Args:
        path: the file.
        parameters: values that the file's parameters must have, where given.

    Raises:
        FileProblem: the file is missing, damaged, no ensemble's, or made with other parameters.
    """
    tensors = read_tensors(path, ENSEMBLE, parameters)
    facts = read_parameters(path)
    return Ensemble(
        Curves(tensors["states"], tensors["values"])
        if "states" in tensors
        else models_from(tensors, facts),
        Seen.from_dict(facts["seen"]),
        Calibration.from_dict(facts["calibration"]),
        facts["noise"],
        facts["strength"],
        facts["made"],
        tuple(facts["notes"]),
    )
