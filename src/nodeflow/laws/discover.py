"""From trajectories to a law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.laws.along import Along
from nodeflow.laws.data import Group, LawProblem, groups_of, noise_of, signed, size_of
from nodeflow.laws.discovery import Discovery, smoothed
from nodeflow.laws.form import field_of
from nodeflow.laws.law import EXACT, Law
from nodeflow.laws.limits import open_tails
from nodeflow.laws.refine import Fit, precision_for, trajectories_of
from nodeflow.laws.simpler import without_idle
from nodeflow.threads import one_thread_if_small

__all__ = ["discover"]

Array = NDArray[np.float64]

_FOUND = 0.5
"""Weight of all laws that were found, where none explains the data: the rest is that of others."""


@one_thread_if_small
def discover(
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    *,
    covariates: Sequence[Mapping[str, Any]] | None = None,
    noise: float | None = None,
    held_out: float = 0.125,
) -> Law:
    """The law behind trajectories: three formulas, with what else the data allow.

    docs/laws.md explains the method and how its families of formulas were chosen.

    Args:
        graphs: one or several graphs; weights and directions are used.
        trajectories: observed on them, noisy or not; of each its `graph` is the place in the list.
        covariates: for each graph, by name, a number for each node that terms of f may be
            multiplied by: an array in the order of the nodes, or a mapping or pandas Series by
            node.
        noise: standard deviation of independent noise on every state; by default it is found from
            the data.
        held_out: share of the trajectories of each graph that have no part in choosing the form,
            and on which it is checked; all take part in the final fit.

    Where no law of the families explains the data, formulas from symbolic regression are tried if
    pyoperon is installed (the extra `nodeflow[symbolic]`); `Law.hint` says so where it is not.

    Returns:
        The law of the shortest description. Where the data do not tell it from others, it is
        `undetermined` and says which these are.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory does not fit its graph; the text says which.
        LawProblem: nothing can be learned from what was given (too few times, constant states, a
            regular graph, no edges, covariates that do not fit), or no law of these families can
            be integrated along the data.
    """
    whole = groups_of(graphs, trajectories, covariates)
    if noise is not None and not 0.0 <= noise < np.inf:
        raise LawProblem(f"noise = {noise} has to be a standard deviation, at least 0.")
    if not 0.0 <= held_out < 1.0:
        raise LawProblem(f"held_out = {held_out} has to be a share below 1.")
    found_noise = noise_of(whole) if noise is None else noise
    size = size_of(whole)
    sigma = max(found_noise, EXACT * size)
    kept = [group.only(slice(0, _kept(group, held_out))) for group in whole]
    negative = signed(whole, found_noise)
    discovery = Discovery(kept, sigma, size, negative)
    fits = discovery.run()
    best = fits[0]
    check = _check(best, whole, kept, sigma, size)
    final = Discovery(whole, discovery.sigma, size, negative)
    return _law(discovery.left(fits), final, sigma, check)


def _kept(group: Group, held_out: float) -> int:
    """How many trajectories choose the form: all of a few, else all but some."""
    count = len(group.states)
    return count if count < 4 else count - max(round(held_out * count), 1 if held_out > 0 else 0)


def _check(
    best: Fit, whole: Sequence[Group], kept: Sequence[Group], sigma: float, size: float
) -> float:
    """Root mean squared residual on held-out trajectories, from the best initial states."""
    total, count = 0.0, 0
    for group, used in zip(whole, kept, strict=True):
        rest = group.only(slice(len(used.states), None))
        if not len(rest.states):
            continue
        grid, path, model = smoothed(rest, sigma)
        field = field_of(best.form, best.parameters, rest.covariates)
        along = Along.of(rest, grid, path, model, field)
        squares = _only_initial(best, along, sigma, size)
        if squares is None:
            return float("inf")
        total += squares
        count += rest.states.size - rest.states[:, 0].size
    return float(np.sqrt(total / count) / sigma) if count else float("nan")


def _only_initial(best: Fit, along: Along, sigma: float, size: float) -> float | None:
    start, smallest = along.model[:, 0], None
    for _ in range(3):
        solved = trajectories_of(
            best.form, best.parameters, along.group, start, along.group.times,
            precision_for(sigma, size),
        )  # fmt: skip
        if solved is None:
            break
        states, _ = solved
        loss = float(np.square(along.group.states - states).sum())
        smallest = loss if smallest is None else min(loss, smallest)
        start = start + along.initial_change(along.shares(along.residual(states))[..., 0])
    return smallest


def _with_tails(
    ordered: list[Fit], lengths: Array, everything: Discovery, alongs: list[Along]
) -> tuple[list[Fit], Array]:
    """Laws with those beside them that differ from the first one only far from the states seen.

    Their parameter for that is open, so it costs less than one that the data determine. The law of
    the shortest description stays the first.
    """
    best = ordered[0]
    variance = everything.cautious(ordered)
    by_form = dict(zip((x.form for x in ordered), zip(ordered, lengths, strict=True), strict=True))
    tails = open_tails(
        best, everything.scale, everything.signed, variance,
        lambda form, parameters, loss: everything.fit(
            form, parameters, alongs, best.initials, limit=loss
        ),
    )  # fmt: skip
    for x, nats in tails:
        length = lengths[0] + max(0.5 * (x.loss - best.loss) / variance + nats, 0.0)
        if x.form not in by_form or by_form[x.form][1] > length:
            by_form[x.form] = x, length
    kept = sorted(by_form.values(), key=lambda one: one[1])
    kept.sort(key=lambda one: one[0] is not best)
    return [x for x, _ in kept], np.array([length for _, length in kept])


def _law(left: list[Fit], everything: Discovery, sigma: float, check: float) -> Law:
    """Fit what is left on all trajectories, and weigh it."""
    whole = everything.groups
    alongs = None
    for x in left:
        fitted = everything.fit(x.form, x.parameters, everything.smoothed(x))
        if fitted is not None:
            alongs = everything.along(fitted)
            break
    if alongs is None:
        raise LawProblem("The law that was found cannot be integrated along all trajectories.")
    final = [everything.fit(x.form, x.parameters, alongs) for x in left]
    ordered = without_idle(everything.sorted([x for x in final if x is not None]))
    lengths = np.array([everything.length(x, ordered) for x in ordered])
    ordered, lengths = _with_tails(ordered, lengths, everything, alongs)
    weights = np.exp(lengths[0] - lengths)
    weights /= weights.sum()
    noise = float(np.sqrt(everything.variance(ordered)))
    excess = float(np.sqrt(ordered[0].loss / max(everything.count - everything.free, 1)) / sigma)
    lasting = everything.lasting(ordered[0])
    seen = (
        min(float(g.states.min()) for g in whole), max(float(g.states.max()) for g in whole)
    )  # fmt: skip
    ordered_lengths = zip(ordered, weights, lengths, strict=True)
    laws = [
        Law(
            x.form, x.parameters, x.covariance(float(np.sqrt(everything.cautious(ordered)))), noise,
            seen, float(weight), float(length), excess, lasting,
            check if place == 0 else float("nan"),
        )
        for place, (x, weight, length) in enumerate(ordered_lengths)
    ]  # fmt: skip
    if not laws[0].explains:
        laws = [replace(law, weight=_FOUND * law.weight) for law in laws]
    return laws[0].with_alternatives(tuple(law for law in laws[1:] if law.weight >= 1e-3))
