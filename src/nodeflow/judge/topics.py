"""Claims by the question that they belong to, and for which systems they hold, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

__all__ = ["TOPICS", "in_words", "topic_of"]

TOPICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Do errors grow with size?": (
            "errors grow with size",
            "errors barely grow with size",
            "errors grow more where",
            "the dynamics decides",
            "a neural ODE beats the mean field",
        ),
        "Is it the hubs?": ("errors concentrate at hubs", "conjecture:"),
        "Does structure matter?": ("clustering matters", "low clustering"),
        "Are fixed points right?": ("fixed points",),
        "What do missing nodes and noise cost?": (
            "errors grow with unobserved nodes",
            "the model adds",
            "unobserved nodes cost",
            "noise in training",
        ),
        "Does the spread of models warn?": ("the spread of models",),
        "Do bands and flags hold?": ("bands of", "flags", "nodes without a flag"),
        "Do laws reach farther?": ("a law", "a neural ODE with the tails", "the tails of a law"),
    }
)
"""Questions, each with how the claims on it begin; longer beginnings go before shorter ones."""

_OTHER = "Other claims"
_WHERE = re.compile(r"\d+ % band|[Nγβσ] = [\d.,]*\d")


def topic_of(claim: str) -> str:
    """The question that a claim belongs to; one for all that belong to none."""
    starts = {start: topic for topic, words in TOPICS.items() for start in words}
    for start in sorted(starts, key=len, reverse=True):
        if claim.startswith(start):
            return starts[start]
    return _OTHER


def in_words(claims: pd.DataFrame) -> pd.DataFrame:
    """For which systems each claim is confirmed, open and contradicted.

    Args:
        claims: rows of `nodeflow.judge.claims.CLAIMS`.

    Returns:
        A row a claim, by question: columns topic, claim, holds, open, fails. Where a claim has
        several statistics and they do not agree for a system, it stands with those it is said of.
    """
    rows = []
    for claim, mine in claims.groupby("claim", sort=False):
        places = _places(list(dict.fromkeys(mine["statistic"])))
        words = {
            verdict: ", ".join(_systems(mine, places, verdict))
            for verdict in ("confirmed", "open", "contradicted")
        }
        rows.append((topic_of(str(claim)), str(claim), *words.values()))
    table = pd.DataFrame(rows, columns=["topic", "claim", "holds", "open", "fails"])
    order = {topic: number for number, topic in enumerate((*TOPICS, _OTHER))}
    return table.sort_values(
        "topic", key=lambda topics: topics.map(order), kind="stable", ignore_index=True
    )


def _systems(claim: pd.DataFrame, places: Mapping[str, str], verdict: str) -> list[str]:
    sentences = []
    for system, rows in claim.groupby("system", sort=False):
        name = "all systems together" if system == "all" else str(system)
        systems = rows[rows["verdict"] == verdict]
        if len(systems) == len(rows):
            sentences.append(name)
        elif len(systems):
            where = "; ".join(places[statistic] for statistic in systems["statistic"])
            sentences.append(f"{name} ({where})")
    return sentences


def _places(statistics: list[str]) -> dict[str, str]:
    """What tells each statistic of a claim from the others: a γ, a size, a level."""
    parts = [_WHERE.findall(statistic) for statistic in statistics]
    common = set.intersection(*map(set, parts))
    return {
        statistic: ", ".join(x for x in part if x not in common) or statistic
        for statistic, part in zip(statistics, parts, strict=True)
    }
