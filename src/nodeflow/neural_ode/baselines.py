"""What the training loss would be of two predictions that learn nothing from the trajectories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.dynamics.mean_field import mean_field_states
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.observations import observed
from nodeflow.neural_ode.recipes import slopes
from nodeflow.neural_ode.settings import MatchingSettings, Settings
from nodeflow.neural_ode.store import Models

__all__ = ["with_baselines"]

Floats = NDArray[np.float64]


def with_baselines(
    history: pd.DataFrame,
    models: Models,
    system: Field,
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    settings: Settings,
    tolerance: Tolerance,
) -> pd.DataFrame:
    """A training history with the losses of persistence and of the mean field beside each loss.

    Persistence predicts that nothing ever changes; the mean field is that of the true system.

    Args:
        history: what `train_models` returned.
        models: likewise.
        system: the true vector field.
        graphs: the training graphs.
        trajectories: the training data.
        settings: of the recipe.
        tolerance: of the mean field.

    Returns:
        The columns of `NEURAL_ODE_HISTORY`.
    """
    losses = {}
    for data in observed(graphs, trajectories):
        off: list[list[Floats]] = [[], []]
        for times, observed_states in data.groups:
            states = observed_states.astype(np.float64)
            mean = mean_field_states(system, graphs[data.graph], states[:, 0], times, tolerance)
            for differences, prediction in zip(off, (states[:, :1], mean), strict=True):
                differences.append(_difference(prediction, states, times, settings).ravel())
        losses[data.graph] = [_loss(np.concatenate(differences), settings) for differences in off]
    beside = np.array([losses[graph] for graph in models.training_graph])[history["replicate"]]
    return history.assign(loss_persistence=beside[:, 0], loss_mean_field=beside[:, 1])


def _difference(predicted: Floats, states: Floats, times: Floats, settings: Settings) -> Floats:
    """Between predicted trajectories and observed ones, or with matching between their slopes."""
    predicted = np.broadcast_to(predicted, states.shape)
    if isinstance(settings, MatchingSettings):
        difference: Floats = slopes(times, predicted, settings) - slopes(times, states, settings)
        return difference
    return predicted - states


def _loss(difference: Floats, settings: Settings) -> float:
    """In the units of the recipe."""
    if isinstance(settings, MatchingSettings):
        return float(np.abs(difference).mean())
    return float(np.sqrt(np.square(difference).mean()))
