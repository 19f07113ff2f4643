"""Files of priors, which runs make and users bring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.priors.gaussian import Prior
from nodeflow.tables import FileProblem, Kind, read_parameters, read_tensors, write_tensors

__all__ = ["PRIOR", "load_prior", "save_prior"]

PRIOR = Kind("prior of functions", 2, written="nodeflow.priors.save_prior")

_TENSORS = ("states", "mean", "modes", "metric")
"""The arrays of a prior in its file."""


def save_prior(path: str | Path, prior: Prior, parameters: Mapping[str, Any] | None = None) -> None:
    """Write a prior as one safetensors file.

    Args:
        path: the file.
        prior: what to write.
        parameters: of a run that makes it; `load_prior` compares them.
    """
    tensors = {name: getattr(prior, name) for name in _TENSORS}
    facts = {
        **(parameters or {}),
        "made": dict(prior.made),
        "kept": prior.kept,
        "error": prior.error,
        "seen": list(prior.seen),
    }
    write_tensors(path, tensors, PRIOR, facts)


def load_prior(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Prior:
    """Read a prior.

    Raises:
        FileProblem: the file is missing, damaged, no prior's, or made with other parameters.
    """
    tensors, facts = read_tensors(path, PRIOR, parameters), read_parameters(path)
    try:
        states, mean, modes, metric = (tensors[name] for name in _TENSORS)
        low, high = map(float, facts["seen"])
        prior = Prior(
            states, mean, modes, int(facts["kept"]), float(facts["error"]), (low, high),
            metric, _in_order(facts["made"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise _no_prior(path) from error
    count = 3 * len(states)
    shapes = [(3, len(states)), (count, 3, len(states)), (count, count)]
    rising = low < high and bool((np.diff(states) > 0).all())
    finite = all(np.isfinite(tensors[name]).all() for name in _TENSORS)
    if [mean.shape, modes.shape, metric.shape] != shapes or not (
        rising and finite and 0 < prior.kept <= len(modes)
    ):
        raise _no_prior(path)
    return prior


def _in_order(made: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ranges as they were given: what is drawn depends on their order, which files do not keep."""
    if "coefficients" not in made:
        return made
    return {**made, "ranges": {name: made["ranges"][name] for name in made["coefficients"]}}


def _no_prior(path: str | Path) -> FileProblem:
    return FileProblem(
        f"{path} does not hold a whole prior: finite states, mean, modes and metric, kept, error "
        "and seen; write it with nodeflow.priors.save_prior."
    )
