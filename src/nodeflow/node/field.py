"""Trained neural ODEs as vector fields for the integrator and the fixed-point solver."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nodeflow.dynamics.systems import Field
from nodeflow.node.layout import NETS, widths_of
from nodeflow.node.scalar import ScalarNet, TabulatedNet, tabulate

__all__ = ["as_field", "scalar_nets"]


def as_field(
    parameters: Mapping[str, np.ndarray],
    replicate: int = 0,
    *,
    table: tuple[float, float] | None = None,
    tolerance: float = 1e-6,
) -> Field:
    """One replicate as a vector field in float64, with its derivatives: exact, or of the tables.

    Args:
        parameters: a stack of neural ODEs, arrays with a leading replicate axis.
        replicate: which of them.
        table: range of states for which the three networks are tabulated (`tabulate`), about a
            hundred times faster; None evaluates them exactly everywhere.
        tolerance: error of the tables, relative to 1 + |value|.

    Raises:
        ModelProblem: the parameters are not those of a neural ODE.
        TableProblem: a range without extent, or networks that cannot be tabulated.
    """
    exact = scalar_nets(parameters, replicate)
    fast: dict[str, ScalarNet | TabulatedNet] = {**exact}
    if table is not None:
        fast = {name: tabulate(net, *table, tolerance=tolerance) for name, net in exact.items()}
    return Field(
        f=fast["f"],
        h_ego=fast["h_ego"],
        h_alt=fast["h_alt"],
        df=fast["f"].derivative,
        dh_ego=fast["h_ego"].derivative,
        dh_alt=fast["h_alt"].derivative,
    )


def scalar_nets(parameters: Mapping[str, np.ndarray], replicate: int = 0) -> dict[str, ScalarNet]:
    """The three networks f, h_ego and h_alt of one replicate, in float64.

    Raises:
        ModelProblem: the parameters are not those of a neural ODE.
    """
    layers = range(len(widths_of(parameters)) - 1)

    def array(name: str) -> np.ndarray:
        found: np.ndarray = parameters[name][replicate].astype(np.float64)
        return found

    return {
        net: ScalarNet(
            [np.ascontiguousarray(array(f"{net}.{layer}.weight").T) for layer in layers],
            [array(f"{net}.{layer}.bias") for layer in layers],
        )
        for net in NETS
    }
