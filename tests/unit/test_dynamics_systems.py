"""The five systems: derivatives, continuation below zero, and refusal of what makes no sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.dynamics.systems import SYSTEMS, SystemProblem, field, resolve_parameters

PAIRS = (("f", "df"), ("h_ego", "dh_ego"), ("h_alt", "dh_alt"))
EXPONENTS = st.sampled_from([0.3, 0.5, 1.0, 1.5, 2.0, 3.0])


def test_values_match_the_equations() -> None:
    x = np.array([0.0, 0.25, 1.0, 7.0])
    b, r, c, inflow = 1.3, 0.7, 0.4, 0.2
    sis = field("SIS", {"B": b, "R": r})
    mak = field("MAK", {"F": inflow, "B": b, "R": r})
    mm = field("MM", {"B": b, "a": 1.5, "R": r, "h": 3})
    bd = field("BD", {"B": b, "b": 2, "R": r, "a": 0.7})
    nd = field("ND", {"B": b, "C": c, "R": r})
    expected = {
        sis: (-b * x, 1 - x, r * x),
        mak: (inflow - b * x, -x, r * x),
        mm: (-b * x**1.5, 1 + 0 * x, r * x**3 / (1 + x**3)),
        bd: (-b * x**2, 1 + 0 * x, r * x**0.7),
        nd: (-b * x + c * np.tanh(x), 1 + 0 * x, r * np.tanh(x)),
    }
    for system, (f, h_ego, h_alt) in expected.items():
        np.testing.assert_allclose(system.f(x), f, rtol=1e-14)
        np.testing.assert_allclose(system.h_ego(x), h_ego, rtol=1e-14)
        np.testing.assert_allclose(system.h_alt(x), h_alt, rtol=1e-14)


@pytest.mark.parametrize("name", SYSTEMS)
@given(x=st.floats(0.05, 5.0), sign=st.sampled_from([-1.0, 1.0]), power=EXPONENTS)
def test_derivatives_match_central_differences(
    name: str, x: float, sign: float, power: float
) -> None:
    powers = {key: power for key in ("a", "b", "h") if key in SYSTEMS[name].parameters}
    system = field(name, powers)
    at, step = np.array([sign * x]), 1e-6
    for function, derivative in PAIRS:
        value = getattr(system, function)
        slope = (value(at + step) - value(at - step)) / (2 * step)
        np.testing.assert_allclose(getattr(system, derivative)(at), slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["MM", "BD"])
@given(x=st.floats(1e-12, 1e3), power=EXPONENTS)
def test_powers_continue_as_odd_functions(name: str, x: float, power: float) -> None:
    system = field(name, {key: power for key in SYSTEMS[name].parameters if key in "abh"})
    at = np.array([x])
    assert np.isfinite(system.f(-at)).all()
    np.testing.assert_array_equal(system.f(-at), -system.f(at))
    np.testing.assert_array_equal(system.h_alt(-at), -system.h_alt(at))
    assert system.f(-at) > 0, "what lies below zero is driven back"


@pytest.mark.parametrize("name", SYSTEMS)
def test_velocity_points_into_the_domain_at_its_edges(name: str) -> None:
    system, (low, high) = field(name), SYSTEMS[name].domain
    received = np.linspace(0.0, 50.0, 7)
    at_low = np.full(7, low)
    assert (system.f(at_low) + system.h_ego(at_low) * received >= 0).all()
    if np.isfinite(high):
        at_high = np.full(7, high)
        assert (system.f(at_high) + system.h_ego(at_high) * received <= 0).all()
    assert (system.h_alt(np.linspace(0, 5, 11)) >= 0).all()


@pytest.mark.parametrize("name", SYSTEMS)
def test_functions_do_not_depend_on_place_or_length(name: str) -> None:
    x = np.random.default_rng(3).random(1037) * 4
    system = field(name)
    for function in ("f", "h_ego", "h_alt", "df", "dh_ego", "dh_alt"):
        whole = getattr(system, function)(x)
        pieces = [getattr(system, function)(x[i : i + 13]) for i in range(0, len(x), 13)]
        np.testing.assert_array_equal(whole, np.concatenate(pieces))


@pytest.mark.parametrize("name", SYSTEMS)
def test_functions_return_new_arrays(name: str) -> None:
    x = np.linspace(0.1, 2, 5)
    for function in ("f", "h_ego", "h_alt", "df", "dh_ego", "dh_alt"):
        assert not np.shares_memory(getattr(field(name), function)(x), x)


def test_parameters_replace_defaults() -> None:
    assert resolve_parameters("SIS", {"R": 2}) == {"B": 1.0, "R": 2.0}
    assert resolve_parameters("SIS") == {"B": 1.0, "R": 1.2}


@pytest.mark.parametrize(
    ("name", "parameters", "part"),
    [
        ("SIR", {}, "SIS, MAK, MM, BD, ND"),
        ("SIS", {"beta": 1.0}, "B, R"),
        ("SIS", {"B": float("nan")}, "finite"),
        ("SIS", {"B": "1"}, "finite"),
        ("SIS", {"B": True}, "finite"),
        ("BD", {"a": 0.0}, "> 0"),
        ("MM", {"h": -2}, "> 0"),
    ],
)
def test_unusable_parameters_are_refused(
    name: str, parameters: dict[str, float], part: str
) -> None:
    with pytest.raises(SystemProblem, match=part):
        field(name, parameters)
