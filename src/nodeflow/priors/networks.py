"""Networks that compute given functions: each from an initialization of its own.

Functions that were drawn are no neural ODEs yet. A network descends to them by the recipe that
trains all others, `gauss_newton`, whose quadratic form is here the mean of those of the members of
a prior: functions have to agree where a difference would change trajectories. That form says little
of states that only the hubs of a few members saw, and functions that grow like a power are a
thousand times larger there; so a relative error at any state counts too. On graphs whose hubs go
beyond what members have seen, networks have the tails of the functions that they compute.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.estimate import Estimate, root_of
from nodeflow.neural_ode.field import exact_fields
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.recipes import make_trainer
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.tails import tailed
from nodeflow.priors.gaussian import Prior
from nodeflow.priors.zoo import with_ridge
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small

__all__ = ["facts_of", "networks", "tails_of_functions"]

Array = NDArray[np.float64]

_CPU = torch.device("cpu")
_BLOCK = 16

_REACH = 2.0
_BEYOND = 24
"""Up to so many times the largest state of the prior networks follow functions; at so many states.
"""

_LOOSE = 0.3
"""An error of the whole function at all states counts as this error of trajectories."""

_SMALL = 0.1
"""Values below this share of a function's typical one count as that."""


def facts_of(
    seen: tuple[float, float], error: float, ok: NDArray[np.bool_]
) -> dict[str, np.ndarray]:
    """What is known of R generated neural ODEs, as `Models` have it: no graph trained them.

    Args:
        seen: smallest and largest state that they are good for.
        error: that the networks of their zoo make.
        ok: (R,) which can be used.
    """
    return {
        "training_graph": np.full(len(ok), -1),
        "seen": np.tile(seen, (len(ok), 1)),
        "ok": ok,
        "error": np.full(len(ok), error),
    }


@one_thread_if_small
def networks(
    prior: Prior,
    functions: Curves,
    settings: GaussNewtonSettings,
    labels: Sequence[tuple[str | float, ...]],
    seed: int,
    error: float,
    device: torch.device = _CPU,
) -> Models:
    """A neural ODE for each of R triples of functions.

    Args:
        prior: that the functions are of; its states are theirs.
        functions: R triples.
        settings: of the recipe.
        labels: what names each; its initialization follows from (seed, "neural ODE", *labels).
        seed: the run's root seed.
        error: of the members on their training data, which says how precisely the networks are
            integrated.
        device: where to descend.
    """
    parts = []
    for first in range(0, len(functions), _BLOCK):
        some = range(first, min(first + _BLOCK, len(functions)))
        targets = [_target(prior, functions, r, settings.ridge) for r in some]
        generators = [torch_generator(seed, "neural ODE", *labels[r]) for r in some]
        trainer = make_trainer([], settings, generators, device, estimated=targets)
        for _ in range(trainer.steps):
            trainer.step()
        parts.append({n: x.detach().float().cpu().numpy() for n, x in trainer.parameters.items()})
    parameters = {name: np.concatenate([x[name] for x in parts]) for name in parts[0]}
    ok = np.all([np.isfinite(x).reshape(len(x), -1).all(1) for x in parameters.values()], axis=0)
    return Models(
        parameters,
        about=facts_of((prior.states[0], prior.states[-1]), error, ok),
        activation=settings.activation,
    )


def tails_of_functions(models: Models, functions: Curves, prior: Prior) -> Fields:
    """Networks where members of the zoo have been, and the functions that they compute beyond.

    Args:
        models: R networks, what `networks` made of the functions.
        functions: R triples.
        prior: that they are of.
    """
    low, high = prior.seen
    pairs = zip(exact_fields(models), functions.fields, strict=True)
    fields = tuple(tailed(network, function, low, high) for network, function in pairs)
    return Fields(fields, models.training_graph, models.seen, models.error)


def _target(prior: Prior, functions: Curves, r: int, ridge: float) -> Estimate:
    """What a network descends to: values at all states, and the form by which errors count."""
    values, field = functions.values[r], functions.fields[r]
    inside = Estimate(prior.states, values, root_of(prior.metric), 0.0, 1.0)
    inside = with_ridge(inside, ridge)
    beyond = prior.states[-1] * np.geomspace(1.0, _REACH, _BEYOND + 1)[1:]
    further = np.stack([x(beyond) for x in (field.f, field.h_ego, field.h_alt)])
    whole = np.concatenate([values, further], axis=1)
    typical = np.median(np.abs(values), axis=1, keepdims=True)
    form = np.diag(np.square(_LOOSE / np.maximum(np.abs(whole), _SMALL * typical)).ravel())
    form /= whole.size
    known = np.ravel(np.arange(3)[:, None] * whole.shape[1] + np.arange(len(prior.states)))
    form[np.ix_(known, known)] += inside.root @ inside.root.T
    return Estimate(np.concatenate([prior.states, beyond]), whole, root_of(form), 0.0, 1.0)
