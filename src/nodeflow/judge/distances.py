"""Generated networks and controls at the same distances from the members they were made of.

A network that is little more than a copy is accurate, and one that is far is not: two generators
compare at one distance only. So networks of all sets, generated ones, held-out members and
controls, are moved along the ray from their nearest training member through themselves until they
are as far from it as asked for, and then judged. A copy with noise becomes a member with more
noise, a network of its own goes on in its own direction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.judge.bench import Bench, Entered, enter
from nodeflow.judge.controls import draw_control, lines, means, noisy_copies, per_tensor_deviation
from nodeflow.judge.novelty import Align, columns_at_once
from nodeflow.judge.settings import DistanceSettings, JudgeProblem, PanelSettings
from nodeflow.judge.summary import mean_interval
from nodeflow.seeds import numpy_generator
from nodeflow.stack import Networks, Stack
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture

__all__ = ["judge_distances"]

_CPU = torch.device("cpu")
_WORST = 0.05
"""Of members are nearer, or less accurate, than what is called novel, or performant."""
_RESAMPLES = 500


@one_thread_if_small
def judge_distances(
    architecture: Architecture,
    training: Networks,
    held_out: Networks | None,
    samples: Networks,
    x: np.ndarray,
    y: np.ndarray,
    settings: PanelSettings,
    distances: DistanceSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    align: Align | None = None,
    calibration: np.ndarray | None = None,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Accuracy, and how many networks work and are new, at given distances from the zoo.

    More than eight parameters, because sets, items and controls are each given as they are at hand.

    Sets: "zoo", the training members as they are, and "held-out", members that the flow never saw;
    "generated"; "noise", members with Gaussian noise in units of each tensor's deviation; "line",
    on the line through two members (within a pair of members no network is farther from the nearer
    one than half of their distance, so the line is followed beyond it); "soup", means of
    `settings.soup` members. Controls are made of the members as given. Each set stands first as it
    was made, with a factor that is NaN (noise and lines have no distance of their own and do not),
    then at each factor.

    Args:
        architecture: of all networks.
        training: the members that the flow learned from, as it saw them.
        held_out: members that it never saw, in the same gauge; None if there are none.
        samples: what it generated; the first `distances.networks` are judged.
        x: items, (n, features), that nothing was selected on.
        y: their classes, (n,).
        settings: candidates, soup, and where running statistics come from.
        distances: how far, and how many networks.
        root_seed: the run's root seed.
        labels: what names this judgement; controls and bootstrap draws follow from it.
        align: as in `judge_panel`.
        calibration: training items for networks with running statistics.
        device: where to evaluate networks.

    Returns:
        One row per set and factor with the columns of `DISTANCES`.

    Raises:
        JudgeProblem: two members are the same wherever one looks, so that there is no unit of
            distance; else as `judge_panel`.
        StackProblem, TensorProblem, ItemProblem: as `judge_panel`.
    """
    count = distances.networks
    entered = enter(
        architecture,
        training,
        held_out,
        samples.select(np.arange(min(count, len(samples)))),
        (x, y),
        settings,
        align,
        calibration,
        device,
    )
    bench, first = entered.bench, np.arange(min(count, len(entered.training)))
    zoo = bench("zoo", entered.training.select(first), own=first)
    unit = float(zoo["nearest"].median())
    if not unit > 0:
        raise JudgeProblem(
            "half of the training members equal another one, so distances have no unit; leave "
            "copies out."
        )
    tables: dict[tuple[str, float | None], pd.DataFrame] = {("zoo", None): zoo}
    for name, networks, made in _sets(entered, settings, count, root_seed, labels):
        if made:
            tables[name, None] = bench(name, networks)
        for factor, moved in _moved(bench, networks, unit, distances.factors):
            tables[name, factor] = bench(name, moved)
    members = tables.get(("held-out", None), zoo)
    rows = [
        {
            "set": name,
            "factor": math.nan if factor is None else factor,
            **_summary(
                table,
                unit,
                zoo["nearest"],
                members["accuracy"],
                numpy_generator(root_seed, "distances", *labels, name, str(factor)),
            ),
        }
        for (name, factor), table in tables.items()
    ]
    return pd.DataFrame(rows)


def _sets(
    entered: Entered,
    settings: PanelSettings,
    count: int,
    root_seed: int,
    labels: tuple[str | float, ...],
) -> Iterator[tuple[str, Networks, bool]]:
    """Name and networks of each set, and whether these have a distance of their own."""
    training = entered.training
    if entered.held_out is not None:
        few = np.arange(min(count, len(entered.held_out)))
        yield "held-out", entered.held_out.select(few), True
    yield "generated", entered.drawn, True
    deviation = per_tensor_deviation(training.columns(columns_at_once(training)), training.shapes)
    # So little noise that the nearest member is the one that it was added to.
    noise = noisy_copies(min(settings.noise_scales) * deviation)
    mixes = (("noise", noise, False), ("line", lines, False), ("soup", means(settings.soup), True))
    for name, mix, made in mixes:
        yield name, draw_control(training, name, mix, count, root_seed, labels), made


def _moved(
    bench: Bench, networks: Networks, unit: float, factors: tuple[float, ...]
) -> Iterator[tuple[float, Stack[Tensor]]]:
    """The networks at each of the distances, in `unit`s, from the member that is nearest to each.

    Networks that are not finite are not moved, and count as failed. One that equals a member has no
    direction, and becomes not finite.
    """
    given = networks.take(np.arange(len(networks)))
    fit = np.flatnonzero(bench.assess(given)[0].ok)
    nowhere = {name: torch.full_like(x, torch.nan) for name, x in given.parameters.items()}
    if not len(fit):
        yield from ((factor, Stack(nowhere, about=given.about)) for factor in factors)
        return
    near, anchors = bench.anchors(given.take(fit))
    for factor in factors:
        parameters = {name: x.clone() for name, x in nowhere.items()}
        with np.errstate(divide="ignore"):
            stretch = torch.from_numpy(factor * unit / near.nearest)
        for name, tensor in parameters.items():
            here = anchors.parameters[name].double()
            away = given.parameters[name][fit].double() - here
            along = stretch.view(-1, *[1] * (away.ndim - 1))
            tensor[fit] = (here + along * away).to(tensor)
        yield factor, Stack(parameters, about=given.about)


def _summary(
    table: pd.DataFrame,
    unit: float,
    apart: pd.Series,
    accuracies: pd.Series,
    rng: np.random.Generator,
) -> dict[str, float]:
    """How many networks of a set work and are new; see `DISTANCES`."""
    good = table[table["status"] == "ok"]
    novel = good["nearest"] >= apart.quantile(_WORST)
    performant = good["accuracy"] >= accuracies.quantile(_WORST)
    low, high = mean_interval(good["accuracy"].to_numpy(), rng, _RESAMPLES)
    shares = {"novel": novel, "performant": performant, "both": novel & performant}
    return {
        "n": len(good),
        "failed": len(table) - len(good),
        "distance": good["nearest"].median() / unit,
        "accuracy": good["accuracy"].mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        **{
            f"{name}_share": share.mean() if len(good) else math.nan
            for name, share in shares.items()
        },
    }
