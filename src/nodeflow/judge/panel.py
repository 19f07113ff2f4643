"""The panel: generated networks beside every reference level, judged by the same rules."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from nodeflow.grid import number
from nodeflow.judge.bench import enter
from nodeflow.judge.controls import (
    Control,
    Mix,
    draw_control,
    gaussian_draws,
    means,
    noisy_copies,
    per_tensor_deviation,
)
from nodeflow.judge.novelty import Align, columns_at_once
from nodeflow.judge.settings import STATISTICS, JudgeProblem, PanelSettings
from nodeflow.stack import Networks, held
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture

__all__ = ["STATISTICS", "JudgeProblem", "PanelSettings", "judge_panel"]

_CPU = torch.device("cpu")


@one_thread_if_small
def judge_panel(
    architecture: Architecture,
    training: Networks,
    held_out: Networks | None,
    samples: Networks,
    x: np.ndarray | None,
    y: np.ndarray | None,
    settings: PanelSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    align: Align | None = None,
    calibration: np.ndarray | None = None,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Judge generated networks, trained ones and controls made of trained ones.

    More than eight parameters, because sets, items and controls are each given as they are at
    hand.

    Networks in files (`nodeflow.zoo.open_blocks`, `nodeflow.flow.open_samples`) are read a few at a
    time; what is kept of each is its errors and its distances.

    Sets, one after another: "zoo", the training members, each compared with all others but itself;
    "held-out", members that the flow never saw, the only honest target; "generated"; "noise s" for
    each scale s, and "noise matched" with noise as long as the generated networks' median distance
    to the nearest member (absent if none can be evaluated); "pair mean"; "soup"; "gaussian", with
    the members' mean and covariance. Controls are made of the members as given.

    Args:
        architecture: of all networks.
        training: the members that the flow learned from, as it saw them.
        held_out: members that it never saw, in the same gauge; None if there are none.
        samples: what it generated.
        x: items, (n, features), that nothing was selected on; None if there are none: what is
            measured on items is then NaN.
        y: their classes, (n,); None likewise.
        settings: the controls.
        root_seed: the run's root seed.
        labels: what names this panel; the controls' seeds follow from (root_seed, *labels).
        align: brings networks into the gauge closest to a member before their distance to it is
            measured, so that a permuted copy counts as a copy (about a millisecond for each pair of
            small networks); None measures between parameters as given.
        calibration: training items; the first `settings.calibration` of them are used, and only for
            networks with running statistics.
        device: where to evaluate networks.

    Returns:
        One row per network with the columns of `JUDGE_PANEL`.

    Raises:
        JudgeProblem: fewer than three training members, or fewer than a soup needs; networks that
            are no classifiers; no items to calibrate on; a set without networks.
        StackProblem: members are a bare dictionary.
        TensorProblem: networks of any set are not of the architecture, or members not finite.
        ItemProblem: networks cannot read the items, or labels are none of their classes.
    """
    entered = enter(
        architecture,
        training,
        held_out,
        samples,
        (x, y),
        settings,
        align,
        calibration,
        device,
    )
    training, held_out, drawn = entered.training, entered.held_out, entered.drawn
    judge = entered.bench
    first = np.arange(min(len(training), settings.controls))
    tables = [judge("zoo", training.select(first), own=first)]
    if held_out is not None:
        tables.append(judge("held-out", held_out))
    generated = judge("generated", drawn, samples.seeds)
    tables.append(generated)
    further = settings.statistics[1:] if architecture.statistics and x is not None else ()
    for other in further:
        name = f"generated ({other})"
        tables.append(judge(name, drawn, samples.seeds, statistics=other))
    distance = generated["nearest"].median()
    for name, control in _controls(training, distance, settings, root_seed, labels):
        tables.append(judge(name, held(control), control.seeds))
    return pd.concat(tables, ignore_index=True)


def _controls(
    training: Networks,
    distance: float,
    settings: PanelSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
) -> Iterator[tuple[str, Control]]:
    """Name and networks of each control."""

    def control(name: str, mix: Mix) -> tuple[str, Control]:
        return name, draw_control(training, name, mix, settings.controls, root_seed, labels)

    deviation = per_tensor_deviation(training.columns(columns_at_once(training)), training.shapes)
    scales = {f"noise {number(float(scale))}": scale for scale in settings.noise_scales}
    if math.isfinite(distance):
        scales["noise matched"] = distance / float(np.linalg.norm(deviation))
    for name, scale in scales.items():
        yield control(name, noisy_copies(scale * deviation))
    yield control("pair mean", means(2))
    yield control("soup", means(settings.soup))
    yield control("gaussian", gaussian_draws)
