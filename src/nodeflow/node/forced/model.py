"""From observations to states, through the neural ODE, and back to expected observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeflow.node.forced import rollout
from nodeflow.node.forced_inputs import Inputs
from nodeflow.node.forced_start import filtered_start
from nodeflow.node.forced_windows import Windows

__all__ = ["Predicted", "Setting", "Units", "simulate", "spreads"]

_LEAST = 0.02
"""Rate, in units of the typical one, below which rates of counts fall off like 1 / |state|."""


@dataclass(frozen=True)
class Units:
    """How observed rates are states, and back.

    Attributes:
        positive: whether rates have to be.
        log: states are log(1 + rate / size) instead of (rate − shift) / size.
        shift: of rates; 0 where they are positive or logarithms are taken.
        size: typical rate: the mean where logarithms are taken, else the root mean square about
            the shift.
        time: typical time between observations, in the user's unit.
        low: state that 1 in 1,000 observations lies below; functions are constant below it.
        high: state that 1 in 1,000 observations lies above; functions are constant above it.
    """

    positive: bool
    log: bool
    shift: float
    size: float
    time: float
    low: float
    high: float

    def states(self, rates: Tensor) -> Tensor:
        """States of rates."""
        scaled = (rates - self.shift) / self.size
        return torch.log1p(scaled) if self.log else scaled

    def rates(self, states: Tensor) -> Tensor:
        """Rates of states."""
        scaled = torch.expm1(states) if self.log else states
        if self.positive:
            low = _LEAST**2 / (2 * _LEAST - scaled.clamp(max=_LEAST))
            scaled = torch.where(scaled > _LEAST, scaled, low)
        return scaled * self.size + self.shift


@dataclass(frozen=True)
class Setting:
    """What is around the states: the network, its nodes, and what acts on all of them.

    Attributes:
        adjacency: (n, n), normalized; A_ij is what j does to i.
        neighbours: (n, n), weights of j in the filtered start of i.
        covariates: (n, C), scaled.
        exposure: (n,).
        inputs: s(t).
        units: of states.
        substeps: of the integrator between two times.
    """

    adjacency: Tensor
    neighbours: Tensor
    covariates: Tensor
    exposure: Tensor
    inputs: Inputs
    units: Units
    substeps: int


@dataclass(frozen=True)
class Predicted:
    """What R models predict after B origins.

    Attributes:
        start: filtered states at origins, (R, B, n).
        states: (R, B, H, n).
        means: expected observations, (R, B, H, n).
    """

    start: Tensor
    states: Tensor
    means: Tensor


def simulate(parameters: Mapping[str, Tensor], setting: Setting, windows: Windows) -> Predicted:
    """Filter the starts, integrate, and expect rate times exposure."""
    start = setting.units.states(filtered_start(parameters, windows.latest, setting.neighbours))

    def inputs(times: Tensor) -> Tensor:
        return setting.inputs(times).to(start.dtype)

    states = rollout(
        parameters,
        setting.adjacency,
        start,
        windows.times,
        inputs,
        setting.covariates,
        substeps=setting.substeps,
        unit=setting.units.time,
        bounds=(setting.units.low, setting.units.high),
    )
    return Predicted(start, states, setting.units.rates(states) * setting.exposure)


def spreads(parameters: Mapping[str, Tensor], windows: Windows, units: Units) -> Tensor:
    """Spreads of the likelihood at lead times, (R, B, H, 1), in its own unit.

    They are learned at 1, 2, … times the typical time between observations; between these their
    logarithms are linear, and beyond them constant.
    """
    learned = parameters["spread"]
    lead = (windows.times[:, 1:] - windows.times[:, :1]) / units.time - 1
    lead = lead.clamp(0, learned.shape[1] - 1)
    below = lead.floor().long()
    above = (below + 1).clamp(max=learned.shape[1] - 1)
    share = (lead - below).to(learned.dtype)
    return torch.exp(torch.lerp(learned[:, below], learned[:, above], share))[..., None]
