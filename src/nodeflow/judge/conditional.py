"""Do the networks of a conditional flow do what their label says, and are they new?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from nodeflow.canonical.align import finite
from nodeflow.datasets import Dataset
from nodeflow.flow.conditional import Condition
from nodeflow.flow.sample import Drawn
from nodeflow.judge.accuracy import Assessment, assess_each
from nodeflow.judge.novelty import Align, Gallery, max_iou
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.predict import with_statistics
from nodeflow.zoo.store import Networks, held, pieces

__all__ = ["LabelledZoo", "judge_conditional"]

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class LabelledZoo:
    """What one label of a conditional flow stands for.

    Attributes:
        training: the members that it learned from.
        held_out: members that it never saw.
        dataset: what both were trained on; networks are judged on its test items.
    """

    training: Networks
    held_out: Networks
    dataset: Dataset


@one_thread_if_small
def judge_conditional(
    architecture: Architecture,
    zoos: Mapping[str, LabelledZoo],
    generated: Mapping[Condition, Drawn],
    align: Align,
    candidates: int,
    controls: int,
    calibration: int = 1000,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Judge generated networks of each label and guidance beside held-out members.

    Args:
        architecture: of all networks.
        zoos: label → its zoo.
        generated: what the flow made under each condition.
        align: brings members into the gauge closest to a network, as in `judge_panel`.
        candidates: members matched to each network, as in `PanelSettings`.
        controls: at most so many held-out members of each zoo are judged.
        calibration: training items that running statistics are measured on, of networks that come
            without any.
        device: where to evaluate networks.

    Returns:
        One row per network with the columns of `CONDITIONAL`; networks that are not finite, or
        whose logits are not, have the status "failed".
    """
    judges = {
        label: _Judge(architecture, zoo, align, candidates, calibration, device)
        for label, zoo in zoos.items()
    }
    asked: list[tuple[str, Condition | str, Networks, np.ndarray]] = []
    for label, zoo in zoos.items():
        count = min(len(zoo.held_out), controls)
        some = zoo.held_out.arranged(architecture.shapes, "the held-out members")
        some = some.select(np.arange(count))
        asked.append(("held-out", label, some, np.full(count, -1)))
    for wanted, samples in generated.items():
        networks = samples.networks.arranged(architecture.shapes, "the generated networks")
        asked.append(("generated", wanted, networks, samples.seeds))
    tables = []
    for name, condition, networks, seeds in asked:
        if len(seeds) == 0:
            continue
        label = condition if isinstance(condition, str) else condition.label
        table = _judged(judges, label, held(networks))
        table.insert(0, "set", name)
        table.insert(1, "label", label)
        table.insert(2, "guidance", np.nan if isinstance(condition, str) else condition.guidance)
        table.insert(3, "index", np.arange(len(seeds)))
        table.insert(4, "seed", seeds)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


class _Judge:
    """The data of one label and the members that a flow learned it from."""

    def __init__(
        self,
        architecture: Architecture,
        zoo: LabelledZoo,
        align: Align,
        candidates: int,
        calibration: int,
        device: torch.device,
    ) -> None:
        self._architecture, self._data, self._device = architecture, zoo.dataset, device
        self._items = zoo.dataset.train_x[:calibration]
        training = held(zoo.training.arranged(architecture.shapes, "the training members"))
        self.members = zoo.training.members
        self.gallery = Gallery(training, align, candidates)
        self.errors = self.assess(training).errors

    def assess(self, networks: Networks) -> Assessment:
        """What networks do on the test items."""
        stacks = (
            with_statistics(
                self._architecture, networks.take(some).tensors, self._items, self._device
            )
            for some in pieces(networks)
        )
        data = self._data
        return assess_each(self._architecture, stacks, data.test_x, data.test_y, self._device)


def _judged(judges: Mapping[str, _Judge], label: str, networks: Networks) -> pd.DataFrame:
    """Networks on the test items of every zoo, and beside the training members of their own."""
    found = {other: judge.assess(networks) for other, judge in judges.items()}
    own, home = found[label], judges[label]
    fit = np.concatenate([finite(networks.take(some).parameters) for some in pieces(networks)])
    ok = own.ok & fit
    near = home.gallery.nearest(networks.select(np.flatnonzero(ok)))
    elsewhere = np.stack([f.accuracy for other, f in found.items() if other != label])
    table = pd.DataFrame(
        {
            "accuracy": np.where(ok, own.accuracy, np.nan),
            "loss": np.where(ok, own.loss, np.nan),
            "elsewhere": np.where(ok, np.nan_to_num(elsewhere, nan=0.0).max(axis=0), np.nan),
            "nearest": np.nan,
            "ratio": np.nan,
            "nearest_index": -1,
            "max_iou": np.nan,
            "status": np.where(ok, "ok", "failed"),
            "reason": np.where(
                ok, "", np.where(fit, "logits are not finite", "parameters are not finite")
            ),
        }
    )
    table.loc[ok, "nearest"] = near.nearest
    table.loc[ok, "ratio"] = near.ratio
    table.loc[ok, "nearest_index"] = home.members[near.index]
    table.loc[ok, "max_iou"] = max_iou(own.errors[ok], home.errors)
    return table
