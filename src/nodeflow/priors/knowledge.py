"""What the zoo of a family knows: its prior, what coefficients say, and what rivals make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nodeflow.canonical.matching import MatchSettings
from nodeflow.dynamics.systems import Field
from nodeflow.flow.codec import flatten, unflatten
from nodeflow.flow.settings import FlowSettings, SampleSettings
from nodeflow.neural_ode.field import model_fields
from nodeflow.neural_ode.layout import widths_of
from nodeflow.neural_ode.store import Models
from nodeflow.priors.conditional import ConditionalFlow, fit_conditional
from nodeflow.priors.families import Family
from nodeflow.priors.gaussian import Prior
from nodeflow.priors.networks import facts_of
from nodeflow.priors.symmetry import (
    canonicalize,
    common_order,
    neural_ode_shapes,
)
from nodeflow.priors.zero_shot import ZeroShot, fit_zero_shot
from nodeflow.priors.zoo import FamilyZoo
from nodeflow.seeds import derive_seed

__all__ = ["OVER_CODES", "OVER_WEIGHTS", "Knowledge"]

Array = NDArray[np.float64]

_STATES = 64

OVER_CODES = "flow over codes"
OVER_WEIGHTS = (
    "flow over weights",
    "flow over weights, raw",
    "flow over weights, one start",
)
"""Flows: over codes of functions, and over weights: of networks from starts of their own, canonical
and as they were trained, and of networks that all began alike."""


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What the zoo of a family knows.

    Attributes:
        family: its system and ranges.
        prior: of its functions.
        zoo: its networks.
        matching: of hidden units.
        flow: of the flows over weights and over codes.
        sampling: their solver and steps.
        seed: the run's root seed.
    """

    family: Family
    prior: Prior
    zoo: FamilyZoo
    matching: MatchSettings
    flow: FlowSettings
    sampling: SampleSettings
    seed: int

    @cached_property
    def good(self) -> NDArray[np.int64]:
        """Members whose networks are good."""
        return np.flatnonzero(self.zoo.good)

    @cached_property
    def zero_shot(self) -> ZeroShot:
        """What coefficients say."""
        known = self.prior.codes(self.zoo.members())
        return fit_zero_shot(self.family, self.prior, self.zoo.coefficients, *known)

    @cached_property
    def error(self) -> float:
        """Median error of the members on their training data."""
        return float(np.median(self.zoo.models.error[self.good]))

    def nearest(self, values: Mapping[str, float]) -> int:
        """The member whose coefficients are nearest, in units of their ranges."""
        places = self.zero_shot.places[self.good]
        squares = np.square(places - self.family.scaled(values)).sum(axis=1)
        return int(self.good[int(np.argmin(squares))])

    def field(self, member: int) -> Field | None:
        """The vector field of a member."""
        return model_fields(self.zoo.models.some(slice(member, member + 1)))[0]

    @cached_property
    def states(self) -> Tensor:
        """(64,) over which interactions are balanced: those that all members saw."""
        return torch.linspace(*self.prior.shared, _STATES, dtype=torch.float64)

    @cached_property
    def canonical(self) -> dict[str, Tensor]:
        """The good members in one gauge and one order."""
        return self.canonicalized(_tensors(self.zoo.models, self.good))

    def canonicalized(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Other networks in the same form."""
        return canonicalize(parameters, self.states, self._reference, self.matching)

    @cached_property
    def _reference(self) -> dict[str, Tensor]:
        raw = _tensors(self.zoo.models, self.good)
        return common_order(raw, self.states, self.matching)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of one network."""
        return neural_ode_shapes(widths_of(self.zoo.models.parameters))

    @cached_property
    def _over_weights(self) -> dict[str, ConditionalFlow]:
        shared = np.flatnonzero(self.zoo.shared.ok)
        learned = {
            "flow over weights": (self.canonical, self.good),
            "flow over weights, raw": (_tensors(self.zoo.models, self.good), self.good),
            "flow over weights, one start": (_tensors(self.zoo.shared, shared), shared),
        }
        found = {}
        for name, (parameters, which) in learned.items():
            rows = flatten(parameters, self.shapes).astype(np.float64)
            places = np.stack([self._scaled(x) for x in self.zoo.coefficients[which]])
            found[name] = fit_conditional(
                rows, places, self.flow, self.seed, self.family.system, name
            )
        return found

    @cached_property
    def _over_codes(self) -> ConditionalFlow:
        return fit_conditional(
            self.zero_shot.codes, self.zero_shot.places, self.flow, self.seed,
            self.family.system, OVER_CODES,
        )  # fmt: skip

    def _scaled(self, row: Array) -> Array:
        return self.family.scaled(dict(zip(self.family.ranges, row.tolist(), strict=True)))

    def over_codes(self, values: Mapping[str, float], label: str) -> Field | None:
        """One sample of the flow over codes; its seed follows from the label."""
        code = self._over_codes.sample(
            self.family.scaled(values), self._seed(OVER_CODES, label), self.sampling
        )
        fields = self.prior.at(code[None]).fields
        return fields[0] if fields else None

    def _seed(self, *labels: str) -> int:
        return derive_seed(self.seed, "prior flow", self.family.system, *labels)

    def sampled(self, name: str, values: Mapping[str, float], label: str) -> Models:
        """One network of a flow over weights; its seed follows from the label."""
        row = self._over_weights[name].sample(
            self.family.scaled(values), self._seed(name, label), self.sampling
        )
        parameters = {
            key: x.float().numpy() for key, x in unflatten(row[None], self.shapes).items()
        }
        about = facts_of(self.prior.seen, self.error, np.isfinite(row).all(keepdims=True))
        return Models(parameters, about=about, activation=self.zoo.models.activation)


def _tensors(models: Models, which: NDArray[np.int64]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(x[which]) for name, x in models.parameters.items()}
