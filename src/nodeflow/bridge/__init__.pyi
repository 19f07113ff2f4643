from .questions import answer_questions
from .tables import (
    BRIDGE_DEGREES,
    BRIDGE_ENSEMBLES,
    BRIDGE_FIXED_POINTS,
    BRIDGE_FUNCTIONS,
    BRIDGE_PANEL,
    BRIDGE_QUESTIONS,
    BRIDGE_RUNS,
    BRIDGE_UNOBSERVED,
)

__all__ = [
    "BRIDGE_DEGREES",
    "BRIDGE_ENSEMBLES",
    "BRIDGE_FIXED_POINTS",
    "BRIDGE_FUNCTIONS",
    "BRIDGE_PANEL",
    "BRIDGE_QUESTIONS",
    "BRIDGE_RUNS",
    "BRIDGE_UNOBSERVED",
    "answer_questions",
]
