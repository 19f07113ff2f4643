"""Do the networks of a conditional flow do what their label says, and are they new?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.datasets import Dataset
from nodeflow.flow.conditional import Condition
from nodeflow.flow.sample import Samples
from nodeflow.judge.accuracy import assess
from nodeflow.judge.novelty import Align, max_iou, nearest_in_gauge
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.predict import recalibrated
from nodeflow.zoo.store import Block

__all__ = ["LabelledZoo", "judge_conditional"]

_CPU = torch.device("cpu")
_CALIBRATION = 1000


@dataclass(frozen=True)
class LabelledZoo:
    """What one label of a conditional flow stands for.

    Attributes:
        training: the members that it learned from.
        held_out: members that it never saw.
        dataset: what both were trained on; networks are judged on its test items.
    """

    training: Block
    held_out: Block
    dataset: Dataset


def judge_conditional(
    architecture: Architecture,
    zoos: Mapping[str, LabelledZoo],
    generated: Mapping[Condition, Samples],
    align: Align,
    candidates: int,
    controls: int,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Judge generated networks of each label and guidance beside held-out members.

    Args:
        architecture: of all networks.
        zoos: label → its zoo.
        generated: what the flow made under each condition.
        align: brings members into the gauge closest to a network, as in `judge_panel`.
        candidates: members matched to each network, as in `nearest_in_gauge`.
        controls: at most so many held-out members of each zoo are judged.
        device: where to evaluate networks.

    Returns:
        One row per network with the columns of `CONDITIONAL`; networks that are not finite, or
        whose logits are not, have the status "failed".
    """
    errors = {
        label: assess(
            architecture, zoo.training.tensors, zoo.dataset.test_x, zoo.dataset.test_y, device
        ).errors
        for label, zoo in zoos.items()
    }
    asked: list[tuple[str, Condition | str, Mapping[str, Tensor], np.ndarray]] = []
    for label, zoo in zoos.items():
        some = zoo.held_out.take(np.arange(min(len(zoo.held_out), controls)))
        asked.append(("held-out", label, some.tensors, np.full(len(some), -1)))
    for wanted, samples in generated.items():
        asked.append(("generated", wanted, samples.parameters, samples.seeds))
    tables = []
    for name, condition, networks, seeds in asked:
        if len(seeds) == 0:
            continue
        label = condition if isinstance(condition, str) else condition.label
        table = _judged(
            architecture, zoos, label, networks, errors[label], align, candidates, device
        )
        table.insert(0, "set", name)
        table.insert(1, "label", label)
        table.insert(2, "guidance", np.nan if isinstance(condition, str) else condition.guidance)
        table.insert(3, "index", np.arange(len(seeds)))
        table.insert(4, "seed", seeds)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _judged(
    architecture: Architecture,
    zoos: Mapping[str, LabelledZoo],
    label: str,
    networks: Mapping[str, Tensor],
    member_errors: np.ndarray,
    align: Align,
    candidates: int,
    device: torch.device,
) -> pd.DataFrame:
    """Networks on the test items of every zoo, and beside the training members of their own."""
    found = {}
    for other, zoo in zoos.items():
        data, whole = zoo.dataset, dict(networks)
        if set(architecture.statistics) - set(whole):
            whole |= recalibrated(architecture, whole, data.train_x[:_CALIBRATION], device)
        found[other] = assess(architecture, whole, data.test_x, data.test_y, device)
    own = found[label]
    parameters = {name: networks[name] for name in architecture.shapes}
    finite = np.stack([t.flatten(1).isfinite().all(1).numpy() for t in parameters.values()]).all(0)
    ok = own.ok & finite
    kept = torch.from_numpy(ok)
    near = nearest_in_gauge(
        {name: tensor[kept] for name, tensor in parameters.items()},
        zoos[label].training.parameters,
        architecture.shapes,
        align,
        candidates,
    )
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
                ok, "", np.where(finite, "logits are not finite", "parameters are not finite")
            ),
        }
    )
    table.loc[ok, "nearest"] = near.nearest
    table.loc[ok, "ratio"] = near.ratio
    table.loc[ok, "nearest_index"] = zoos[label].training.members[near.index]
    table.loc[ok, "max_iou"] = max_iou(own.errors[ok], member_errors)
    return table
