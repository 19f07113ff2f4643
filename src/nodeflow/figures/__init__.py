"""Figures: functions of tables that return matplotlib figures."""

from nodeflow.figures.dynamics import draw_activity, draw_trajectories
from nodeflow.figures.flow import draw_capacity, draw_flow_training, draw_frontier, draw_transfer
from nodeflow.figures.graphs import draw_degrees, draw_ensemble, draw_networks
from nodeflow.figures.node import (
    draw_degree_errors,
    draw_size_errors,
    draw_structure_errors,
    draw_training,
)
from nodeflow.figures.runtime import draw_runtime
from nodeflow.figures.style import drawing, save
from nodeflow.figures.zoo import draw_alignment, draw_zoo

__all__ = [
    "draw_activity",
    "draw_alignment",
    "draw_capacity",
    "draw_degree_errors",
    "draw_degrees",
    "draw_ensemble",
    "draw_flow_training",
    "draw_frontier",
    "draw_networks",
    "draw_runtime",
    "draw_size_errors",
    "draw_structure_errors",
    "draw_training",
    "draw_trajectories",
    "draw_transfer",
    "draw_zoo",
    "drawing",
    "save",
]
