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

import numpy as np
import torch
from torch import Tensor

from nodeflow.canonical.align import align_block, finite
from nodeflow.canonical.matching import MatchSettings
from nodeflow.canonical.symmetry import Group, Place, Symmetry
from nodeflow.neural_ode.layout import NETS, check_widths, widths_of
from nodeflow.neural_ode.model import evaluate_net
from nodeflow.problems import Problem

__all__ = [
    "CanonicalProblem",
    "balanced_gauge",
    "canonicalize",
    "common_order",
    "neural_ode_shapes",
    "neural_ode_symmetry",
    "scale_interaction",
]


class CanonicalProblem(Problem):
    """Neural ODEs from which no common order can be found."""


def neural_ode_shapes(widths: Sequence[int]) -> dict[str, tuple[int, ...]]:
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


def neural_ode_symmetry(widths: Sequence[int]) -> Symmetry:
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


def canonicalize(
    parameters: Mapping[str, Tensor],
    states: Tensor,
    reference: Mapping[str, Tensor],
    settings: MatchSettings,
) -> dict[str, Tensor]:
    """Balance each interaction, then bring the hidden units into the order of a reference.

    Args:
        parameters: R neural ODEs, tensors of shape (R, *shape).
        states: (K,) or (R, K) states over which interactions are balanced.
        reference: one neural ODE in its balanced form, tensors of shape (*shape).
        settings: of the matching of hidden units.

    Returns:
        The same vector fields.
    """
    balanced = scale_interaction(parameters, balanced_gauge(parameters, states))
    symmetry = neural_ode_symmetry(widths_of(parameters))
    return dict(align_block(balanced, reference, symmetry, settings).parameters)


def common_order(
    parameters: Mapping[str, Tensor],
    states: Tensor,
    settings: MatchSettings,
    rounds: int = 20,
) -> dict[str, Tensor]:
    """The reference for `canonicalize`: the mean of neural ODEs after matching them to each other.

    All are matched to the first one, then again and again to the mean of all, until none moves.

    Args:
        parameters: R neural ODEs, tensors of shape (R, *shape); those that are not finite are left
            out.
        states: (K,) or (R, K) states over which interactions are balanced.
        settings: of the matching.
        rounds: matchings to the mean at most.

    Returns:
        One neural ODE, float64 tensors of shape (*shape).

    Raises:
        CanonicalProblem: none of them is finite.
    """
    where = torch.from_numpy(np.flatnonzero(finite(parameters)))
    if len(where) == 0:
        raise CanonicalProblem(
            "None of the neural ODEs has finite parameters; train them with a lower learning rate."
        )
    good = {name: tensor.double()[where] for name, tensor in parameters.items()}
    seen = states[where] if states.ndim == 2 else states
    balanced = scale_interaction(good, balanced_gauge(good, seen))
    symmetry = neural_ode_symmetry(widths_of(parameters))
    first = {name: tensor[0] for name, tensor in balanced.items()}
    aligned = align_block(balanced, first, symmetry, settings).parameters
    for _ in range(rounds):
        centre = {name: tensor.mean(0) for name, tensor in aligned.items()}
        moved = align_block(aligned, centre, symmetry, settings).parameters
        same = all(torch.equal(moved[name], aligned[name]) for name in aligned)
        aligned = moved
        if same:
            break
    return {name: tensor.mean(0) for name, tensor in aligned.items()}
