"""Dynamics: Barabási–Barzel systems, their integration on graphs, and files of trajectories."""

from nodeflow.dynamics.ensemble import simulate_cell, simulate_ensemble
from nodeflow.dynamics.initial import InitialProblem, initial_states
from nodeflow.dynamics.integrate import IntegrationProblem, Simulation, simulate, simulate_graphs
from nodeflow.dynamics.store import (
    TRAJECTORIES,
    Trajectory,
    read_trajectories,
    stream_trajectories,
    write_trajectories,
)
from nodeflow.dynamics.systems import SYSTEMS, Field, System, SystemProblem, field

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
