from .accuracy import Assessment, assess
from .degree import errors_by_degree
from .gauge import closest_gauge
from .novelty import REPLICA_RATIO, max_iou, nearest_members
from .panel import PanelSettings, judge_panel
from .store import JUDGE_PANEL, JUDGE_SUMMARY
from .summary import summarize
from .transfer import TransferSettings, transfer

__all__ = [
    "JUDGE_PANEL",
    "JUDGE_SUMMARY",
    "REPLICA_RATIO",
    "Assessment",
    "PanelSettings",
    "TransferSettings",
    "assess",
    "closest_gauge",
    "errors_by_degree",
    "judge_panel",
    "max_iou",
    "nearest_members",
    "summarize",
    "transfer",
]
