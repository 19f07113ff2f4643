"""Weight matching: the permutations that bring networks closest to a reference.

Coordinate ascent of Git Re-Basin (Ainsworth, Hayase & Srinivasa 2023, arXiv:2209.04836), as used by
Gupta et al. 2026 (arXiv:2601.05052): with all other groups held, the best permutation of one group
is a linear assignment problem. Weights and biases take part; running statistics only move along.
Attention is matched as in TransFusion (Rinaldi et al. 2025, arXiv:2505.22697): heads by the
singular values of what makes them, then the rows within each pair of heads; or, by default, each
pair of heads is scored by its best rows and heads are assigned by these scores, which is the exact
optimum with all other groups held. Queries with keys, and values with outputs, have orders of rows
of their own. Three things differ from the published code, none of them in the objective:

* By default it starts group by group, from signatures of units that no permutation of the groups
  still to come can change, and so finds the same network from every ordering of its units.
* Scores are in double precision, and the part of them that no permutation changes is computed once,
  in single precision if it is large and the networks have that. This rounds the objective, in its
  seventh digit or so, the same way at every step and from every ordering of the units; so steps
  are exact steps uphill nevertheless. The rest of the scores follows the units that changed, few
  after the first sweeps, and is not computed anew.
* A group is assigned again only after a neighbouring group has changed, and then from the prices
  of its last assignment (see `nodeflow.canonical.assignment`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nodeflow.canonical.assignment import assign
from nodeflow.canonical.scores import Scores, Target, family_key, rows_within, sides_of
from nodeflow.canonical.settings import (
    HEADS,
    STARTS,
    MatchProblem,
    MatchSettings,
)
from nodeflow.canonical.symmetry import (
    Symmetry,
    identity,
    permute,
    rescale,
)
from nodeflow.tensors import as_rows
from nodeflow.threads import one_thread, one_thread_if_small

__all__ = ["HEADS", "STARTS", "MatchProblem", "MatchSettings", "Matching", "match"]

_SMALLEST_GAIN = 1e-12
"""A step counts as progress above this share of the product of the two networks' norms."""


_TOGETHER = 2**19
"""Scores and values between groups, of networks that are matched together: some megabytes."""


@dataclass(frozen=True)
class Matching:
    """The best permutations found for K networks.

    Attributes:
        permutations: int64 of shape (K, size) for each group.
        signs: +1 or -1, float64 of shape (K, size), for each group that may change signs: unit i
            of the new network is unit permutation[i] of the old one times signs[i].
        history: ⟨reference, permuted network⟩ over all parameters, at the start and after each
            sweep, float64 of shape (1 + most sweeps, K); a network that has converged keeps its
            value. It never falls. Where products of single precision are part of it, it has some
            seven digits.
        sweeps: sweeps that each network took, int64 of shape (K,); the last one found nothing to
            improve, unless it was the last one allowed.
    """

    permutations: dict[str, Tensor]
    signs: dict[str, Tensor]
    history: np.ndarray
    sweeps: np.ndarray

    def applied(self, parameters: Mapping[str, Tensor], symmetry: Symmetry) -> dict[str, Tensor]:
        """The matched networks: the same functions."""
        return rescale(permute(parameters, symmetry, self.permutations), symmetry, self.signs)


@one_thread_if_small
def match(
    parameters: Mapping[str, Tensor],
    reference: Mapping[str, Tensor],
    symmetry: Symmetry,
    settings: MatchSettings,
) -> Matching:
    """Match K networks to one reference; each is matched as if it were alone.

    Args:
        parameters: tensors of shape (K, *shape).
        reference: one network, tensors of shape (*shape).
        symmetry: of their architecture.
        settings: where to start and when to stop.

    Raises:
        MatchProblem: a network is not finite.
        TensorProblem: networks or reference are not of the architecture.
    """
    reference = symmetry.arrange_one(reference)
    parameters = symmetry.arrange(parameters, reference)
    ours = {n: tensor for n, tensor in reference.items() if n not in symmetry.statistics}
    theirs = {name: parameters[name] for name in ours}
    least = _SMALLEST_GAIN * _norms(theirs) * _norms({n: t[None] for n, t in ours.items()})
    if not np.isfinite(least).all():
        bad = next(n for n in ours if not (ours[n].isfinite().all() & theirs[n].isfinite().all()))
        raise MatchProblem(
            f"Networks that are not finite cannot be matched, and {bad} is not; leave them out."
        )
    target = Target(ours, symmetry, settings.signs)
    room = sum(g.size**2 for g in symmetry.groups) + sum(x.size for x in target.between.values())
    step = max(1, _TOGETHER // max(1, room))
    parts = [slice(first, first + step) for first in range(0, max(1, len(least)), step)]

    def matched(batch: slice) -> Matching:
        networks = {name: tensor[batch] for name, tensor in theirs.items()}
        return _match_some(networks, target, least[batch], settings)

    return _joined(_in_threads(matched, parts))


def _in_threads(function: Callable[[slice], Matching], parts: Sequence[slice]) -> list[Matching]:
    """The function of each part, by as many threads as torch has.

    Matrices are small, and a library that shares each of them among threads mostly waits.
    """
    threads = min(torch.get_num_threads(), len(parts))
    with one_thread():
        if threads == 1:
            return [function(part) for part in parts]
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, parts))


def _match_some(
    networks: Mapping[str, Tensor], target: Target, least: np.ndarray, settings: MatchSettings
) -> Matching:
    """As `match`, for as many networks as fit into a cache."""
    scores = Scores(networks, target)
    if settings.start == "signature":
        start = scores.by_signature()
    else:
        start = {name: o.numpy() for name, o in identity(target.symmetry, len(least)).items()}
    if settings.heads == "spectral":
        scores.order_heads(start)
    return _ascend(scores, start, least, settings.sweeps, settings.heads)


def _ascend(
    scores: Scores,
    start: Mapping[str, np.ndarray],
    least: np.ndarray,
    sweeps: int,
    heads: str,
) -> Matching:
    """Coordinate ascent from `start` in steps above `least`."""
    orders = {name: order.copy() for name, order in start.items()}
    signs = {name: np.ones(orders[name].shape) for name in scores.odd}
    prices = dict(scores.prices)
    objective = scores.begin(orders)
    stale = {family_key(family): np.ones(len(objective), dtype=bool) for family in scores.families}
    key_of = {group.name: family_key(family) for family in scores.families for group in family}
    taken = np.zeros(len(objective), dtype=np.int64)
    history = [objective]
    while len(history) <= sweeps and any(waiting.any() for waiting in stale.values()):
        taken += np.any(list(stale.values()), axis=0)
        history.append(history[-1].copy())
        for family in scores.families:
            at = np.flatnonzero(stale[family_key(family)])
            if len(at) == 0:
                continue
            score = [scores.of(group, at, orders, signs) for group in family]
            if family[0].heads > 1:
                count, now = family[0].heads, orders[family[0].name][at]
                order = now[:, :: now.shape[1] // count] // (now.shape[1] // count)
                parts = [one[at] for one in score]
                new = rows_within(parts, count, order if heads == "spectral" else None)
            else:
                name = family[0].name
                fit = np.abs(score[0]) if name in signs else score[0]
                if name not in prices:
                    prices[name] = fit.max(1)
                assigned, prices[name] = assign(fit, prices[name], at)
                new = [assigned]
            gain = np.zeros(len(at))
            flips = {}
            for group, one, assigned in zip(family, score, new, strict=True):
                along = sides_of(one, assigned, at)
                before = sides_of(one, orders[group.name][at], at)
                if group.name in signs:
                    flips[group.name] = np.where(along < 0, -1.0, 1.0)
                    along = np.abs(along)
                    before = before * signs[group.name][at]
                gain += along.sum(1) - before.sum(1)
            better = gain > least[at]
            history[-1][at[better]] += gain[better]
            stale[family_key(family)][at] = False
            for group, assigned in zip(family, new, strict=True):
                orders[group.name][at[better]] = assigned[better]
                if group.name in flips:
                    signs[group.name][at[better]] = flips[group.name][better]
                for between in scores.between[group.name]:
                    stale[key_of[between.other]][at[better]] = True
    return Matching(
        {name: torch.from_numpy(order) for name, order in orders.items()},
        {name: torch.from_numpy(sign) for name, sign in signs.items()},
        np.stack(history),
        taken,
    )


def _joined(parts: list[Matching]) -> Matching:
    """The matchings of all networks as one."""
    length = max(len(part.history) for part in parts)
    return Matching(
        {
            name: torch.cat([part.permutations[name] for part in parts])
            for name in parts[0].permutations
        },
        {name: torch.cat([part.signs[name] for part in parts]) for name in parts[0].signs},
        np.concatenate([_lengthened(part.history, length) for part in parts], axis=1),
        np.concatenate([part.sweeps for part in parts]),
    )


def _lengthened(history: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([history, np.repeat(history[-1:], length - len(history), axis=0)])


def _norms(parameters: Mapping[str, Tensor]) -> np.ndarray:
    """Euclidean norm of each network, as exact as its tensors are; not finite if they are not."""
    norms = []
    for tensor in parameters.values():
        norm = torch.linalg.vector_norm(as_rows(tensor), dim=1).double()
        if not norm.isfinite().all():  # perhaps only its square is too large for the type
            norm = torch.linalg.vector_norm(as_rows(tensor), dim=1, dtype=torch.float64)
        norms.append(norm)
    total: np.ndarray = torch.linalg.vector_norm(torch.stack(norms), dim=0).cpu().numpy()
    return total
