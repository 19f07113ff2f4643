"""Laws recovered from trajectories: how often, how well, and at what cost.

    OMP_NUM_THREADS=1 python benchmarks/bench_laws.py                    # 60 cases, no noise
    OMP_NUM_THREADS=1 python benchmarks/bench_laws.py --noise 0.01 0.05  # and with noise
    OMP_NUM_THREADS=1 python benchmarks/bench_laws.py --systems ND --gammas 2.1 --graphs 1
    OMP_NUM_THREADS=1 python benchmarks/bench_laws.py --others           # other systems

A case is one training graph (S¹, N = 64, β = 1.1, mean degree 10), 8 trajectories of 256 times
from initial states uniform on [0, 0.5]. A law is exact if every function has the true atoms and
exponents, and no others; "named" if the true form is among the first three by weight. Errors are
mean absolute ones at the nodes of new graphs, one start each, 33 times. Noise is independent, its
standard deviation in units of the root mean square of the states. Times are processor seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rival_laws import NAMES, RIVALS, errors_of
from scipy.stats import binomtest

from nodeflow.dynamics import SYSTEMS, Field, Trajectory, field, simulate, simulate_graphs
from nodeflow.graphs import Graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.laws import Form, Law, LawProblem, Term, discover
from nodeflow.seeds import numpy_generator

GAMMAS = 2.1, 2.4, 3.0, 3.9
TRAJECTORIES, TIMES, HORIZON, INITIAL = 8, 256, 1.0, 0.5
PRECISE: dict[str, Any] = {"rtol": 1e-8, "atol": 1e-8}
LARGE = 8192

X, ONE = Term("power", (1.0,)), Term("one")
SQUARE, CUBE, ROOT = (Term("power", (p,)) for p in (2.0, 3.0, 0.5))
TANH, HILL2 = Term("tanh", (None,)), Term("hill", (2.0, None))

TRUE: dict[str, tuple[Form, list[float]]] = {
    "SIS": (Form((X,), (X, ONE), (X,)), [-1.0, -1.2, 1.2]),
    "MAK": (Form((X, ONE), (X,), (X,)), [-0.1, 0.5, -1.0]),
    "MM": (Form((X,), (ONE,), (HILL2,)), [-1.0, 1.0, 1.0]),
    "BD": (Form((SQUARE,), (ONE,), (ROOT,)), [-1.0, 1.0]),
    "ND": (Form((TANH, X), (ONE,), (TANH,)), [0.5, 1.0, -1.0, 1.0, 1.0]),
}
"""The five systems in the gauge of `nodeflow.laws`."""


def _others() -> dict[str, Field]:
    """Systems written down after the families of `nodeflow.laws` were fixed."""

    def system(f: Any, df: Any, ego: Any, dego: Any, alt: Any, dalt: Any) -> Field:
        return Field(f, ego, alt, df, dego, dalt)

    one, zero = np.ones_like, np.zeros_like
    return {
        "bistable": system(
            lambda x: x * (1 - x) * (x - 0.2), lambda x: -0.2 + 2.4 * x - 3 * x**2,
            lambda x: 0.3 * (1 - x), lambda x: np.full_like(x, -0.3), lambda x: x.copy(), one,
        ),
        "holling3": system(
            lambda x: x - 0.5 * x**2, lambda x: 1 - x, lambda x: -0.2 * x,
            lambda x: np.full_like(x, -0.2), lambda x: x**2 / (0.16 + x**2),
            lambda x: 0.32 * x / (0.16 + x**2) ** 2,
        ),
        "saturation": system(
            lambda x: -0.7 * x, lambda x: np.full_like(x, -0.7), one, zero,
            lambda x: 0.4 * (1 - np.exp(-2.5 * x)), lambda x: np.exp(-2.5 * x),
        ),
        "sine": system(
            lambda x: 0.3 - x, lambda x: np.full_like(x, -1.0), one, zero,
            lambda x: 0.3 * np.sin(1.3 * x), lambda x: 0.39 * np.cos(1.3 * x),
        ),
        "wilson_cowan": system(
            lambda x: -x, lambda x: np.full_like(x, -1.0), one, zero,
            lambda x: 1 / (1 + np.exp(-5.1 * (x - 1))),
            lambda x: 5.1 * np.exp(-5.1 * (x - 1)) / (1 + np.exp(-5.1 * (x - 1))) ** 2,
        ),
        "regulation": system(
            lambda x: 0.2 - 0.9 * x, lambda x: np.full_like(x, -0.9), one, zero,
            lambda x: 2 * (x / 1.5) ** 2 / (1 + (x / 1.5) ** 2),
            lambda x: 4 * x / 2.25 / (1 + x**2 / 2.25) ** 2,
        ),
        "gompertz": system(
            lambda x: -x * np.log(np.maximum(x, 1e-12) / 2),
            lambda x: -np.log(np.maximum(x, 1e-12) / 2) - 1,
            lambda x: 0.05 * np.ones_like(x), zero, lambda x: x / (1 + x),
            lambda x: 1 / (1 + x) ** 2,
        ),
        "ratio": system(
            lambda x: -x + x**2 / (1 + x**4), lambda x: -1 + (2 * x - 2 * x**5) / (1 + x**4) ** 2,
            one, zero, lambda x: 0.2 * x / np.sqrt(1 + x**2),
            lambda x: 0.2 / (1 + x**2) ** 1.5,
        ),
    }  # fmt: skip


OTHERS = _others()


@dataclass(frozen=True)
class Case:
    """One training graph of one system."""

    system: str
    gamma: float
    graph: int
    noise: float
    draw: int = 0


def true_field(system: str) -> Field:
    """The system that data come from."""
    return OTHERS[system] if system in OTHERS else field(system)


def training(case: Case) -> tuple[list[Graph], list[Trajectory]]:
    """A graph and trajectories on it."""
    cell = Cell(64, 1.1, case.gamma)
    drawn = sample_cell(cell, mean_degree=10, role="training", graphs=case.graph + 1, root_seed=1)
    graph = drawn[case.graph]
    labels = ("bench", case.system, case.gamma, case.graph)
    initial = numpy_generator(1, "initial", *labels).uniform(0, INITIAL, (TRAJECTORIES, graph.n))
    times = np.linspace(0.0, HORIZON, TIMES)
    states = simulate(true_field(case.system), graph.adjacency(), initial, times, **PRECISE).states
    if case.noise:
        size = np.sqrt(np.square(states).mean())
        generator = numpy_generator(1, "noise", *labels, case.noise, case.draw)
        states = states + case.noise * size * generator.standard_normal(states.shape)
    single = states.astype(np.float32)
    return [graph], [Trajectory(0, m, times, x, "ok", "") for m, x in enumerate(single)]


@cache
def tests(system: str, gamma: float, size: int, graphs: int) -> tuple[list[Graph], list[Any], Any]:
    """New graphs, initial states and true trajectories."""
    cell = Cell(size, 1.1, gamma)
    drawn = sample_cell(cell, mean_degree=10, role="test", graphs=graphs, root_seed=1)
    initials = [
        numpy_generator(1, "test", system, gamma, size, i).uniform(0, INITIAL, (1, g.n))
        for i, g in enumerate(drawn)
    ]
    times = np.linspace(0.0, HORIZON, 33)
    found = simulate_graphs(true_field(system), drawn, initials, times, **PRECISE)
    return drawn, initials, [x.states for x in found]


def error_at(law: Field, system: str, gamma: float, size: int, graphs: int) -> float:
    """Median over graphs of the mean absolute error; infinite if most cannot be integrated."""
    drawn, initials, truth = tests(system, gamma, size, graphs)
    times = np.linspace(0.0, HORIZON, 33)
    found = simulate_graphs(law, drawn, initials, times, **PRECISE, max_steps=5_000)
    errors = [
        np.inf if any(x.reason) else float(np.abs(x.states - y).mean())
        for x, y in zip(found, truth, strict=True)
    ]
    return float(np.median(errors))


def coefficient_error(law: Law, system: str) -> float:
    """Largest error of a parameter, relative to its true value; NaN if the form is another."""
    form, values = TRUE[system]
    if law.form != form:
        return float("nan")
    return float(np.max(np.abs(law.parameters / np.array(values) - 1.0)))


def examine(case: Case, graphs: int, large: bool) -> dict[str, Any]:
    """Discover a law and judge it."""
    trained, trajectories = training(case)
    begin = time.process_time()
    try:
        law = discover(trained, trajectories)
    except LawProblem as problem:
        return {**vars(case), "law": str(problem), "exact": False, "named": False}
    seconds = time.process_time() - begin
    known = case.system in TRUE
    true = TRUE[case.system][0] if known else None
    row = {
        **vars(case),
        "law": str(law),
        "alternatives": [[round(x.weight, 4), str(x)] for x in law.alternatives[:3]],
        "weight": law.weight,
        "check": law.check,
        "exact": law.form == true if known else None,
        "named": true in [x.form for x in (law, *law.alternatives[:2])] if known else None,
        "coefficients": coefficient_error(law, case.system) if known else None,
        "mae_64": error_at(law.field, case.system, case.gamma, 64, graphs),
        "mae_large": (
            error_at(law.field, case.system, case.gamma, LARGE, 1) if large else float("nan")
        ),
        "seconds": seconds,
    }
    return row


def rivals(case: Case, graphs: int, large: bool) -> list[dict[str, Any]]:
    """What the methods of rival_laws.py make of the same data; those that are installed."""
    [graph], runs = training(case)
    states = np.stack([x.states for x in runs]).astype(np.float64)
    sizes = [(64, graphs), (LARGE, 1)] if large else [(64, graphs)]
    rows = []
    for name, method in RIVALS.items():
        begin = time.process_time()
        try:
            found = method(runs[0].times, states, graph.adjacency(), case.noise > 0)
        except ImportError:
            continue
        row = {**vars(case), "rival": name, "seconds": time.process_time() - begin}
        row["law"] = " + ".join(f"{found[k]:.4g} {NAMES[k]}" for k in np.flatnonzero(found))
        for size, count in sizes:
            drawn, initials, truth = tests(case.system, case.gamma, size, count)
            times = np.linspace(0.0, HORIZON, 33)
            row["mae_64" if size == 64 else "mae_large"] = float(
                np.median(
                    [
                        errors_of(found, g.adjacency(), x[0], times, y[0])
                        for g, x, y in zip(drawn, initials, truth, strict=True)
                    ]
                )
            )
        rows.append(row)
    return rows


def wilson(hits: int, count: int) -> str:
    """A rate with its 95 % interval (Wilson 1927)."""
    low, high = binomtest(hits, count).proportion_ci(method="wilson")
    return f"{hits}/{count} [{low:.2f}, {high:.2f}]"


def summary(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a system and noise."""
    keys = sorted({(x["noise"], x["system"]) for x in rows}, key=lambda k: (k[0], str(k[1])))
    for noise, system in keys:
        some = [x for x in rows if (x["noise"], x["system"]) == (noise, system)]
        done = [x for x in some if "seconds" in x]

        def middle(name: str, done: list[Mapping[str, Any]] = done) -> str:
            values = [x[name] for x in done if x[name] is not None]
            return f"{np.median(values):.1e} (worst {np.max(values):.1e})" if values else "-"

        exact = wilson(sum(bool(x["exact"]) for x in some), len(some))
        named = wilson(sum(bool(x["named"]) for x in some), len(some))
        values = [x["coefficients"] for x in done if x["exact"]]
        largest = f"{max(values):.1e}" if values else "-"
        print(
            f"noise {noise:g} {system:12s} exact {exact} named {named} coefficients {largest} "
            f"MAE 64 {middle('mae_64')} {LARGE} {middle('mae_large')} seconds {middle('seconds')}"
        )


def main() -> None:
    """Run the cases that were asked for and print a line each, then a summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--systems", nargs="*", default=list(SYSTEMS))
    options.add_argument("--others", action="store_true", help="systems no list was made for")
    options.add_argument("--gammas", nargs="*", type=float, default=GAMMAS)
    options.add_argument("--graphs", type=int, default=3, help="training graphs a cell")
    options.add_argument("--noise", nargs="*", type=float, default=[0.0])
    options.add_argument("--draws", type=int, default=1, help="of the noise")
    options.add_argument("--test-graphs", type=int, default=3)
    options.add_argument("--small", action="store_true", help="no test graphs of 8,192 nodes")
    options.add_argument("--rivals", action="store_true", help="also the methods of rival_laws.py")
    options.add_argument("--out", type=Path, help="JSON file of all rows")
    chosen = options.parse_args()
    rows, compared = [], []
    for noise in chosen.noise:
        for system in list(OTHERS) if chosen.others else chosen.systems:
            for gamma in chosen.gammas:
                for graph in range(chosen.graphs):
                    for draw in range(chosen.draws if noise else 1):
                        case = Case(system, gamma, graph, noise, draw)
                        row = examine(case, chosen.test_graphs, not chosen.small)
                        rows.append(row)
                        print(json.dumps(row, default=float), flush=True)
                        if chosen.rivals:
                            others = rivals(case, chosen.test_graphs, not chosen.small)
                            print(*(json.dumps(x, default=float) for x in others), sep="\n")
                            compared += others
    summary(rows)
    if chosen.out:
        chosen.out.write_text(
            json.dumps(rows + compared, default=float, indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
