"""The Barabási–Barzel vector field and the five systems of the study, as data.

Every system is one entry of `SYSTEMS`: its equation, parameters, domain, source, and a function
that turns parameters into three scalar functions with their derivatives. A sixth system is one
more entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as entry
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nodeflow.problems import Problem

__all__ = ["SYSTEMS", "Field", "Function", "System", "SystemProblem", "field", "resolve_parameters"]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
"""An elementwise function of node states, float64 to float64, of any shape."""


class SystemProblem(Problem):
    """A dynamical system or its parameters cannot be used as asked for."""


@dataclass(frozen=True)
class Field:
    """A Barabási–Barzel vector field dx_i/dt = f(x_i) + h_ego(x_i) Σ_j A_ij h_alt(x_j).

    True systems and learned neural ODEs are both of this form, and run through the same
    integrator and fixed-point solver. All six functions act elementwise on float64 arrays and
    return new float64 arrays of the same shape.

    Attributes:
        f: self-dynamics.
        h_ego: how the state of the node itself scales the interaction.
        h_alt: what a neighbour contributes.
        df: derivative of `f`.
        dh_ego: derivative of `h_ego`.
        dh_alt: derivative of `h_alt`.
    """

    f: Function
    h_ego: Function
    h_alt: Function
    df: Function
    dh_ego: Function
    dh_alt: Function

    def values(self, x: Array) -> tuple[Array, Array, Array]:
        """f, h_ego and h_alt at `x`: a field that gets them at once has less to do."""
        return self.f(x), self.h_ego(x), self.h_alt(x)


@dataclass(frozen=True)
class System:
    """One dynamical system on networks.

    Attributes:
        name: short name, used in paths and configuration.
        title: name in words.
        equation: right-hand side for node i, in text.
        parameters: default values.
        domain: (low, high) interval that node states never leave when they start in it.
        citation: where the system comes from.
        build: turns a full set of parameters into the vector field.
        meanings: what each parameter is.
        grows: whether errors of neural ODEs should grow with the size of heterogeneous graphs; the
            claims judge it of these, and of the others that they should not.
    """

    name: str
    title: str
    equation: str
    parameters: Mapping[str, float]
    domain: tuple[float, float]
    citation: str
    build: Callable[[Mapping[str, float]], Field]
    meanings: Mapping[str, str] = entry(default_factory=dict)
    grows: bool = False


def field(name: str, parameters: Mapping[str, float] | None = None) -> Field:
    """The vector field of a system.

    Args:
        name: one of `SYSTEMS`.
        parameters: values that replace defaults.

    Raises:
        SystemProblem: unknown system or parameter, or a value that is not usable.
    """
    values = resolve_parameters(name, parameters)
    return SYSTEMS[name].build(values)


def resolve_parameters(
    name: str, parameters: Mapping[str, float] | None = None
) -> dict[str, float]:
    """All parameters of a system: its defaults with `parameters` in their place.

    Raises:
        SystemProblem: unknown system or parameter, or a value that is not a finite number.
    """
    if name not in SYSTEMS:
        raise SystemProblem(f"There is no system {name!r}; choose one of {', '.join(SYSTEMS)}.")
    values = dict(SYSTEMS[name].parameters)
    for key, value in (parameters or {}).items():
        if key not in values:
            raise SystemProblem(
                f"System {name} has no parameter {key!r}; it has {', '.join(values)}."
            )
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise SystemProblem(f"{key} = {value!r} of system {name} has to be a finite number.")
        values[key] = float(value)
    return values


# --- building blocks ------------------------------------------------------------------------------


def _power(exponent: float) -> tuple[Function, Function]:
    """The odd power sign(x)|x|^a and its derivative a|x|^(a−1).

    Node states are never negative, but a Runge–Kutta stage or a Newton step may be, by about the
    tolerance. There a fractional power would be NaN, and −B x² would push a slightly negative
    state to −∞ although 0 is attracting from above. The odd continuation agrees with x^a on the
    domain, is continuous, and keeps −B x^a restoring on both sides of 0 for every exponent.

    Where a < 1 the derivative at 0 is +inf, as it should be.
    """
    a = float(exponent)
    if not a > 0:
        raise SystemProblem(f"An exponent of {exponent} is not usable; exponents have to be > 0.")
    if a == 1.0:
        return (lambda x: x.copy()), np.ones_like
    if a == 2.0:
        return (lambda x: x * np.abs(x)), (lambda x: 2.0 * np.abs(x))
    if a == 0.5:
        return (lambda x: np.copysign(np.sqrt(np.abs(x)), x)), (lambda x: _scaled(0.5, x, -0.5))
    return (lambda x: np.copysign(np.abs(x) ** a, x)), (lambda x: _scaled(a, x, a - 1.0))


def _scaled(factor: float, x: Array, exponent: float) -> Array:
    with np.errstate(divide="ignore"):
        return factor * np.abs(x) ** exponent


def _times(factor: float, function: Function) -> Function:
    return function if factor == 1.0 else lambda x: factor * function(x)


# --- the five systems -----------------------------------------------------------------------------


def _sis(p: Mapping[str, float]) -> Field:
    b, r = p["B"], p["R"]
    return Field(
        f=lambda x: -b * x,
        h_ego=lambda x: 1.0 - x,
        h_alt=lambda x: r * x,
        df=lambda x: np.full_like(x, -b),
        dh_ego=lambda x: np.full_like(x, -1.0),
        dh_alt=lambda x: np.full_like(x, r),
    )


def _mak(p: Mapping[str, float]) -> Field:
    inflow, b, r = p["F"], p["B"], p["R"]
    return Field(
        f=lambda x: inflow - b * x,
        h_ego=lambda x: -x,
        h_alt=lambda x: r * x,
        df=lambda x: np.full_like(x, -b),
        dh_ego=lambda x: np.full_like(x, -1.0),
        dh_alt=lambda x: np.full_like(x, r),
    )


def _mm(p: Mapping[str, float]) -> Field:
    b, r = p["B"], p["R"]
    decay, decay_slope = _power(p["a"])
    hill, hill_slope = _power(p["h"])

    def h_alt(x: Array) -> Array:
        power = hill(x)
        return r * power / (1.0 + np.abs(power))

    return Field(
        f=_times(-b, decay),
        h_ego=np.ones_like,
        h_alt=h_alt,
        df=_times(-b, decay_slope),
        dh_ego=np.zeros_like,
        dh_alt=lambda x: r * hill_slope(x) / (1.0 + np.abs(hill(x))) ** 2,
    )


def _bd(p: Mapping[str, float]) -> Field:
    death, death_slope = _power(p["b"])
    birth, birth_slope = _power(p["a"])
    return Field(
        f=_times(-p["B"], death),
        h_ego=np.ones_like,
        h_alt=_times(p["R"], birth),
        df=_times(-p["B"], death_slope),
        dh_ego=np.zeros_like,
        dh_alt=_times(p["R"], birth_slope),
    )


def _nd(p: Mapping[str, float]) -> Field:
    b, c, r = p["B"], p["C"], p["R"]

    def slope(x: Array) -> Array:
        return 1.0 - np.tanh(x) ** 2

    return Field(
        f=lambda x: c * np.tanh(x) - b * x,
        h_ego=np.ones_like,
        h_alt=lambda x: r * np.tanh(x),
        df=lambda x: c * slope(x) - b,
        dh_ego=np.zeros_like,
        dh_alt=lambda x: r * slope(x),
    )


_LABER = "Laber, Eliassi-Rad and Klein 2026, arXiv:2602.08980"

_ALL = (
    System(
        name="SIS",
        title="susceptible–infected–susceptible epidemics",
        equation="-B x_i + (1 - x_i) sum_j A_ij R x_j",
        parameters=MappingProxyType({"B": 1.0, "R": 1.2}),
        meanings=MappingProxyType({"B": "recovery rate", "R": "infection rate"}),
        domain=(0.0, 1.0),
        citation=f"Pastor-Satorras and Vespignani 2001, PRL 86, 3200; values from {_LABER}",
        build=_sis,
    ),
    System(
        name="MAK",
        title="mass-action kinetics",
        equation="F - B x_i - x_i sum_j A_ij R x_j",
        parameters=MappingProxyType({"F": 0.5, "B": 0.1, "R": 1.0}),
        meanings=MappingProxyType({"F": "influx", "B": "degradation rate", "R": "binding rate"}),
        domain=(0.0, math.inf),
        citation=f"Barzel and Barabási 2013, Nature Physics 9, 673; form from {_LABER}",
        build=_mak,
    ),
    System(
        name="MM",
        title="Michaelis–Menten gene regulation",
        equation="-B x_i^a + sum_j A_ij R x_j^h / (1 + x_j^h)",
        parameters=MappingProxyType({"B": 1.0, "a": 1.0, "R": 1.0, "h": 2.0}),
        meanings=MappingProxyType(
            {
                "B": "degradation rate",
                "a": "exponent of the self-dynamics",
                "R": "regulation rate",
                "h": "Hill coefficient",
            }
        ),
        domain=(0.0, math.inf),
        citation=f"Gao, Barzel and Barabási 2016, Nature 530, 307; form from {_LABER}",
        build=_mm,
        grows=True,
    ),
    System(
        name="BD",
        title="birth–death population dynamics",
        equation="-B x_i^b + sum_j A_ij R x_j^a",
        parameters=MappingProxyType({"B": 1.0, "b": 2.0, "R": 1.0, "a": 0.5}),
        meanings=MappingProxyType(
            {
                "B": "death rate",
                "b": "exponent of the self-dynamics",
                "R": "birth rate",
                "a": "exponent of the interaction",
            }
        ),
        domain=(0.0, math.inf),
        citation=f"Barzel and Barabási 2013, Nature Physics 9, 673; form from {_LABER}",
        build=_bd,
        grows=True,
    ),
    System(
        name="ND",
        title="neuronal rate dynamics",
        equation="-B x_i + C tanh x_i + sum_j A_ij R tanh x_j",
        parameters=MappingProxyType({"B": 1.0, "C": 0.5, "R": 1.0}),
        meanings=MappingProxyType(
            {"B": "leak", "C": "strength of the self-excitation", "R": "coupling"}
        ),
        domain=(0.0, math.inf),
        citation=f"Stern, Sompolinsky and Abbott 2014, PRE 90, 062710; form from {_LABER}",
        build=_nd,
        grows=True,
    ),
)

SYSTEMS: Mapping[str, System] = MappingProxyType({system.name: system for system in _ALL})
"""All systems by name; parameters other than those of SIS are this project's choice."""
