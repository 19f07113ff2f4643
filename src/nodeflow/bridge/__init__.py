"""The bridge: zoos of neural ODEs, canonicalized under their own symmetries, and flows over them.

Training, canonicalization and sampling need torch and are imported from their modules, so that the
tables can be read without it.
"""

from nodeflow.bridge.questions import answer_questions
from nodeflow.bridge.tables import (
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
