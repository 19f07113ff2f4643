"""From observations to states, through the neural ODE, and back to expected observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nodeflow.neural_ode.forced.field import Learned, forced_velocity
from nodeflow.neural_ode.forced.inputs import Inputs
from nodeflow.neural_ode.forced.places import Places
from nodeflow.neural_ode.forced.rollout import rollout
from nodeflow.neural_ode.forced.settings import ForecasterSettings
from nodeflow.neural_ode.forced.start import filtered_start
from nodeflow.neural_ode.forced.windows import Windows

__all__ = ["Predicted", "Setting", "Units", "simulate", "spreads"]

Floats = NDArray[np.float64]

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
        low: state that 1 in 1,000 observations lies below.
        high: state that 1 in 1,000 observations lies above.
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
        learned: what functions are beyond the states that they were learned at.
        substeps: of the integrator between two times.
    """

    adjacency: Tensor
    neighbours: Tensor
    covariates: Tensor
    exposure: Tensor
    inputs: Inputs
    units: Units
    learned: Learned
    substeps: int

    @classmethod
    def of(
        cls,
        settings: ForecasterSettings,
        places: Places,
        centre: Floats,
        extent: Floats,
        inputs: Inputs,
        units: Units,
    ) -> Setting:
        """The same of what a user gave, as tensors; covariates less `centre`, over `extent`."""
        dtype = torch.float64 if settings.precision == "double" else torch.float32
        return cls(
            places.matrix(settings.normalization, dtype),
            places.neighbours(dtype),
            torch.from_numpy((places.covariates - centre) / extent).to(dtype),
            torch.from_numpy(places.exposure).to(dtype),
            inputs,
            units,
            Learned(units.low, units.high, settings.beyond == "proportional"),
            settings.substeps,
        )


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

    def velocity(x: Tensor, times: Tensor) -> Tensor:
        inputs = setting.inputs(times).to(x.dtype)
        return forced_velocity(
            parameters, setting.adjacency, x, inputs, setting.covariates, setting.learned
        )

    states = rollout(
        velocity,
        start,
        windows.times,
        substeps=setting.substeps,
        unit=setting.units.time,
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
