"""The judge: whether generated networks are good, and whether they are new."""

from nodeflow.judge.accuracy import Assessment, assess
from nodeflow.judge.gauge import closest_gauge
from nodeflow.judge.novelty import REPLICA_RATIO, max_iou, nearest_members
from nodeflow.judge.panel import PanelSettings, judge_panel
from nodeflow.judge.store import JUDGE_PANEL, JUDGE_SUMMARY
from nodeflow.judge.summary import summarize

__all__ = [
    "JUDGE_PANEL",
    "JUDGE_SUMMARY",
    "REPLICA_RATIO",
    "Assessment",
    "PanelSettings",
    "assess",
    "closest_gauge",
    "judge_panel",
    "max_iou",
    "nearest_members",
    "summarize",
]
