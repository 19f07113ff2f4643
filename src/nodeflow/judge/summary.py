"""Judgements in one row per set."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from nodeflow.judge.novelty import REPLICA_RATIO
from nodeflow.seeds import numpy_generator

__all__ = ["mean_interval", "summarize", "summarize_conditional"]


def summarize(
    panel: pd.DataFrame,
    root_seed: int,
    labels: tuple[str | float, ...],
    resamples: int = 2000,
) -> pd.DataFrame:
    """Summarize a panel.

    Failed networks count in `failed` and in nothing else. Two-sample tests compare a set with
    "held-out" and are NaN without it.

    Args:
        panel: columns of `JUDGE_PANEL`, from `judge_panel`.
        root_seed: the run's root seed.
        labels: what names this panel; bootstrap draws follow from (root_seed, *labels, set).
        resamples: bootstrap draws for each interval.

    Returns:
        One row per set, in the panel's order, with the columns of `JUDGE_SUMMARY`.
    """
    good = panel[panel["status"] == "ok"]
    sets = {str(name): good[good["set"] == name] for name in panel["set"].unique()}
    zoo = sets["zoo"]
    held_out = sets.get("held-out", zoo.iloc[:0])
    ensemble_size = min(len(table) for table in sets.values() if len(table))
    rows = []
    for name, table in sets.items():
        everyone = int((panel["set"] == name).sum())
        rng = numpy_generator(root_seed, "bootstrap", *labels, name)
        low, high = mean_interval(table["accuracy"].to_numpy(), rng, resamples)
        together = table["ensemble_accuracy"].iloc[ensemble_size - 1] if len(table) else math.nan
        reference = held_out if name != "held-out" else zoo.iloc[:0]
        rows.append(
            {
                "set": name,
                "n": len(table),
                "failed": everyone - len(table),
                "accuracy": table["accuracy"].mean(),
                "accuracy_low": low,
                "accuracy_high": high,
                "accuracy_std": table["accuracy"].std(),
                "loss": table["loss"].mean(),
                "ece": table["ece"].mean(),
                "nearest": table["nearest"].median(),
                "nearest_relative": table["nearest"].median() / zoo["nearest"].median(),
                "nearest_p": _same_distribution(table["nearest"], reference["nearest"]),
                "ratio": table["ratio"].mean(),
                "replica_share": _share(table["ratio"] < REPLICA_RATIO),
                "distinct": table["nearest_index"].nunique(),
                "rms_ratio": _rms(table["spread"]) / _rms(zoo["spread"]),
                "max_iou": table["max_iou"].mean(),
                "max_iou_p": _same_distribution(table["max_iou"], reference["max_iou"]),
                "neighbour_p": table["neighbour_p"].iloc[0] if len(table) else math.nan,
                "ensemble_size": ensemble_size if len(table) else 0,
                "ensemble_accuracy": together,
                "ensemble_gain": together - table["accuracy"].mean(),
            }
        )
    return pd.DataFrame(rows)


def summarize_conditional(
    judged: pd.DataFrame,
    root_seed: int,
    labels: tuple[str | float, ...],
    resamples: int = 2000,
) -> pd.DataFrame:
    """Summarize what networks of a conditional flow do, for each label and guidance.

    Failed networks count in `failed` and in nothing else. Everything is compared with held-out
    members of the label's zoo, and is NaN without them.

    Args:
        judged: columns of `CONDITIONAL`, from `nodeflow.judge.judge_conditional`.
        root_seed: the run's root seed.
        labels: what names this judgement; bootstrap draws follow from (root_seed, *labels, set,
            label, guidance).
        resamples: bootstrap draws for each interval.

    Returns:
        One row per set, label and guidance with the columns of `CONDITIONAL_SUMMARY`.
    """
    good = judged[judged["status"] == "ok"]
    members = good[good["set"] == "held-out"]
    rows = []
    groups = judged.groupby(["set", "label", "guidance"], sort=False, dropna=False)
    for _, everyone in groups:
        name, label = str(everyone["set"].iloc[0]), str(everyone["label"].iloc[0])
        guidance = float(everyone["guidance"].iloc[0])
        table = everyone[everyone["status"] == "ok"]
        rng = numpy_generator(root_seed, "bootstrap", *labels, name, label, guidance)
        low, high = mean_interval(table["accuracy"].to_numpy(), rng, resamples)
        reference = members[members["label"] == label]
        other = reference if name == "generated" else good.iloc[:0]
        rows.append(
            {
                "set": name,
                "label": label,
                "guidance": guidance,
                "n": len(table),
                "failed": len(everyone) - len(table),
                "accuracy": table["accuracy"].mean(),
                "accuracy_low": low,
                "accuracy_high": high,
                "loss": table["loss"].mean(),
                "right": _share(table["accuracy"] > table["elsewhere"]),
                "nearest_relative": table["nearest"].median() / reference["nearest"].median(),
                "nearest_p": _same_distribution(table["nearest"], other["nearest"]),
                "replica_share": _share(table["ratio"] < REPLICA_RATIO),
                "distinct": table["nearest_index"].nunique(),
                "max_iou": table["max_iou"].mean(),
                "max_iou_p": _same_distribution(table["max_iou"], other["max_iou"]),
            }
        )
    return pd.DataFrame(rows)


def mean_interval(
    values: np.ndarray, rng: np.random.Generator, resamples: int
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean; a point if the values do not differ.

    Args:
        values: (n,), of independent networks; NaN where nothing could be measured.
        rng: where the resampling comes from.
        resamples: how often to resample.
    """
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return math.nan, math.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    interval = stats.bootstrap(
        (values,), np.mean, n_resamples=resamples, batch=100, method="percentile", rng=rng
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _same_distribution(a: pd.Series, b: pd.Series) -> float:
    """P-value of the two-sided Kolmogorov–Smirnov test; NaN if nothing of either was measured."""
    a, b = a.dropna(), b.dropna()
    if a.empty or b.empty:
        return math.nan
    return float(stats.ks_2samp(a, b).pvalue)


def _share(flags: pd.Series) -> float:
    return float(flags.mean()) if len(flags) else math.nan


def _rms(values: pd.Series) -> float:
    """Root mean square of distances to a mean; a single network has none but itself."""
    return math.sqrt((values**2).mean()) if len(values) > 1 else math.nan
