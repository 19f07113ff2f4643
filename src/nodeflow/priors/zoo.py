"""Zoos of neural ODEs of one family: networks, and how much the data of each say of its functions.

Members are trained by the recipe `gauss_newton` as all neural ODEs are. What it learns from, the
quadratic form in functions that the data of a member amount to, is kept beside its network: a
member speaks for the states that it saw, and as loudly as its data do (`fit_prior`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nodeflow.neural_ode.estimate import Estimate, pull_towards, root_of
from nodeflow.neural_ode.observations import observed
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.neural_ode.store import Models, models_from
from nodeflow.neural_ode.train import train_stack
from nodeflow.priors.estimates import estimated
from nodeflow.priors.families import Family, Observing, draws
from nodeflow.stack_files import to_arrays
from nodeflow.tables import Kind, read_parameters, read_tensors, write_tensors
from nodeflow.threads import one_thread_if_small

__all__ = ["FamilyZoo", "read_zoo", "train_zoo", "with_ridge", "write_zoo"]

Array = NDArray[np.float64]

FAMILY_ZOO = Kind("zoo of a family", 2)

_STRAY = 5.0
"""Times the median relative error of the members from which one is no good."""

_CPU = torch.device("cpu")
_SHARED = "shared "
_FORMS = ("coefficients", "points", "values", "roots", "floors", "sizes")


@dataclass(frozen=True, eq=False)
class FamilyZoo:
    """R neural ODEs of systems that differ by their coefficients.

    Attributes:
        coefficients: (R, C), in the order of the family's ranges.
        models: each from an initialization of its own.
        shared: of the same data, all from one initialization.
        points: (R, K) states at which the functions of each were estimated.
        values: (R, 3, K) the estimates there, which the networks were trained to compute.
        roots: (R, 3K, 3K) its quadratic form without a ridge, as `Estimate` has it.
        floors: (R,) the smallest trajectory error.
        sizes: (R,) root mean square of the states.
    """

    coefficients: Array
    models: Models
    shared: Models
    points: Array
    values: Array
    roots: Array
    floors: Array
    sizes: Array

    @property
    def good(self) -> NDArray[np.bool_]:
        """(R,) those that were trained and do not err five times as much as most do."""
        error = np.where(self.models.ok, self.models.error / self.sizes, np.inf)
        typical = np.median(error[self.models.ok]) if self.models.ok.any() else 0.0
        return np.asarray(error <= _STRAY * typical)

    def members(self) -> list[Estimate]:
        """What the data of each say of the functions, for `fit_prior`.

        Those of networks that are no good as well: what a network cannot compute, or what is hard
        to tell, data may still say, and they say how well.
        """
        return [
            Estimate(*x)
            for x in zip(
                self.points, self.values, self.roots,
                self.floors.tolist(), self.sizes.tolist(), strict=True,
            )
        ]  # fmt: skip


@one_thread_if_small
def train_zoo(
    family: Family,
    count: int,
    observing: Observing,
    settings: GaussNewtonSettings,
    seed: int,
    device: torch.device = _CPU,
) -> FamilyZoo:
    """Train a neural ODE on each of `count` systems of a family, twice.

    Args:
        family: whose coefficients are drawn from its ranges.
        count: of systems, each on a graph of its own.
        observing: what is observed of each.
        settings: of the recipe.
        seed: all random numbers follow from it.
        device: where to train.

    Raises:
        PriorProblem: a system that cannot be integrated, or whose functions cannot be found.
    """
    drawn = list(draws(family, count, observing, seed))
    data = []
    for index, draw in enumerate(drawn):
        [found] = observed([draw.graph], draw.runs)
        data.append(replace(found, graph=index))
    forms = [estimated(x, settings.knots) for x in data]
    wanted = [with_ridge(x, settings.ridge) for x in forms]
    stacks: list[Models] = []
    for start in ("own", "shared"):
        names: list[tuple[str | float, ...]] = [
            ("prior", family.system, index if start == "own" else start) for index in range(count)
        ]
        trained, _ = train_stack(
            data, settings, names, seed, device, f"train {family.system}, {start} start",
            estimated=wanted,
        )  # fmt: skip
        stacks.append(trained)
    models, shared = stacks
    return FamilyZoo(
        np.array([[draw.values[name] for name in family.ranges] for draw in drawn]),
        models,
        shared,
        np.stack([x.points for x in forms]),
        np.stack([x.values for x in forms]),
        np.stack([x.root for x in forms]),
        np.array([x.floor for x in forms]),
        np.array([x.size for x in forms]),
    )


def with_ridge(form: Estimate, ridge: float) -> Estimate:
    """An estimate whose form also pulls towards its values, as `estimates` does with a ridge."""
    pull = pull_towards(form.values, ridge, form.size)
    return replace(form, root=root_of(form.root @ form.root.T + pull))


def write_zoo(path: str | Path, zoo: FamilyZoo, parameters: Mapping[str, Any]) -> None:
    """Write a zoo as one safetensors file."""
    (own, names), (shared, _) = to_arrays(zoo.models), to_arrays(zoo.shared)
    tensors = own | {name: getattr(zoo, name) for name in _FORMS}
    tensors |= {f"{_SHARED}{name}": x for name, x in shared.items()}
    stored = {**names, "activation": zoo.models.activation}
    write_tensors(path, tensors, FAMILY_ZOO, {**parameters, **stored})


def read_zoo(path: str | Path, parameters: Mapping[str, Any] | None = None) -> FamilyZoo:
    """Read and check a zoo.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    tensors, facts = read_tensors(path, FAMILY_ZOO, parameters), read_parameters(path)
    shared = {
        name.removeprefix(_SHARED): x for name, x in tensors.items() if name.startswith(_SHARED)
    }
    forms = {name: tensors[name] for name in _FORMS}
    return FamilyZoo(models=models_from(tensors, facts), shared=models_from(shared, facts), **forms)
