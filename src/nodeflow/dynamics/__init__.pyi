from .by_degree import activity_by_degree
from .ensemble import simulate_cell, simulate_ensemble
from .fixed_points import FixedPoints, find_fixed_points
from .initial import InitialProblem, initial_states
from .integrate import IntegrationProblem, Simulation, simulate, simulate_graphs
from .schemas import ACTIVITY, TRAJECTORIES
from .store import Trajectory, read_trajectories, stream_trajectories, write_trajectories
from .systems import SYSTEMS, Field, System, SystemProblem, field
from .tolerance import Tolerance

__all__ = [
    "ACTIVITY",
    "SYSTEMS",
    "TRAJECTORIES",
    "Field",
    "FixedPoints",
    "InitialProblem",
    "IntegrationProblem",
    "Simulation",
    "System",
    "SystemProblem",
    "Tolerance",
    "Trajectory",
    "activity_by_degree",
    "field",
    "find_fixed_points",
    "initial_states",
    "read_trajectories",
    "simulate",
    "simulate_cell",
    "simulate_ensemble",
    "simulate_graphs",
    "stream_trajectories",
    "write_trajectories",
]
