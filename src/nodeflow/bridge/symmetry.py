"""The symmetries of a neural ODE: hidden units may change places, the interaction has a gauge.

A neural ODE dx_i/dt = f(x_i) + h_ego(x_i) Σ_j A_ij h_alt(x_j) is the same on all graphs and states
exactly if f and the product h_ego(x) h_alt(y) are: an isolated node shows f, two connected nodes
show the product. What may change is therefore

* the order of the hidden units within each layer of each of the three networks;
* the factor in (a · h_ego, h_alt / a), a ≠ 0 of either sign. Both last layers are linear, so it is
  reached by scaling their weights and biases.

There is no shift: h_alt + c adds c k_i h_ego(x_i) to node i, which a change of f can absorb only
where all degrees k_i are equal, and no single unit of SELU can be scaled or reflected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from nodeflow.canonical.symmetry import Group, Place, Symmetry
from nodeflow.neural_ode.layout import NETS, check_widths, widths_of
from nodeflow.neural_ode.model import evaluate_net

__all__ = ["balanced_gauge", "node_shapes", "node_symmetry", "scale_interaction"]


def node_shapes(widths: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of one neural ODE, in the order in which it is flattened.

    Raises:
        ModelProblem: widths that do not lead from one number to one number.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for net in NETS:
        for layer, (fan_in, fan_out) in enumerate(pairwise(check_widths(widths))):
            shapes[f"{net}.{layer}.weight"] = (fan_out, fan_in)
            shapes[f"{net}.{layer}.bias"] = (fan_out,)
    return shapes


def node_symmetry(widths: Sequence[int]) -> Symmetry:
    """Permutations of the hidden units of the three networks; no unit can be scaled.

    Raises:
        ModelProblem: widths that do not lead from one number to one number.
    """
    hidden = check_widths(widths)[1:-1]
    groups = []
    for net in NETS:
        for layer, size in enumerate(hidden):
            places = (
                Place(f"{net}.{layer}.weight", 0),
                Place(f"{net}.{layer}.bias", 0),
                Place(f"{net}.{layer + 1}.weight", 1),
            )
            groups.append(Group(f"{net}.{layer}", size, places))
    return Symmetry(tuple(groups))


def scale_interaction(parameters: Mapping[str, Tensor], factors: Tensor) -> dict[str, Tensor]:
    """The same vector fields with h_ego `factors` times as large, and h_alt by as much smaller.

    Args:
        parameters: R neural ODEs, tensors of shape (R, *shape).
        factors: (R,), finite and not 0.
    """
    last = len(widths_of(parameters)) - 2
    scaled = dict(parameters)
    for net, factor in (("h_ego", factors), ("h_alt", 1 / factors)):
        for part in ("weight", "bias"):
            tensor = parameters[f"{net}.{last}.{part}"]
            shape = (-1, *[1] * (tensor.ndim - 1))
            scaled[f"{net}.{last}.{part}"] = (tensor * factor.to(tensor.device).view(shape)).to(
                tensor.dtype
            )
    return scaled


def balanced_gauge(parameters: Mapping[str, Tensor], states: Tensor) -> Tensor:
    """The factors that bring each interaction into one form: `scale_interaction` applies them.

    In it h_ego and h_alt have the same root mean square over the given states, and h_alt a positive
    mean. An interaction that is zero at all these states has no gauge to fix; its factor is 1.

    Args:
        parameters: R neural ODEs, tensors of shape (R, *shape).
        states: (K,) for all, or (R, K); the same for equal vector fields, so that these get equal
            forms.

    Returns:
        (R,) float64.
    """
    exact = {name: tensor.double() for name, tensor in parameters.items()}
    count = len(next(iter(exact.values())))
    x = states.double().expand(count, -1).contiguous()
    ego, alt = evaluate_net(exact, "h_ego", x), evaluate_net(exact, "h_alt", x)
    size = (alt.square().mean(1) / ego.square().mean(1)).sqrt().sqrt()
    sign = torch.where(alt.mean(1) < 0, -1.0, 1.0)
    fixed = size.isfinite() & (size > 0)
    return torch.where(fixed, sign.double() * size, torch.ones_like(size))
