from .dynamics import draw_activity, draw_trajectories
from .flow import draw_capacity, draw_flow_training, draw_frontier, draw_transfer
from .graphs import draw_degrees, draw_ensemble, draw_networks
from .node import draw_degree_errors, draw_size_errors, draw_structure_errors, draw_training
from .runtime import draw_runtime
from .style import drawing, save
from .zoo import draw_alignment, draw_zoo

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
