"""What jobs asked of a cluster against what they used, and what to ask for next time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from nodeflow.problems import Problem
from nodeflow.tables import Schema

__all__ = ["RESOURCES", "compare_resources"]

RESOURCES = Schema(
    "resources",
    1,
    {
        "rule": pa.string(),
        "jobs": pa.int64(),
        "requested_mem_mb": pa.int64(),
        "used_mem_mb": pa.float64(),
        "proposed_mem_mb": pa.int64(),
        "requested_minutes": pa.int64(),
        "used_minutes": pa.float64(),
        "proposed_minutes": pa.int64(),
        "set_resources": pa.string(),
    },
    {
        "rule": "name of the rule",
        "jobs": "how many of its jobs the run had",
        "requested_mem_mb": "memory that the profile asks for at the first attempt, MiB",
        "used_mem_mb": "largest resident memory of its jobs, MiB; NaN where none was sampled",
        "proposed_mem_mb": "half as much again, rounded up to 500 MiB",
        "requested_minutes": "time that the profile asks for at the first attempt, minutes",
        "used_minutes": "time of its longest job, minutes",
        "proposed_minutes": "twice as much, rounded up to 10 minutes",
        "set_resources": "the proposal as a line of `set-resources` in a profile",
    },
)

_MEMORY_STEP, _MEMORY_MARGIN = 500, 1.5
_TIME_STEP, _TIME_MARGIN = 10, 2.0


def compare_resources(runtime: pd.DataFrame, profile: Mapping[str, Any]) -> pd.DataFrame:
    """Requested against used memory and time by rule, with a proposal.

    Args:
        runtime: one row a job: columns rule, seconds, max_rss (see `nodeflow.runtime.RUNTIME`).
        profile: a Snakemake profile; its `default-resources` and `set-resources` hold numbers or
            texts like "attempt * 1500".

    Returns:
        The columns of `RESOURCES`, sorted by rule.

    Raises:
        Problem: the profile asks for a resource in another form.
    """
    rows = []
    for rule, jobs in runtime.groupby("rule"):
        memory, minutes = float(jobs["max_rss"].max()), float(jobs["seconds"].max()) / 60.0
        asked_memory, asked_minutes = (
            _requested(profile, str(rule), name) for name in ("mem_mb", "runtime")
        )
        proposed_memory = (
            asked_memory if math.isnan(memory) else _up(memory * _MEMORY_MARGIN, _MEMORY_STEP)
        )
        proposed_minutes = _up(minutes * _TIME_MARGIN, _TIME_STEP)
        rows.append(
            {
                "rule": rule,
                "jobs": len(jobs),
                "requested_mem_mb": asked_memory,
                "used_mem_mb": memory,
                "proposed_mem_mb": proposed_memory,
                "requested_minutes": asked_minutes,
                "used_minutes": minutes,
                "proposed_minutes": proposed_minutes,
                "set_resources": f'{rule}: {{mem_mb: "attempt * {proposed_memory}", '
                f'runtime: "attempt * {proposed_minutes}"}}',
            }
        )
    return pd.DataFrame(rows, columns=list(RESOURCES.columns))


def _requested(profile: Mapping[str, Any], rule: str, name: str) -> int:
    of_rule = profile.get("set-resources", {}).get(rule, {})
    asked = of_rule.get(name, profile.get("default-resources", {}).get(name))
    try:
        return math.prod(int(x) for x in str(asked).replace("attempt", "1").split("*"))
    except ValueError:
        raise Problem(
            f"The profile asks for {name} = {asked} for {rule}; "
            'write a number or "attempt * NUMBER".'
        ) from None


def _up(value: float, step: int) -> int:
    return max(step, step * math.ceil(value / step))
