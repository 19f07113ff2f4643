"""How accurate networks of one flow are, by the solver and the steps that they are sampled with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from nodeflow.flow.method import Generator
from nodeflow.flow.sample import sample
from nodeflow.flow.settings import SampleSettings
from nodeflow.flow.solvers import EVALUATIONS
from nodeflow.judge.accuracy import assess
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.predict import with_statistics

__all__ = ["compare_solvers"]

_CPU = torch.device("cpu")


@one_thread_if_small
def compare_solvers(
    flow: Generator,
    architecture: Architecture,
    samplings: Sequence[SampleSettings],
    count: int,
    x: np.ndarray,
    y: np.ndarray,
    root_seed: int,
    labels: tuple[str | float, ...],
    calibration: np.ndarray | None = None,
    device: torch.device = _CPU,
) -> pd.DataFrame:
    """Sample the same seeds in several ways and evaluate what comes of them.

    More than eight parameters, because it draws and judges, and takes what either takes.

    Args:
        flow: the trained flow.
        architecture: of its networks.
        samplings: solvers with fixed steps.
        count: networks of each way.
        x: test items, (n, features).
        y: their classes, (n,).
        root_seed: the run's root seed.
        labels: what names the draw, as of `nodeflow.flow.sample`.
        calibration: training items that running statistics are measured on, if there are any.
        device: where to integrate and evaluate.

    Returns:
        One row per network with the columns of `SOLVERS`.
    """
    tables = []
    for how in samplings:
        samples = sample(flow, count, how, root_seed, labels, device)
        whole = with_statistics(architecture, samples.parameters, calibration, device)
        judged = assess(architecture, whole, x, y, device)
        ok = judged.ok & samples.ok
        tables.append(
            pd.DataFrame(
                {
                    "solver": how.solver,
                    "steps": how.steps,
                    "evaluations": how.steps * EVALUATIONS[how.solver],
                    "index": np.arange(count),
                    "seed": samples.seeds,
                    "accuracy": np.where(ok, judged.accuracy, np.nan),
                    "loss": np.where(ok, judged.loss, np.nan),
                    "status": np.where(ok, "ok", "failed"),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
