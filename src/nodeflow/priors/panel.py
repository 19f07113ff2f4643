"""The panel of neural ODEs: how good and how new each is, judged as classifiers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nodeflow.dynamics.systems import Field, field
from nodeflow.flow.codec import flatten, unflatten
from nodeflow.graphs.graph import Graph
from nodeflow.judge.controls import noisy_copies, per_tensor_deviation
from nodeflow.judge.novelty import nearest_members
from nodeflow.neural_ode.field import exact_fields
from nodeflow.neural_ode.store import Models
from nodeflow.priors.evaluate import Generated
from nodeflow.priors.knowledge import Knowledge
from nodeflow.priors.networks import facts_of
from nodeflow.seeds import derive_seed

__all__ = ["judge_novelty"]

Array = NDArray[np.float64]

_STATES = 48


def judge_novelty(
    known: Knowledge, some: Sequence[Generated], graph: Graph, controls: int, seed: int
) -> list[dict[str, Any]]:
    """Rows of "panel": members of a zoo, networks of test systems, and noisy copies of members.

    A copy is near its original in weights, where both are in the canonical form, and in functions;
    "noise matched" is as far from its original in weights as generated networks are from theirs.

    Args:
        known: the zoo.
        some: networks of test systems within the ranges.
        graph: that no member was trained on; states are those of the first test system there.
        controls: how many noisy copies.
        seed: the run's root seed; copies follow from it.
    """
    if not some:
        return []
    judge = _Judge(known, graph, some[0].trial.runs[0].states[-1].astype(np.float64))
    rows = judge.zoo()
    for name in dict.fromkeys(x.name for x in some):
        index = 0
        for x in (x for x in some if x.name == name):
            found = judge.models(name, x.models, x.trial.field, index)
            index += len(found)
            rows += found
    near = [x["nearest"] for x in rows if x["set"] == "generated"]
    first = {id(x.trial): x.trial for x in some}
    return rows + judge.copies(list(first.values()), float(np.median(near)), controls, seed)


class _Judge:
    def __init__(self, known: Knowledge, graph: Graph, values: Array) -> None:
        self.known, self.adjacency = known, graph.adjacency()
        self.values = np.resize(values, graph.n)
        self.states = np.linspace(*known.prior.seen, _STATES)
        self.weights = flatten(known.canonical, known.shapes).astype(np.float64)
        functions = self._functions(exact_fields(known.zoo.models), known.good)
        spread = np.sqrt(np.square(functions - functions.mean(0)).mean((0, 2)))
        self.scale = np.where(spread > 0, spread, 1.0) * np.sqrt(3 * _STATES)
        self.functions = self._placed(functions)

    def _functions(self, fields: Sequence[Field | None], keep: NDArray[Any]) -> Array:
        found = [fields[int(k)] for k in keep]
        return np.stack([self.known.prior.gauged(x, self.states) for x in found if x is not None])

    def _placed(self, functions: Array) -> Array:
        return np.asarray((functions / self.scale[:, None]).reshape(len(functions), -1))

    def _error(self, made: Field, true: Field) -> float:
        one, other = (
            x.f(self.values) + x.h_ego(self.values) * (self.adjacency @ x.h_alt(self.values))
            for x in (made, true)
        )
        return float(np.abs(one - other).mean() / np.abs(other).mean())

    def _rows(
        self, name: str, weights: Array, functions: Array, errors: Sequence[float], index: int,
        own: NDArray[np.int64] | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        near = nearest_members(weights, self.weights, own)
        near_function = nearest_members(functions, self.functions, own)
        return [
            {
                "set": name, "index": index + k, "error": error,
                "nearest": near.nearest[k], "ratio": near.ratio[k],
                "function_nearest": near_function.nearest[k],
                "function_ratio": near_function.ratio[k],
            }
            for k, error in enumerate(errors)
        ]  # fmt: skip

    def zoo(self) -> list[dict[str, Any]]:
        """Each member beside the others."""
        known = self.known
        fields, errors = exact_fields(known.zoo.models), []
        for member in known.good:
            values = dict(zip(known.family.ranges, known.zoo.coefficients[member], strict=True))
            made = fields[int(member)]
            assert made is not None
            errors.append(self._error(made, field(known.family.system, values)))
        own = np.arange(len(errors))
        return self._rows("zoo", self.weights, self.functions, errors, 0, own)

    def models(self, name: str, models: Models, true: Field, index: int) -> list[dict[str, Any]]:
        """Networks of one test system; those that are not finite are left out."""
        keep = np.flatnonzero(models.ok)
        if not len(keep):
            return []
        fields = exact_fields(models)
        tensors = {n: torch.from_numpy(x[keep]) for n, x in models.parameters.items()}
        canonical = self.known.canonicalized(tensors)
        weights = flatten(canonical, self.known.shapes).astype(np.float64)
        functions = self._placed(self._functions(fields, keep))
        made = [x for x in (fields[int(k)] for k in keep) if x is not None]
        return self._rows(name, weights, functions, [self._error(x, true) for x in made], index)

    def copies(
        self, trials: Sequence[Any], distance: float, count: int, seed: int
    ) -> list[dict[str, Any]]:
        """Copies of the members whose coefficients are nearest to those of test systems."""
        known, rows = self.known, []
        shapes = known.shapes
        deviation = per_tensor_deviation(
            (known.canonical[name].flatten(1).numpy() for name in shapes), shapes
        )
        mix = noisy_copies(distance / float(np.linalg.norm(deviation)) * deviation)
        places = {int(member): k for k, member in enumerate(known.good)}
        for index in range(count):
            trial = trials[index % len(trials)]
            member = places[known.nearest(trial.values)]
            number = derive_seed(seed, "prior control", known.family.system, index)
            [drawn] = mix([self.weights], np.array([member]), np.array([number]))
            parameters = {
                n: x.numpy() for n, x in unflatten(drawn.astype(np.float32), shapes).items()
            }
            about = facts_of(known.prior.seen, known.error, np.array([True]))
            models = Models(parameters, about=about, activation=known.zoo.models.activation)
            rows += self.models("noise matched", models, trial.field, index)
        return rows
