"""Networks that compute given functions: each from an initialization of its own.

Functions that were drawn are no neural ODEs yet. A network descends to them by the recipe that
trains all others, `gauss_newton`, whose quadratic form is here the mean of those of the members of
a prior: functions have to agree where a difference would change trajectories. Beyond the states
that members have seen the network follows the power law by which the functions go on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.estimate import Estimate
from nodeflow.neural_ode.recipes import make_trainer
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.neural_ode.store import Models
from nodeflow.priors.gaussian import Prior
from nodeflow.priors.zoo import with_ridge
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small

__all__ = ["facts_of", "networks"]

Array = NDArray[np.float64]

_CPU = torch.device("cpu")
_BLOCK = 16

_REACH = 64.0
_BEYOND = 24
_LOOSE = 0.03
"""Networks follow functions up to so many times the largest state of the prior, at so many states,
where an error of the whole function counts as this error of trajectories."""


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


def _target(prior: Prior, functions: Curves, r: int, ridge: float) -> Estimate:
    values, form = functions.values[r], prior.metric
    eigenvalues, vectors = np.linalg.eigh(form)
    root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    inside = with_ridge(Estimate(prior.states, values, root, 0.0, 1.0), ridge)
    field = functions.fields[r]
    beyond = prior.states[-1] * np.geomspace(1.0, _REACH, _BEYOND + 1)[1:]
    further = np.stack([x(beyond) for x in (field.f, field.h_ego, field.h_alt)])
    count, more = len(prior.states), len(beyond)
    whole = np.zeros((3 * (count + more), 3 * (count + more)))
    own = np.concatenate([np.arange(count) + net * (count + more) for net in range(3)])
    rest = np.setdiff1d(np.arange(3 * (count + more)), own)
    whole[np.ix_(own, own)] = inside.root
    size = np.maximum(np.abs(further), 1e-3 * np.abs(further).max())
    whole[rest, rest] = (_LOOSE / size / np.sqrt(more)).ravel()
    return Estimate(
        np.concatenate([prior.states, beyond]),
        np.concatenate([values, further], axis=1),
        whole,
        0.0,
        1.0,
    )
