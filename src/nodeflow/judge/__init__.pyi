from .accuracy import Assessment, assess
from .claims import CLAIMS, judge_claims
from .degree import errors_by_degree
from .gauge import closest_gauge
from .novelty import REPLICA_RATIO, max_iou, nearest_members
from .panel import PanelSettings, judge_panel
from .store import JUDGE_PANEL, JUDGE_SUMMARY
from .summary import summarize
from .transfer import TransferSettings, transfer
from .warning import receiver_curve

__all__ = [
    "CLAIMS",
    "JUDGE_PANEL",
    "JUDGE_SUMMARY",
    "REPLICA_RATIO",
    "Assessment",
    "PanelSettings",
    "TransferSettings",
    "assess",
    "closest_gauge",
    "errors_by_degree",
    "judge_claims",
    "judge_panel",
    "max_iou",
    "nearest_members",
    "receiver_curve",
    "summarize",
    "transfer",
]
