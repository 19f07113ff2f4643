"""Ensembles of neural ODEs of one test system, as predictors and as alarms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.integrate import Simulation
from nodeflow.dynamics.store import Trajectory
from nodeflow.judge.warning import receiver_curve
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.field import Learned, model_fields
from nodeflow.priors.trials import Case, Trial

__all__ = ["ensemble_rows"]

Array = NDArray[np.float64]
Rows = list[dict[str, Any]]

_WORST = 0.05
"""Share of the nodes, those where an ensemble errs most, that its spread should tell."""


def ensemble_rows(
    stacks: Mapping[tuple[str, int, float], Learned],
    trial: Trial,
    cases: Sequence[tuple[Case, Sequence[Trajectory]]],
) -> Rows:
    """Rows of "ensembles", by the code that tests neural ODEs.

    Args:
        stacks: by method, frames and noise.
        trial: the test system.
        cases: test graphs of one γ, with the true runs on them.
    """
    rows: Rows = []
    for (method, frames, noise), models in stacks.items():
        before: Array | None = None
        fields = model_fields(models)
        for case, truth in sorted(cases, key=lambda x: x[0].cell.N):
            seen = _Watched([], [])
            evaluate_models(
                models, trial.field, case.graphs, case.nodes, truth,
                tolerance=trial.tolerance, fields=fields, watch=seen,
            )  # fmt: skip
            for row in seen.rows:
                selected = math.nan
                if before is not None and np.isfinite(before).any():
                    selected = float(seen.each[row["graph"]][int(np.nanargmin(before))])
                facts = {"method": method, "frames": frames, "noise": noise}
                cell = {"N": case.cell.N, "gamma": case.cell.gamma}
                rows.append({**facts, **cell, **row, "error_selected": selected})
            each = np.stack(seen.each)
            before = np.where(np.isnan(each).any(axis=0), np.inf, each.mean(axis=0))
    return rows


@dataclass
class _Watched:
    """What an ensemble predicts on each graph: see `neural_ode.evaluate.Watch`.

    Attributes:
        rows: of "ensembles", but for what is the same for all graphs.
        each: of each graph the relative errors of all members; NaN where one failed.
    """

    rows: Rows
    each: list[Array]

    def __call__(
        self, index: int, truth: Sequence[Trajectory], found: Sequence[Simulation | None]
    ) -> None:
        true = truth[0].states.astype(np.float64)
        size = float(np.abs(true).mean())
        states = [x.states[0] if x is not None and not x.reason[0] else None for x in found]
        errors = np.array(
            [math.nan if x is None else np.abs(x - true).mean() / size for x in states]
        )
        self.each.append(errors)
        good = np.stack([x for x in states if x is not None]) if np.isfinite(errors).any() else None
        row: dict[str, Any] = {
            "graph": index, "members": int(np.isfinite(errors).sum()),
            "error_one": math.nan, "error": math.nan, "alarm": math.nan,
        }  # fmt: skip
        if good is not None:
            off = np.abs(good.mean(axis=0) - true).mean(axis=0)
            row |= {"error_one": float(np.nanmedian(errors)), "error": float(off.mean() / size)}
            if len(good) > 1:
                bad = off > np.quantile(off, 1 - _WORST)
                row["alarm"] = receiver_curve(bad, good.std(axis=0, ddof=1).mean(axis=0))[1]
        self.rows.append(row)
