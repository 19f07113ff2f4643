from .ensemble import simulate_cell, simulate_ensemble
from .initial import InitialProblem, initial_states
from .integrate import IntegrationProblem, Simulation, simulate, simulate_graphs
from .store import (
    TRAJECTORIES,
    Trajectory,
    read_trajectories,
    stream_trajectories,
    write_trajectories,
)
from .systems import SYSTEMS, Field, System, SystemProblem, field

__all__ = [
    "SYSTEMS",
    "TRAJECTORIES",
    "Field",
    "InitialProblem",
    "IntegrationProblem",
    "Simulation",
    "System",
    "SystemProblem",
    "Trajectory",
    "field",
    "initial_states",
    "read_trajectories",
    "simulate",
    "simulate_cell",
    "simulate_ensemble",
    "simulate_graphs",
    "stream_trajectories",
    "write_trajectories",
]
