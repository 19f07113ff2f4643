"""Tables on priors: coefficients alone, few frames, families, and what was to be reached."""

from __future__ import annotations

import numpy as np
import pandas as pd

from docs.numbers.page import MARKS, markdown, share, short, verdict
from nodeflow.priors.schemas import INSIDE

ALONE = {
    "generated": "generated",
    "network": "its network",
    "nearest member": "nearest member",
    "mean of the zoo": "mean of the zoo",
    "flow over codes": "flow over codes",
    "flow over weights": "flow over weights, canonical",
    "flow over weights, raw": "the same, as trained",
    "flow over weights, one start": "the same, from one start",
    "full data": "full data",
}
FEW = {
    "zoo": "zoo",
    "network": "its network",
    "smooth prior": "smooth prior",
    "no prior": "no prior",
    "true form": "true form",
    "law": "law",
}
LEFT_OUT = (
    "An ensemble predicts better than one",
    "An ensemble knows the nodes that go wrong",
    "Selecting on smaller graphs helps",
)
"""Claims that have a table of their own."""


def zero_shot(runs: pd.DataFrame) -> str:
    """Relative errors from coefficients alone: a row for each family and cell, by method."""
    keys = ["family", "where", "gamma", "N"]
    alone = _errors(runs[(runs["frames"] == 0) | (runs["method"] == "full data")])
    lines = []
    for family, where, gamma, size in alone[keys].drop_duplicates().itertuples(index=False):
        rows = alone[(alone[keys] == [family, where, gamma, size]).all(axis=1)]
        cells = [_quartiles(rows.loc[rows["method"] == name, "relative"]) for name in ALONE]
        lines.append([f"{family} {where}, γ = {gamma:g}, N = {size:,}", *cells])
    failed = share((alone["status"] != "ok").mean(), 1)
    table = markdown(["test systems", *ALONE.values()], lines)
    return f"{table}\n{len(alone):,} runs, of which {failed} failed.\n"


def few_frames(runs: pd.DataFrame, fits: pd.DataFrame) -> str:
    """Relative errors on the graphs that all few frames are tested on, by method; bands, notes."""
    few = runs[(runs["frames"] > 0) & (runs["method"] != "full data") & (runs["where"] == INSIDE)]
    cells = few[["N", "gamma"]].value_counts().index[0]
    few = _errors(few[(few["N"] == cells[0]) & (few["gamma"] == cells[1])])
    own = fits[(fits["where"] == INSIDE) & (fits["candidate"] == fits["family"])]
    lines = []
    keys = ["family", "noise", "frames"]
    for family, noise, count in few[keys].drop_duplicates().itertuples(index=False):
        rows = few[(few[keys] == [family, noise, count]).all(axis=1)]
        found = [_quartiles(rows.loc[rows["method"] == name, "relative"]) for name in FEW]
        told = own[(own[keys] == [family, noise, count]).all(axis=1)]
        found.append(share(told["covered"].mean()))
        found.append(f"{told['alarm'].sum()} of {len(told)}")
        lines.append([f"{family}, {share(noise)} noise, {count} frames", *found])
    header = ["test systems", *FEW.values(), "within bands of 90 %", "said not to fit"]
    table = markdown(header, lines)
    return f"{table}\nGraphs of {cells[0]:,} nodes, γ = {cells[1]:g}.\n"


def claims(found: pd.DataFrame) -> str:
    """What was to be reached, by family."""
    shown = found[~found["claim"].isin(LEFT_OUT)]
    return _claims(shown)


def ensembles(found: pd.DataFrame) -> str:
    """The questions about ensembles, by family."""
    return _claims(found[found["claim"].isin(LEFT_OUT)])


def _claims(shown: pd.DataFrame) -> str:
    families = list(dict.fromkeys(shown["family"]))
    keys = ["claim", "statistic", "wanted", "bound"]
    lines = []
    for claim, statistic, wanted, bound in shown[keys].drop_duplicates().itertuples(index=False):
        rows = shown[(shown[keys] == [claim, statistic, wanted, bound]).all(axis=1)]
        by = rows.set_index("family")
        cells = []
        for family in families:
            cells.append(verdict(by.loc[family].to_dict()) if family in by.index else "")
        lines.append([claim, statistic, f"{wanted} {bound:g}", *cells])
    counts = shown["verdict"].value_counts()
    told = ", ".join(f"{counts.get(name, 0)} {name}" for name in MARKS)
    return f"{markdown(['claim', 'number', 'to reach', *families], lines)}\n{told}.\n"


def _errors(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.assign(relative=runs["relative"].mask(runs["status"] != "ok", np.inf))


def _quartiles(values: pd.Series) -> str:
    if values.empty:
        return ""
    low, middle, high = values.quantile([0.25, 0.5, 0.75], interpolation="nearest")
    return f"{_number(middle)} [{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    return "failed" if np.isinf(value) else short(value)
