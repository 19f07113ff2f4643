"""The neural ODE of Laber, Eliassi-Rad and Klein (2026, arXiv:2602.08980): three scalar networks.

The vector field is dx_i/dt = f(x_i) + h_ego(x_i) Σ_j A_ij h_alt(x_j), where f, h_ego and h_alt are
multilayer perceptrons of one input (the state of one node) and one output, with SELU between their
layers, or a smooth activation. Replicates are stacked: every parameter has a leading replicate
axis.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from nodeflow.neural_ode.layout import NETS, SELU, WIDTHS, check_widths, widths_of

__all__ = ["FUNCTIONS", "Parameters", "evaluate_net", "initial_parameters", "velocity"]

Parameters = dict[str, Tensor]
"""Names such as "h_ego.0.weight", shape (R, fan_out, fan_in), and "h_ego.0.bias", (R, fan_out)."""

FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    SELU: functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": partial(functional.softplus, threshold=40.0),  # exact in float64
    "tanh": torch.tanh,
}
"""The activations of `layout.ACTIVATIONS`."""


def initial_parameters(
    generators: Sequence[torch.Generator],
    *,
    widths: Sequence[int] = WIDTHS,
    scale: float = 1e-2,
) -> Parameters:
    """Untrained networks: weights from N(0, scale / fan_in), biases zero.

    Args:
        generators: one for each of the R replicates, on the CPU.
        widths: layer widths of each network, from 1 to 1.
        scale: variance of the weights times fan_in; 0.01 in the paper.

    Returns:
        Parameters in float32 on the CPU.

    Raises:
        ModelProblem: widths that do not lead from one number to one number.
    """
    widths = check_widths(widths)
    parameters: Parameters = {}
    for net in NETS:
        for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
            drawn = [torch.randn(fan_out, fan_in, generator=g) for g in generators]
            parameters[f"{net}.{layer}.weight"] = torch.stack(drawn) * math.sqrt(scale / fan_in)
            parameters[f"{net}.{layer}.bias"] = torch.zeros(len(generators), fan_out)
    return parameters


def evaluate_net(
    parameters: Mapping[str, Tensor], net: str, x: Tensor, activation: str = SELU
) -> Tensor:
    """One scalar network of every replicate.

    Args:
        parameters: the stack.
        net: one of `NETS`.
        x: states, shape (R, …).
        activation: one of `layout.ACTIVATIONS`.

    Returns:
        Values, of the shape of `x`.
    """
    depth = len(widths_of(parameters)) - 1
    hidden = x.flatten(1).unsqueeze(-1)
    for layer in range(depth):
        weight, bias = parameters[f"{net}.{layer}.weight"], parameters[f"{net}.{layer}.bias"]
        hidden = torch.baddbmm(bias.unsqueeze(1), hidden, weight.transpose(1, 2))
        if layer < depth - 1:
            hidden = FUNCTIONS[activation](hidden)
    return hidden.reshape(x.shape)


def velocity(parameters: Mapping[str, Tensor], adjacency: Tensor, states: Tensor) -> Tensor:
    """The vector field of every replicate, by exact evaluation of its networks with SELU.

    Args:
        parameters: the stack.
        adjacency: (R, n, n); entry (i, j) weighs what node j contributes to node i.
        states: (R, B, n).

    Returns:
        dx/dt, shape (R, B, n).
    """
    f, h_ego, h_alt = (evaluate_net(parameters, net, states) for net in NETS)
    return f + h_ego * torch.bmm(h_alt, adjacency.transpose(1, 2))
