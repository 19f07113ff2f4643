"""Learned functions beside the true ones, after what cannot be told apart has been made alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.dynamics.systems import Field
from nodeflow.neural_ode.field import Learned, exact_fields
from nodeflow.threads import one_thread_if_small

__all__ = ["compare_functions", "factor_between"]

_POINTS = 64
_REACH = 3.0
"""How far beyond the largest training state to look, in units of it."""

_COLUMNS = ("x", "learned", "true", "inside", "replicate", "function")


def factor_between(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The factor by which values are closest to others, by least squares; 1 if either are 0."""
    return float(other @ one) / max(float(np.square(one).sum()), 1e-300) or 1.0


@one_thread_if_small
def compare_functions(models: Learned, system: Field) -> pd.DataFrame:
    """Values of all functions, inside the range of training and beyond.

    (h_ego, h_alt) and (c h_ego, h_alt / c) are the same model. Each model's c is the one with which
    its h_alt is closest to the true one, by least squares over the training range.

    Args:
        models: R models: neural ODEs, or other fields that were learned.
        system: the true vector field.

    Returns:
        Rows with the columns of `NEURAL_ODE_FUNCTIONS`; none for models whose training failed.
    """
    parts = []
    for replicate, net in enumerate(exact_fields(models)):
        if net is None:
            continue
        low, high = models.seen[replicate]
        inside = np.linspace(low, high, _POINTS)
        x = np.concatenate([inside, np.linspace(high, _REACH * high, _POINTS + 1)[1:]])
        h_ego, h_alt, true = net.h_ego(x), net.h_alt(x), system.h_alt(x)
        c = factor_between(h_alt[:_POINTS], true[:_POINTS])
        rows = {
            "f": (net.f(x), system.f(x)),
            "h_ego": (h_ego / c, system.h_ego(x)),
            "h_alt": (h_alt * c, true),
            "product": (h_ego * h_alt, system.h_ego(x) * true),
        }
        for name, (learned, exact) in rows.items():
            columns = {"x": x, "learned": learned, "true": exact, "inside": x <= high}
            parts.append(pd.DataFrame(columns).assign(replicate=replicate, function=name))
    if not parts:
        return pd.DataFrame({name: [] for name in _COLUMNS})
    return pd.concat(parts, ignore_index=True)
