"""Judgements of all flows in one table."""

from __future__ import annotations

from nodeflow.flow.collected import FLOW
from nodeflow.judge.store import (
    CONDITIONAL,
    CONDITIONAL_SUMMARY,
    JUDGE_PANEL,
    JUDGE_SUMMARY,
    SOLVERS,
    TRANSFER,
)
from nodeflow.tables import gathered

__all__ = [
    "COLLECTED_CONDITIONAL",
    "COLLECTED_CONDITIONAL_SUMMARY",
    "COLLECTED_PANEL",
    "COLLECTED_SOLVERS",
    "COLLECTED_SUMMARY",
    "COLLECTED_TRANSFER",
]

COLLECTED_PANEL = gathered("panels of all flows", JUDGE_PANEL, FLOW)
COLLECTED_SUMMARY = gathered("summaries of all flows", JUDGE_SUMMARY, FLOW)
COLLECTED_CONDITIONAL = gathered("conditional flows", CONDITIONAL, FLOW)
COLLECTED_CONDITIONAL_SUMMARY = gathered(
    "summaries of conditional flows", CONDITIONAL_SUMMARY, FLOW
)
COLLECTED_SOLVERS = gathered("flows by solver", SOLVERS, FLOW)
COLLECTED_TRANSFER = gathered("transfer of all flows", TRANSFER, FLOW)
