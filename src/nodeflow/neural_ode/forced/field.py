"""The vector field of neural ODEs with inputs and covariates.

dx_i/dt = f(x_i, s, c_i) + h_ego(x_i, s, c_i) Σ_j A_ij h_alt(x_j): beside the state of its node, f
and h_ego read inputs s(t) that are the same for all nodes (season, temperature, policy) and
covariates c_i that are constant in time (population, a rate). A_ij is what j does to i. Replicates
are stacked: every parameter has a leading axis of R replicates.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import selu

from nodeflow.neural_ode.layout import NETS

__all__ = [
    "EVERYWHERE",
    "FORCED",
    "Learned",
    "Parameters",
    "forced_velocity",
    "initial_forced_parameters",
]

Parameters = dict[str, Tensor]

FORCED = ("f", "h_ego")
"""Networks that read inputs and covariates; h_alt reads states alone."""


@dataclass(frozen=True)
class Learned:
    """States between which functions are what was learned. Beyond, they are not extrapolated.

    They keep their values there, so that nothing explodes; or, where states are rates from 0 on,
    f and h_alt grow in proportion to the state above `high`: then relative rates of change keep
    their values, and an outbreak twice as large as any that was seen grows twice as fast.

    Attributes:
        low: smallest state.
        high: largest state; positive if `proportional`.
        proportional: whether f and h_alt grow above it.
    """

    low: float
    high: float
    proportional: bool = False


EVERYWHERE = Learned(-math.inf, math.inf)
"""Functions that were learned at all states."""


def initial_forced_parameters(
    generators: Sequence[torch.Generator],
    *,
    hidden: Sequence[int],
    inputs: int,
    covariates: int,
    scale: float,
    dtype: torch.dtype,
) -> Parameters:
    """Untrained networks: weights from N(0, scale / fan_in), last ones a tenth of it.

    Biases are zero.

    Args:
        generators: one for each of the R replicates, on the CPU.
        hidden: widths of the hidden layers.
        inputs: number S of inputs.
        covariates: number C of covariates.
        scale: variance of the weights times fan-in.
        dtype: of the parameters; what is drawn does not depend on it.

    Returns:
        Names such as "f.0.weight", shape (R, fan_out, fan_in), whose columns are the state, inputs
        and covariates in the first layer; and "f.0.bias", shape (R, fan_out).
    """
    parameters: Parameters = {}
    for net in NETS:
        first = 1 + inputs + covariates if net in FORCED else 1
        widths = (first, *hidden, 1)
        for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
            drawn = torch.stack([torch.randn(fan_out, fan_in, generator=g) for g in generators])
            size = math.sqrt(scale / fan_in) * (0.1 if fan_out == 1 else 1.0)
            parameters[f"{net}.{layer}.weight"] = (drawn * size).to(dtype)
            parameters[f"{net}.{layer}.bias"] = torch.zeros(len(generators), fan_out, dtype=dtype)
    return parameters


def _evaluate(
    parameters: Mapping[str, Tensor], net: str, x: Tensor, outer: Tensor | None = None
) -> Tensor:
    """One network of every replicate at states (R, B, n); `outer` is what the first layer adds."""
    weight = parameters[f"{net}.0.weight"]
    first = x[..., None] * weight[:, None, None, :, 0]
    bias = parameters[f"{net}.0.bias"][:, None, None]
    hidden = first + (bias if outer is None else outer + bias)
    shape = hidden.shape
    hidden = hidden.reshape(shape[0], -1, shape[-1])
    layer = 1
    while f"{net}.{layer}.weight" in parameters:
        weight, bias = parameters[f"{net}.{layer}.weight"], parameters[f"{net}.{layer}.bias"]
        hidden = torch.baddbmm(bias[:, None], selu(hidden), weight.transpose(1, 2))
        layer += 1
    return hidden.reshape(x.shape)


def _outer(
    parameters: Mapping[str, Tensor], net: str, inputs: Tensor, covariates: Tensor
) -> Tensor:
    """What inputs (B, S) and covariates (n, C) add in the first layer, (R, B, n or 1, width)."""
    weight = parameters[f"{net}.0.weight"].transpose(1, 2)[:, 1:]
    at_time = inputs @ weight[:, : inputs.shape[1]]
    at_node = covariates @ weight[:, inputs.shape[1] :]
    return at_time[:, :, None] + at_node[:, None]


def forced_velocity(
    parameters: Mapping[str, Tensor],
    adjacency: Tensor,
    states: Tensor,
    inputs: Tensor,
    covariates: Tensor,
    learned: Learned = EVERYWHERE,
) -> Tensor:
    """The vector field of every replicate.

    Args:
        parameters: of `initial_forced_parameters`.
        adjacency: (n, n), dense or sparse; A_ij is what j does to i.
        states: (R, B, n).
        inputs: s at the time of each of the B states, (B, S).
        covariates: (n, C).
        learned: states between which functions are what was learned, and what they are beyond.

    Returns:
        dx/dt, shape (R, B, n).
    """
    inside = states.clamp(learned.low, learned.high)
    f, ego = (
        _evaluate(parameters, net, inside, _outer(parameters, net, inputs, covariates))
        for net in FORCED
    )
    alter = _evaluate(parameters, "h_alt", inside)
    if learned.proportional:
        excess = (states / learned.high).clamp_min(1.0)
        f, alter = f * excess, alter * excess
    onto = (adjacency @ alter.flatten(0, 1).T).T.reshape(alter.shape)
    return f + ego * onto
