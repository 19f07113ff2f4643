"""Initial states of nodes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nodeflow.problems import Problem

__all__ = ["InitialProblem", "initial_states"]


class InitialProblem(Problem):
    """Initial states cannot be drawn from what was given."""


def initial_states(
    n: int, count: int, low: float, high: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Independent states, uniform on [low, high).

    Args:
        n: number of nodes.
        count: number of initial states.
        low: smallest state.
        high: bound above all states.
        generator: source of randomness.

    Returns:
        States, shape (count, n).

    Raises:
        InitialProblem: an empty or infinite interval, or no states to draw.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InitialProblem(
            f"Initial states from {low} to {high} make no sense; give a finite interval, low first."
        )
    if n < 1 or count < 1:
        raise InitialProblem(f"There is nothing to draw for {count} states of {n} nodes.")
    return generator.uniform(low, high, size=(count, n))
