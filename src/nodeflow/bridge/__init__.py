"""The bridge: zoos of neural ODEs, canonicalized under their own symmetries, and flows over them.

Everything here needs torch.
"""

from nodeflow.bridge.canonical import Canonical, Frame, canonicalize, common_order, fit_frame
from nodeflow.bridge.evaluate import TestSettings, cell_sets, evaluate_cell, functions_table
from nodeflow.bridge.flow import BridgeFlow, Conditions, fit_bridge_flow, generate
from nodeflow.bridge.panel import judge_nodes
from nodeflow.bridge.questions import answer_questions
from nodeflow.bridge.sets import ControlSettings, Sets, build_sets
from nodeflow.bridge.symmetry import (
    balanced_gauge,
    node_shapes,
    node_symmetry,
    scale_interaction,
)
from nodeflow.bridge.zoo import DataSettings, Members, train_zoo

__all__ = [
    "BridgeFlow",
    "Canonical",
    "Conditions",
    "ControlSettings",
    "DataSettings",
    "Frame",
    "Members",
    "Sets",
    "TestSettings",
    "answer_questions",
    "balanced_gauge",
    "build_sets",
    "canonicalize",
    "cell_sets",
    "common_order",
    "evaluate_cell",
    "fit_bridge_flow",
    "fit_frame",
    "functions_table",
    "generate",
    "judge_nodes",
    "node_shapes",
    "node_symmetry",
    "scale_interaction",
    "train_zoo",
]
