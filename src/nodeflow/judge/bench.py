"""Networks of any set by the same rules: how good they are, and how near to training members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.canonical.align import finite
from nodeflow.judge.accuracy import Assessment, assess_each, unassessed
from nodeflow.judge.novelty import Align, Gallery, Nearest, max_iou, neighbour_test, spread_of
from nodeflow.judge.settings import JudgeProblem, PanelSettings
from nodeflow.stack import Networks, Stack, check_networks, held, pieces
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.predict import as_items, as_labels, recalibrated

__all__ = ["Bench", "Entered", "enter"]


@dataclass(frozen=True)
class Entered:
    """Networks that are judged side by side, checked and in one order of their tensors.

    Attributes:
        training: the members that a flow learned from.
        held_out: members that it never saw; None if there are none.
        drawn: what it generated.
        bench: what all are judged by.
    """

    training: Networks
    held_out: Networks | None
    drawn: Networks
    bench: Bench


def enter(
    architecture: Architecture,
    training: Networks,
    held_out: Networks | None,
    samples: Networks,
    data: tuple[np.ndarray | None, np.ndarray | None],
    settings: PanelSettings,
    align: Align | None,
    calibration: np.ndarray | None,
    device: torch.device,
) -> Entered:
    """Check networks and items, and measure the training members; see `nodeflow.judge.judge_panel`.

    More than eight parameters, because they are those of the functions that begin with it. Of the
    held-out members, the first `settings.controls` are kept.

    Raises:
        JudgeProblem, StackProblem, TensorProblem, ItemProblem: as `judge_panel`.
    """
    x, y = data
    check_networks(training, "the training members")
    for name, networks in (("held-out", held_out), ("generated", samples)):
        if networks is None:
            continue
        check_networks(networks, f"the {name} networks")
        if len(networks) == 0:
            raise JudgeProblem(f"there are no {name} networks to judge; give at least one.")
    shapes = architecture.shapes
    training = training.arranged(shapes, "the training members")
    drawn = samples.arranged(shapes, "the generated networks")
    if len(training) < max(3, settings.soup):
        raise JudgeProblem(
            f"a panel needs at least {max(3, settings.soup)} training members, found "
            f"{len(training)}; add members or make the soup smaller."
        )
    if (x is None) != (y is None):
        raise JudgeProblem("a panel has items without classes; give both, or neither.")
    if x is not None and y is not None:
        y = as_labels(y, len(as_items(architecture, x))).numpy()
        if y.dtype.kind != "i":
            raise JudgeProblem("a panel judges classifiers; these networks predict a number.")
    needed = x is not None and "recalibrated" in settings.statistics
    if architecture.statistics and needed and calibration is None:
        raise JudgeProblem("networks with running statistics need training items to calibrate on.")
    if held_out is not None:
        held_out = held_out.arranged(shapes, "the held-out members")
        held_out = held(held_out.select(np.arange(min(len(held_out), settings.controls))))
    training, drawn = held(training), held(drawn)
    items = None if calibration is None else calibration[: settings.calibration]
    bench = Bench(architecture, training, held_out, x, y, align, settings, items, device)
    return Entered(training, held_out, drawn, bench)


class Bench:
    """The test items of a zoo, and its training members: what any networks are judged by.

    Args:
        architecture: of all networks.
        training: the members that a flow learned from.
        held_out: members that it never saw, for the nearest-neighbour test; None for none.
        x: items, (n, features), that nothing was selected on; None if there are none.
        y: their classes, (n,).
        align: brings members into the gauge closest to a network; None compares as given.
        settings: candidates, and where running statistics come from.
        calibration: training items to measure running statistics on.
        device: where to evaluate networks.
    """

    def __init__(
        self,
        architecture: Architecture,
        training: Networks,
        held_out: Networks | None,
        x: np.ndarray | None,
        y: np.ndarray | None,
        align: Align | None,
        settings: PanelSettings,
        calibration: np.ndarray | None,
        device: torch.device,
    ) -> None:
        """Measure the training members.

        More than eight parameters, because it holds what all sets are judged with.
        """
        self._architecture, self._x, self._y, self._device = architecture, x, y, device
        self._statistics, self._calibration = settings.statistics[0], calibration
        self._training, self._held_out = training, held_out
        self._gallery = Gallery(training, align, settings.candidates)
        self._errors = self.assess(training)[0].errors

    def anchors(self, networks: Networks) -> tuple[Nearest, Stack[Tensor]]:
        """The nearest members of finite networks, each in the gauge closest to its network."""
        near = self._gallery.nearest(networks)
        return near, self._gallery.beside(networks, near.index)

    def assess(
        self, networks: Networks, statistics: str | None = None
    ) -> tuple[Assessment, np.ndarray]:
        """What the networks do on the items, and which of them are finite."""
        fit = []

        def stacks() -> Iterator[Mapping[str, Tensor]]:
            for rows in pieces(networks):
                block = networks.take(rows)
                fit.append(finite(block.parameters))
                yield self._whole(_marked(block, fit[-1]), statistics or self._statistics)

        if self._x is None or self._y is None:
            for some in pieces(networks):
                fit.append(finite(networks.take(some).parameters))
            return unassessed(np.concatenate(fit)), np.concatenate(fit)
        assessment = assess_each(self._architecture, stacks(), self._x, self._y, self._device)
        return assessment, np.concatenate(fit)

    def _whole(self, tensors: Mapping[str, Tensor], statistics: str) -> Mapping[str, Tensor]:
        """Networks with running statistics, where they have any."""
        architecture = self._architecture
        if not architecture.statistics:
            return tensors
        if statistics == "recalibrated":
            assert self._calibration is not None
            statistics_used = recalibrated(architecture, tensors, self._calibration, self._device)
        elif all(name in tensors for name in architecture.statistics):
            return tensors
        else:
            count = len(next(iter(tensors.values())))
            statistics_used = architecture.fresh_statistics(count)
            if statistics == "reference":
                first = self._training.take([0]).statistics
                statistics_used = {
                    name: first[name].expand_as(one) for name, one in statistics_used.items()
                }
        return {**tensors, **statistics_used}

    def __call__(
        self,
        name: str,
        networks: Networks,
        seeds: np.ndarray | None = None,
        own: np.ndarray | None = None,
        statistics: str | None = None,
    ) -> pd.DataFrame:
        """Rows with the columns of `JUDGE_PANEL`.

        Args:
            name: of the set.
            networks: K of them.
            seeds: (K,) what each can be made again from; None for members.
            own: (K,) of training members, the place of each among them, which it is not compared
                with.
            statistics: where running statistics come from; None for the first of the settings.
        """
        assessment, fit = self.assess(networks, statistics)
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
        if self._x is None:
            table.loc[ok, "reason"] = "there are no items to judge it on"
        table.loc[ok, "nearest"] = near.nearest
        table.loc[ok, "second"] = near.second
        table.loc[ok, "ratio"] = near.ratio
        table.loc[ok, "nearest_index"] = self._training.members[near.index]
        if self._x is not None:
            table.loc[ok, "max_iou"] = max_iou(assessment.errors[ok], self._errors, own)
        table.loc[ok, "spread"] = spread_of(good)
        if self._held_out is not None and name != "held-out":
            # The same exchanges for every set: sets are compared by the same draws.
            table["neighbour_p"] = neighbour_test(good, self._held_out, np.random.default_rng(0))
        return table


def _marked(block: Stack[Tensor], fit: np.ndarray) -> dict[str, Tensor]:
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
