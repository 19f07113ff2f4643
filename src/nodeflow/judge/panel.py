"""The panel: generated networks beside every reference level, judged by the same rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.canonical.align import finite
from nodeflow.flow.sample import Drawn
from nodeflow.grid import number
from nodeflow.judge.accuracy import Assessment, assess_each
from nodeflow.judge.controls import (
    Control,
    Mix,
    gaussian_draws,
    means,
    noisy_copies,
    per_tensor_deviation,
)
from nodeflow.judge.novelty import Align, Gallery, max_iou, neighbour_test, spread_of, width
from nodeflow.judge.settings import STATISTICS, JudgeProblem, PanelSettings
from nodeflow.seeds import derive_seed
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.predict import as_items, as_labels, recalibrated
from nodeflow.zoo.store import Block, Networks, check_networks, held, pieces

__all__ = ["STATISTICS", "JudgeProblem", "PanelSettings", "judge_panel"]

_CPU = torch.device("cpu")


@one_thread_if_small
def judge_panel(
    architecture: Architecture,
    training: Networks,
    held_out: Networks | None,
    samples: Drawn,
    x: np.ndarray,
    y: np.ndarray,
    settings: PanelSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    align: Align | None = None,
    calibration: np.ndarray | None = None,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Judge generated networks, trained ones and controls made of trained ones.

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
        x: items, (n, features), that nothing was selected on.
        y: their classes, (n,).
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
        BlockProblem: members are a bare dictionary.
        TensorProblem: networks of any set are not of the architecture, or members not finite.
        ItemProblem: networks cannot read the items, or labels are none of their classes.
    """
    check_networks(training, "the training members")
    for name, networks in (("held-out", held_out), ("generated", samples.networks)):
        if networks is None:
            continue
        check_networks(networks, f"the {name} networks")
        if len(networks) == 0:
            raise JudgeProblem(f"there are no {name} networks to judge; give at least one.")
    shapes = architecture.shapes
    training = training.arranged(shapes, "the training members")
    drawn = samples.networks.arranged(shapes, "the generated networks")
    if len(training) < max(3, settings.soup):
        raise JudgeProblem(
            f"a panel needs at least {max(3, settings.soup)} training members, found "
            f"{len(training)}; add members or make the soup smaller."
        )
    y = as_labels(y, len(as_items(architecture, x))).numpy()
    if y.dtype.kind != "i":
        raise JudgeProblem("a panel judges classifiers; these networks predict a number.")
    if architecture.statistics and calibration is None:
        raise JudgeProblem("networks with running statistics need training items to calibrate on.")
    if held_out is not None:
        held_out = held_out.arranged(shapes, "the held-out members")
        held_out = held(held_out.select(np.arange(min(len(held_out), settings.controls))))
    training, drawn = held(training), held(drawn)
    items = None if calibration is None else calibration[: settings.calibration]
    judge = _Judge(architecture, training, held_out, x, y, align, settings, items, device)
    some = np.arange(min(len(training), settings.controls))
    tables = [judge("zoo", training.select(some), own=some)]
    if held_out is not None:
        tables.append(judge("held-out", held_out))
    generated = judge("generated", drawn, samples.seeds)
    tables.append(generated)
    for other in settings.statistics[1:] if architecture.statistics else ():
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
    places = np.arange(settings.controls)

    def control(name: str, mix: Mix) -> tuple[str, Control]:
        seeds = [derive_seed(root_seed, "control", *labels, name, int(i)) for i in places]
        return name, Control(training, mix, places, np.array(seeds))

    deviation = per_tensor_deviation(training.columns(width(training)), training.shapes)
    scales = {f"noise {number(float(scale))}": scale for scale in settings.noise_scales}
    if math.isfinite(distance):
        scales["noise matched"] = distance / float(np.linalg.norm(deviation))
    for name, scale in scales.items():
        yield control(name, noisy_copies(scale * deviation))
    yield control("pair mean", means(2))
    yield control("soup", means(settings.soup))
    yield control("gaussian", gaussian_draws)


class _Judge:
    """Rows of the panel for any set of networks, against one set of training members."""

    def __init__(
        self,
        architecture: Architecture,
        training: Networks,
        held_out: Networks | None,
        x: np.ndarray,
        y: np.ndarray,
        align: Align | None,
        settings: PanelSettings,
        calibration: np.ndarray | None,
        device: torch.device,
    ) -> None:
        self._architecture, self._x, self._y, self._device = architecture, x, y, device
        self._statistics, self._calibration = settings.statistics[0], calibration
        self._training, self._held_out = training, held_out
        self._gallery = Gallery(training, align, settings.candidates)
        self._errors = self._assess(training, self._statistics)[0].errors

    def _assess(self, networks: Networks, statistics: str) -> tuple[Assessment, np.ndarray]:
        """What the networks do on the items, and which of them are finite."""
        fit = []

        def stacks() -> Iterator[Mapping[str, Tensor]]:
            for some in pieces(networks):
                block = networks.take(some)
                fit.append(finite(block.parameters))
                yield self._whole(_marked(block, fit[-1]), statistics)

        assessment = assess_each(self._architecture, stacks(), self._x, self._y, self._device)
        return assessment, np.concatenate(fit)

    def _whole(self, tensors: Mapping[str, Tensor], statistics: str) -> Mapping[str, Tensor]:
        """Networks with running statistics, where they have any."""
        architecture = self._architecture
        if not architecture.statistics:
            return tensors
        if statistics == "recalibrated":
            assert self._calibration is not None
            found = recalibrated(architecture, tensors, self._calibration, self._device)
        elif all(name in tensors for name in architecture.statistics):
            return tensors
        else:
            count = len(next(iter(tensors.values())))
            found = architecture.fresh_statistics(count)
            if statistics == "reference":
                first = self._training.take([0]).statistics
                found = {name: first[name].expand_as(one) for name, one in found.items()}
        return {**tensors, **found}

    def __call__(
        self,
        name: str,
        networks: Networks,
        seeds: np.ndarray | None = None,
        own: np.ndarray | None = None,
        statistics: str | None = None,
    ) -> pd.DataFrame:
        assessment, fit = self._assess(networks, statistics or self._statistics)
        ok = assessment.ok
        good = networks.select(np.flatnonzero(ok))
        own = None if own is None else own[ok]
        near = self._gallery.nearest(good, own)
        table = pd.DataFrame(
            {
                "set": name,
                "index": networks.members,
                "seed": -1 if seeds is None else seeds,
                "accuracy": assessment.accuracy,
                "loss": assessment.loss,
                "ece": assessment.ece,
                "nearest": np.nan,
                "second": np.nan,
                "ratio": np.nan,
                "nearest_index": -1,
                "max_iou": np.nan,
                "spread": np.nan,
                "neighbour_p": np.nan,
                "ensemble_accuracy": np.where(ok, assessment.ensemble_accuracy, np.nan),
                "status": np.where(ok, "ok", "failed"),
                "reason": np.where(ok, "", np.where(fit, "logits", "parameters")),
            }
        )
        table.loc[~ok, "reason"] += " are not finite"
        table.loc[ok, "nearest"] = near.nearest
        table.loc[ok, "second"] = near.second
        table.loc[ok, "ratio"] = near.ratio
        table.loc[ok, "nearest_index"] = self._training.members[near.index]
        table.loc[ok, "max_iou"] = max_iou(assessment.errors[ok], self._errors, own)
        table.loc[ok, "spread"] = spread_of(good)
        if self._held_out is not None and name != "held-out":
            # The same exchanges for every set: sets are compared by the same draws.
            table["neighbour_p"] = neighbour_test(good, self._held_out, np.random.default_rng(0))
        return table


def _marked(block: Block, fit: np.ndarray) -> dict[str, Tensor]:
    """Parameters and statistics; no parameter of a network that is not fit is a number.

    A unit that is off hides an infinite bias: such a network must not seem to work.
    """
    bad = torch.from_numpy(~fit)
    parameters = {
        name: tensor.masked_fill(bad.view(-1, *[1] * (tensor.ndim - 1)), torch.nan)
        if bad.any()
        else tensor
        for name, tensor in block.parameters.items()
    }
    return {**parameters, **block.statistics}
