from .accuracy import Assessment, assess
from .claims import judge_claims
from .conditional import judge_conditional
from .degree import errors_by_degree
from .distances import judge_distances
from .gauge import closest_gauge
from .novelty import REPLICA_RATIO, max_iou, nearest_members
from .panel import PanelSettings, judge_panel
from .schemas import CLAIMS, DISTANCES, JUDGE_PANEL, JUDGE_SUMMARY
from .settings import DistanceSettings
from .solvers import compare_solvers
from .summary import summarize, summarize_conditional
from .transfer import TransferSettings, transfer
from .warning import receiver_curve

__all__ = [
    "CLAIMS",
    "DISTANCES",
    "JUDGE_PANEL",
    "JUDGE_SUMMARY",
    "REPLICA_RATIO",
    "Assessment",
    "DistanceSettings",
    "PanelSettings",
    "TransferSettings",
    "assess",
    "closest_gauge",
    "compare_solvers",
    "errors_by_degree",
    "judge_claims",
    "judge_conditional",
    "judge_distances",
    "judge_panel",
    "max_iou",
    "nearest_members",
    "receiver_curve",
    "summarize",
    "summarize_conditional",
    "transfer",
]
