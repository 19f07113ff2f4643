"""What neural ODEs have learned: their three scalar functions, and their vector field, on states.

Functions are compared over the states of the training data and in one gauge, because h_ego and
h_alt are only known up to a factor.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nodeflow.dynamics.systems import Field
from nodeflow.neural_ode.layout import NETS
from nodeflow.neural_ode.model import evaluate_net

__all__ = ["field_residuals", "function_coordinates", "learned_functions", "true_functions"]

Floats = NDArray[np.float64]


def learned_functions(parameters: Mapping[str, Tensor], states: Floats) -> Floats:
    """f, h_ego and h_alt of canonical neural ODEs at some states.

    Args:
        parameters: R neural ODEs in their balanced form.
        states: (K,).

    Returns:
        (R, 3, K).
    """
    exact = {name: tensor.double() for name, tensor in parameters.items()}
    count = len(next(iter(exact.values())))
    x = torch.from_numpy(states).double().expand(count, -1).contiguous()
    values: Floats = torch.stack([evaluate_net(exact, net, x) for net in NETS], 1).numpy()
    return values


def true_functions(field: Field, states: Floats) -> Floats:
    """f, h_ego and h_alt of the true system, (3, K), balanced as `balanced_gauge` does it."""
    values = [np.broadcast_to(h(states), states.shape) for h in (field.f, field.h_ego, field.h_alt)]
    f, ego, alt = (np.asarray(x, dtype=np.float64) for x in values)
    size = float(np.sqrt(np.sqrt(np.square(alt).mean() / np.square(ego).mean())))
    factor = size if alt.mean() >= 0 else -size
    return np.stack([f, factor * ego, alt / factor])


def function_coordinates(values: Floats, zoo: Floats) -> Floats:
    """Functions as points: the mean square distance of a zoo's functions to their mean is 1.

    Args:
        values: (R, 3, K) functions.
        zoo: (Z, 3, K) those of the zoo's training members; each of the three functions is measured
            in units of its own deviation over them.

    Returns:
        (R, 3 K); Euclidean distances between rows are root mean square differences of functions.
    """
    spread = np.sqrt(np.square(zoo - zoo.mean(0)).mean((0, 2)))
    scale = np.where(spread > 0, spread, 1.0) * np.sqrt(3 * zoo.shape[2])
    flat: Floats = (values / scale[:, None]).reshape(len(values), -1)
    return flat


def field_residuals(
    parameters: Mapping[str, Tensor], field: Field, adjacency: Floats, states: Floats
) -> tuple[Floats, Floats]:
    """How far learned vector fields are from the true one on one graph.

    Args:
        parameters: R neural ODEs.
        field: the true vector field.
        adjacency: (n, n).
        states: (B, n).

    Returns:
        Differences (R, B · n), and for each neural ODE the mean absolute difference over the mean
        absolute true velocity, (R,).
    """
    f, ego, alt = learned_functions(parameters, states.ravel()).transpose(1, 0, 2)
    shape = (len(f), *states.shape)
    found = f.reshape(shape) + ego.reshape(shape) * (alt.reshape(shape) @ adjacency.T)
    true = field.f(states) + field.h_ego(states) * (field.h_alt(states) @ adjacency.T)
    difference = (found - true).reshape(len(f), -1)
    return difference, np.abs(difference).mean(1) / np.abs(true).mean()
