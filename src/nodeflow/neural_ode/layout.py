"""The layout of a neural ODE: three scalar networks, the names and shapes of their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nodeflow.problems import Problem

__all__ = [
    "ACTIVATIONS",
    "NETS",
    "SELU",
    "SELU_ABOVE",
    "SELU_BELOW",
    "WIDTHS",
    "ModelProblem",
    "check_widths",
    "widths_of",
]

NETS = ("f", "h_ego", "h_alt")
"""The three scalar networks: self-dynamics, ego part and alter part of the interaction."""

WIDTHS = (1, 64, 64, 64, 1)
"""Layer widths of each network in the paper: 8,513 parameters, 25,539 in all three."""

SELU = "selu"
"""The activation of the paper's networks, and of files that name none."""

ACTIVATIONS = (SELU, "gelu", "silu", "softplus", "tanh")
"""What may stand between layers; all but SELU are smooth."""

SELU_ABOVE = 1.0507009873554804934193349852946
"""Slope λ of SELU above 0."""

SELU_BELOW = SELU_ABOVE * 1.6732632423543772848170429916717
"""Its slope αλ just below 0; far below it falls to −αλ."""


class ModelProblem(Problem):
    """Widths or parameters from which no neural ODE can be built."""


def widths_of(parameters: Mapping[str, Any]) -> tuple[int, ...]:
    """Layer widths of the networks that `parameters` describe.

    Raises:
        ModelProblem: the names are not those of three networks of equal depth.
    """
    depth = sum(name.startswith("f.") and name.endswith(".weight") for name in parameters)
    expected = {
        f"{net}.{layer}.{kind}"
        for net in NETS
        for layer in range(depth)
        for kind in ("weight", "bias")
    }
    if depth == 0 or set(parameters) != expected:
        raise ModelProblem(
            f"{', '.join(sorted(parameters)[:4])} … are not the parameters of a neural ODE; "
            f"they have to be called {NETS[0]}.0.weight, {NETS[0]}.0.bias and so on."
        )
    return (1, *(parameters[f"f.{layer}.bias"].shape[1] for layer in range(depth)))


def check_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """The widths as a tuple, if they lead from one number to one number.

    Raises:
        ModelProblem: they do not.
    """
    checked = tuple(widths)
    if len(checked) < 2 or checked[0] != 1 or checked[-1] != 1 or min(checked) < 1:
        raise ModelProblem(
            f"Widths {list(checked)} do not fit; a scalar network leads from 1 to 1, e.g. "
            f"{list(WIDTHS)}."
        )
    return checked
