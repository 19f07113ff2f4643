"""Trained neural ODEs as vector fields for the integrator and the fixed-point solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.systems import Field, Function
from nodeflow.neural_ode.layout import NETS, SELU, ModelProblem, widths_of
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.scalar import ScalarNet
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.table import Table, TableProblem, tabulate

__all__ = ["Learned", "as_field", "as_table", "exact_fields", "model_fields", "scalar_nets"]

Array = NDArray[np.float64]

Learned = Models | Fields
"""What tests take: neural ODEs, or vector fields that were learned otherwise."""


def as_field(
    parameters: Mapping[str, np.ndarray],
    replicate: int = 0,
    *,
    table: tuple[float, float] | None = None,
    tolerance: float = 1e-6,
    trained: bool = False,
    activation: str = SELU,
) -> Field:
    """One replicate as a vector field in float64, with its derivatives: exact, or of the tables.

    Args:
        parameters: a stack of neural ODEs, arrays with a leading replicate axis.
        replicate: which of them.
        table: range of states for which the three networks are tabulated (`tabulate`), about a
            hundred times faster; None evaluates them exactly everywhere.
        tolerance: error of the tables, relative to 1 + |value|.
        trained: whether the networks are of use, as `tabulate` has it.
        activation: of the networks, one of `layout.ACTIVATIONS`.

    Raises:
        ModelProblem: the parameters are not those of a neural ODE.
        TableProblem: a range without extent, or networks that cannot be tabulated.
    """
    exact = scalar_nets(parameters, replicate, activation)
    if table is not None:
        nets = list(exact.values())
        return _tabulated(tabulate(nets, *table, tolerance=tolerance, trained=trained))
    return Field(
        f=exact["f"],
        h_ego=exact["h_ego"],
        h_alt=exact["h_alt"],
        df=exact["f"].derivative,
        dh_ego=exact["h_ego"].derivative,
        dh_alt=exact["h_alt"].derivative,
    )


def model_fields(models: Learned) -> list[Field | None]:
    """The vector field of each model, of its tables; None where the training failed.

    Tables take a while to make: who tests models on many graphs makes them once. A model that
    cannot be tabulated, or is no network, is evaluated exactly.
    """
    if isinstance(models, Fields):
        return list(models.fields)
    return [_quick(models, r) if models.ok[r] else None for r in range(len(models))]


def exact_fields(models: Learned) -> list[Field | None]:
    """As `model_fields`, without tables."""
    if isinstance(models, Fields):
        return list(models.fields)
    return [_exact(models, r) if models.ok[r] else None for r in range(len(models))]


def _exact(models: Models, replicate: int) -> Field:
    return as_field(models.parameters, replicate, activation=models.activation)


def _quick(models: Models, replicate: int) -> Field:
    low, high = models.seen[replicate]
    try:
        return as_field(
            models.parameters,
            replicate,
            table=(low, high),
            trained=True,
            activation=models.activation,
        )
    except TableProblem:
        return _exact(models, replicate)


@dataclass(frozen=True)
class _Scalar:
    """A function with its derivative, as `tabulate` takes it."""

    value: Function
    derivative: Function

    def __call__(self, x: Array) -> Array:
        return self.value(x)


def as_table(field: Field, low: float, high: float) -> Field:
    """Any field of smooth functions as a field of tables, like those of networks.

    Args:
        field: whose functions take all states.
        low: smallest state of the range where most look-ups fall.
        high: largest.

    Raises:
        TableProblem: an empty range, or functions that no table can follow everywhere.
    """
    pairs = ((field.f, field.df), (field.h_ego, field.dh_ego), (field.h_alt, field.dh_alt))
    with np.errstate(all="ignore"):
        table = tabulate([_Scalar(*pair) for pair in pairs], low, high, trained=True)
    return _tabulated(table)


@dataclass(frozen=True)
class _TableField(Field):
    """A field whose three functions come out of one look-up."""

    table: Table

    def values(self, x: Array) -> tuple[Array, Array, Array]:
        f, h_ego, h_alt = self.table.values(x)
        return f, h_ego, h_alt


def _tabulated(table: Table) -> Field:
    def value(number: int) -> Function:
        return lambda x: table.values(x)[number]

    f, h_ego, h_alt = (value(number) for number in range(3))
    df, dh_ego, dh_alt = (partial(table.slope, number) for number in range(3))
    return _TableField(f, h_ego, h_alt, df, dh_ego, dh_alt, table)


def scalar_nets(
    parameters: Mapping[str, np.ndarray], replicate: int = 0, activation: str = SELU
) -> dict[str, ScalarNet]:
    """The three networks f, h_ego and h_alt of one replicate, in float64.

    Raises:
        ModelProblem: the parameters are not those of a neural ODE, or not of so many.
    """
    layers = range(len(widths_of(parameters)) - 1)
    count = len(parameters["f.0.bias"])
    if not 0 <= replicate < count:
        raise ModelProblem(f"There are models 0 … {count - 1}, not {replicate}.")

    def array(name: str) -> np.ndarray:
        values: np.ndarray = parameters[name][replicate].astype(np.float64)
        return values

    return {
        net: ScalarNet(
            [np.ascontiguousarray(array(f"{net}.{layer}.weight").T) for layer in layers],
            [array(f"{net}.{layer}.bias") for layer in layers],
            activation,
        )
        for net in NETS
    }
