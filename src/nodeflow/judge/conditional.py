"""Do the networks of a flow over several zoos do what their label says, and are they new?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from nodeflow.flow.method import Condition, LearnedZoo
from nodeflow.judge.bench import Bench
from nodeflow.judge.items import judged_items
from nodeflow.judge.novelty import Align
from nodeflow.judge.schemas import CONDITIONAL
from nodeflow.judge.settings import JudgeProblem, PanelSettings
from nodeflow.stack import Networks, held
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture

__all__ = ["judge_conditional"]

_CPU = torch.device("cpu")


@one_thread_if_small
def judge_conditional(
    architecture: Architecture,
    zoos: Mapping[str, LearnedZoo],
    generated: Mapping[Condition, Networks],
    align: Align,
    settings: PanelSettings,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Judge generated networks of each label and guidance beside held-out members.

    Each network is judged as by `judge_panel`, beside the training members of its label's zoo; and
    on the test items of all other zoos.

    Args:
        architecture: of all networks.
        zoos: label → its zoo, with its origin.
        generated: what the flow made under each condition.
        align: brings members into the gauge closest to a network, as in `judge_panel`.
        settings: candidates, calibration, and how many held-out members of each zoo are judged.
        device: where to evaluate networks.

    Returns:
        One row per network with the columns of `CONDITIONAL`; networks that are not finite, or
        whose logits are not, have the status "failed".

    Raises:
        JudgeProblem: a zoo does not say what it was trained on.
        TensorProblem: networks are not of the architecture.
    """
    benches = {
        label: _bench(architecture, label, zoo, align, settings, device)
        for label, zoo in zoos.items()
    }
    tables = []
    for label, zoo in zoos.items():
        if zoo.held_out is not None and len(zoo.held_out):
            held_out = zoo.held_out.select(np.arange(min(len(zoo.held_out), settings.controls)))
            held_out = held_out.arranged(architecture.shapes, "the held-out members")
            tables.append(_judged(benches, "held-out", Condition(label), held_out, None))
            tables[-1]["guidance"] = np.nan
    for condition, drawn in generated.items():
        networks = drawn.arranged(architecture.shapes, "the generated networks")
        tables.append(_judged(benches, "generated", condition, networks, drawn.seeds))
    return pd.concat(tables, ignore_index=True)[list(CONDITIONAL.columns)]


def _bench(
    architecture: Architecture,
    label: str,
    zoo: LearnedZoo,
    align: Align,
    settings: PanelSettings,
    device: torch.device,
) -> Bench:
    if zoo.origin is None or zoo.origin.dataset is None:
        raise JudgeProblem(
            f"networks of the label {label} are judged on what their zoo was trained on; give the "
            "zoo its origin, with items."
        )
    training = held(zoo.training.arranged(architecture.shapes, "the training members"))
    items = judged_items(zoo.origin, settings)
    return Bench(
        architecture,
        training,
        None,
        items.x,
        items.y,
        align,
        items.settings,
        items.calibration,
        device,
    )


def _judged(
    benches: Mapping[str, Bench],
    name: str,
    condition: Condition,
    networks: Networks,
    seeds: np.ndarray | None,
) -> pd.DataFrame:
    """Rows of networks that were asked for under one condition."""
    networks = held(networks)
    table = benches[condition.label](name, networks, seeds)
    others = [bench for label, bench in benches.items() if label != condition.label]
    elsewhere = np.stack([bench.assess(networks)[0].accuracy for bench in others])
    ok = table["status"] == "ok"
    return table.assign(
        label=condition.label,
        guidance=condition.guidance,
        index=np.arange(len(table)),
        elsewhere=np.where(ok, np.nan_to_num(elsewhere, nan=0.0).max(axis=0), np.nan),
    )
