"""Laws behind trajectories: of which cells they are found, and from how much data."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Lt

from nodeflow.config.section import Cell, Section, key
from nodeflow.laws.settings import FEWEST_TIMES
from nodeflow.settings.fields import Count, Number, Positive, Unique, Whole

__all__ = ["Laws"]


class Recovery(Section):
    """Laws of less than all data, at neural_ode.structure.trained; neural_ode.noise joins them."""

    noise: Unique[Positive] = key("standard deviations of noise on the states")
    trajectories: Unique[Count] = key("so many trajectories")
    times: Unique[Annotated[Whole, Ge(FEWEST_TIMES)]] = key("so many observation times")
    nodes: Unique[Annotated[Number, Gt(0), Lt(1)]] = key("such a share of the nodes is observed")


class Laws(Section):
    """Laws behind the trajectories of training graphs."""

    cells: Unique[Cell] = key(
        "the training cells, among neural_ode.cells, of which laws are found; "
        "without any there are none"
    )
    graphs: Count = key("training graphs of each cell, at most; each has a law of its own")
    trajectories: Count = key("trajectories on each of them, at most")
    recovery: Recovery
