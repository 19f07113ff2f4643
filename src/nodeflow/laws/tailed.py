"""Neural ODEs with the tails of laws, from the files of both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeflow.laws.store import read_laws
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.store import read_models
from nodeflow.neural_ode.tails import models_with_tails

__all__ = ["read_tailed"]


def read_tailed(models: str | Path, laws: str | Path, parameters: Mapping[str, Any]) -> Fields:
    """The neural ODEs of a file, those of training graphs that have a law, with its tails.

    Args:
        models: file of the neural ODEs.
        laws: file of the laws.
        parameters: values that the files' parameters must have: of `models` and of `laws`.

    Raises:
        FileProblem: as in `read_models` and `read_laws`.
    """
    return models_with_tails(
        read_models(models, parameters["models"]), read_laws(laws, parameters["laws"]).fields
    )
