"""How good networks are that were trained elsewhere: the rows that training writes of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from nodeflow.datasets import Dataset
from nodeflow.zoo.imports import Imported
from nodeflow.zoo.predict import evaluate

__all__ = ["member_metrics"]

_CPU = torch.device("cpu")


def member_metrics(
    zoo: Imported, dataset: Dataset | None, device: torch.device = _CPU
) -> pd.DataFrame:
    """Columns of `ZOO_METRICS`, one row a checkpoint; accuracies are NaN without items.

    Args:
        zoo: the networks.
        dataset: what they are judged on; None if there is nothing.
        device: where to compute.
    """
    ok = (zoo.report["status"] == "ok").to_numpy()
    table = pd.DataFrame(
        {
            "member": zoo.report["member"],
            "seed": -1,
            "initialization": "",
            "epoch": 0,
        }
    )
    for part in ("train", "validation", "test"):
        loss, accuracy = np.full((2, len(table)), np.nan)
        if dataset is not None and len(items := getattr(dataset, f"{part}_x")):
            y = getattr(dataset, f"{part}_y")
            measured = evaluate(zoo.architecture, zoo.members.tensors, items, y, device)
            loss[ok], accuracy[ok] = measured
        table[f"{part}_accuracy"], table[f"{part}_loss"] = accuracy, loss
    table["status"] = np.where(ok, "ok", "failed")
    table["reason"] = zoo.report["reason"]
    return table
