"""Judgements of all flows in one table."""

from __future__ import annotations

from nodeflow.flow.collected import FLOW
from nodeflow.judge.store import JUDGE_PANEL, JUDGE_SUMMARY, TRANSFER
from nodeflow.tables import gathered

__all__ = ["COLLECTED_PANEL", "COLLECTED_SUMMARY", "COLLECTED_TRANSFER"]

COLLECTED_PANEL = gathered("panels of all flows", JUDGE_PANEL, FLOW)
COLLECTED_SUMMARY = gathered("summaries of all flows", JUDGE_SUMMARY, FLOW)
COLLECTED_TRANSFER = gathered("transfer of all flows", TRANSFER, FLOW)
