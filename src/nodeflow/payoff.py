"""From how many networks on generating them costs less than training them, and what it buys."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nodeflow.tables import Schema

__all__ = ["PAYOFF", "compare_payoff", "cost_of_each"]

PAYOFF = Schema(
    "payoff",
    1,
    {
        "zoo": pa.string(),
        "way": pa.string(),
        "networks": pa.int64(),
        "member_cpu": pa.float64(),
        "fit_cpu": pa.float64(),
        "network_cpu": pa.float64(),
        "pays_from": pa.float64(),
        "training_cpu": pa.float64(),
        "generating_cpu": pa.float64(),
        "epochs": pa.float64(),
        "trained_accuracy": pa.float64(),
        "generated_accuracy": pa.float64(),
    },
    {
        "zoo": "name of the zoo",
        "way": "the flow: its name, method, alignment and capacity",
        "networks": "how many networks are wanted",
        "member_cpu": "processor seconds to train one network of the zoo",
        "fit_cpu": "to fit the flow, without the training of the members that it learns from",
        "network_cpu": "to generate one network",
        "pays_from": "number of networks from which on generating costs less than training, the "
        "members that the flow learns from not counted; infinite if it never does",
        "training_cpu": "processor seconds to train as many networks as are wanted",
        "generating_cpu": "to fit the flow and generate them",
        "epochs": "for how many epochs each could be trained in `generating_cpu`; at most the "
        "zoo's own",
        "trained_accuracy": "mean test accuracy of networks trained for so many epochs, between "
        "those that were measured along a straight line",
        "generated_accuracy": "mean test accuracy of the flow's networks",
    },
)

_WANTED = tuple(10**k for k in range(7))


def cost_of_each(
    runtime: pd.DataFrame, made: Sequence[Mapping[str, Any]], column: str
) -> pd.DataFrame:
    """What one network costs by way of making it.

    Args:
        runtime: one row a job: columns rule, job and `column`.
        made: ways of making networks: a mapping each of name, zoo, networks (how many its jobs
            make), jobs ((rule, job) pairs), and once (the jobs that it takes before, if any).
        column: what is counted, in seconds.

    Returns:
        Columns zoo, name, networks, each (seconds of one network), once (seconds spent before).
    """
    seconds = runtime.set_index(["rule", "job"])[column]

    def spent(jobs: Sequence[Sequence[str]]) -> float:
        return float(sum(seconds[tuple(job)] for job in jobs))

    rows = [
        {
            "zoo": way["zoo"],
            "name": way["name"],
            "networks": way["networks"],
            "each": spent(way["jobs"]) / way["networks"],
            "once": spent(way.get("once", ())),
        }
        for way in made
    ]
    return pd.DataFrame(rows)


def compare_payoff(
    runtime: pd.DataFrame,
    made: Sequence[Mapping[str, Any]],
    epochs: pd.DataFrame,
    summary: pd.DataFrame,
) -> pd.DataFrame:
    """What training and generating networks cost, and what either buys for the same.

    Args:
        runtime: one row a job: columns rule, job, seconds, cpu_seconds (see
            `nodeflow.runtime.RUNTIME`); of jobs too short for processor time, their wall-clock time
            counts.
        made: as in `cost_of_each`; the training of each zoo has no `once`, all others have flow,
            alignment and capacity.
        epochs: columns zoo, epochs, accuracy: networks trained for so many epochs.
        summary: columns flow, alignment, capacity, set, accuracy: generated networks.

    Returns:
        One row per way and number of networks with the columns of `PAYOFF`.
    """
    counted = runtime.assign(cpu=runtime["cpu_seconds"].fillna(runtime["seconds"]))
    costs = cost_of_each(counted, made, "cpu")
    generated = summary[summary["set"] == "generated"].set_index(["flow", "alignment", "capacity"])
    trained = costs[[("once" not in way) for way in made]].set_index("zoo")["each"]
    rows = []
    for way, cost in zip(made, costs.to_dict("records"), strict=True):
        if "once" not in way:
            continue
        member = float(trained[way["zoo"]])
        curve = epochs[epochs["zoo"] == way["zoo"]].groupby("epochs")["accuracy"].mean()
        saved = member - cost["each"]
        for wanted in _WANTED:
            total = cost["once"] + wanted * cost["each"]
            afford = min(1.0, total / (wanted * member)) * curve.index[-1]
            accuracy = generated.loc[(way["flow"], way["alignment"], way["capacity"]), "accuracy"]
            rows.append(
                {
                    "zoo": way["zoo"],
                    "way": way["name"],
                    "networks": wanted,
                    "member_cpu": member,
                    "fit_cpu": cost["once"],
                    "network_cpu": cost["each"],
                    "pays_from": math.ceil(cost["once"] / saved) if saved > 0 else math.inf,
                    "training_cpu": wanted * member,
                    "generating_cpu": total,
                    "epochs": afford,
                    "trained_accuracy": float(np.interp(afford, curve.index, curve)),
                    "generated_accuracy": float(accuracy),
                }
            )
    return pd.DataFrame(rows, columns=list(PAYOFF.columns))
