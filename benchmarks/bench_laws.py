r"""Laws recovered from trajectories: how often, how well, and at what cost.

    export OMP_NUM_THREADS=1
    python benchmarks/bench_laws.py --noise 0 0.01 0.05 --out laws.jsonl       # 60 cases each
    python benchmarks/bench_laws.py --noise 0 0.01 0.05 --graphs 1 --methods weak_subset sindy \
        two_phase operon operon_informed --out laws.jsonl                      # rivals
    python benchmarks/bench_laws.py --others --graphs 1 --out laws.jsonl       # other systems
    python benchmarks/bench_laws.py --nd2 --graphs 3 --out laws.jsonl          # those of ND2
    python benchmarks/bench_laws.py --gammas 2.1 --graphs 1 --large 1000000 \
        --tolerance 1e-6 --out laws.jsonl                                      # a large graph

A case is one training graph (S¹, N = 64, β = 1.1, mean degree 10), 8 trajectories of 256 times
from initial states uniform on [0, 0.5]. A law is exact if every function has the true atoms and
exponents, and no others; "named" if the true form is among the first three by weight; the law of a
rival is exact if its terms are the true ones of its library. Errors are mean absolute ones at the
nodes of new graphs, one start each, 33 times. Noise is independent, its standard deviation in units
of the root mean square of the states. Times are processor seconds.

Rows go to the file of `--out` one by one; what is there is not computed again. So a run can be
stopped and go on, and `--part 1/2` and `--part 2/2` share it. laws_tables.py makes tables of it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from laws_tables import LARGE, key_of, read, tables
from rival_laws import RIVALS, TRUE_TERMS, error_of

from nodeflow.dynamics import SYSTEMS, Field, Trajectory, field, simulate, simulate_graphs
from nodeflow.graphs import Graph, build_graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.laws import Form, Law, LawProblem, Term, discover, field_of
from nodeflow.seeds import numpy_generator

GAMMAS = 2.1, 2.4, 3.0, 3.9
TRAJECTORIES, TIMES, HORIZON, INITIAL = 8, 256, 1.0, 0.5
PRECISE: dict[str, Any] = {"rtol": 1e-8, "atol": 1e-8}
EVALUATIONS = 20_000

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
        # The six that follow were written down last, before any law of theirs was looked for.
        "allee": system(
            lambda x: 0.8 * x * (x / 0.3 - 1) * (1 - x / 1.5),
            lambda x: 0.8 * (-1 + 8 * x - 20 * x**2 / 3), one, zero,
            lambda x: 0.08 * x, lambda x: np.full_like(x, 0.08),
        ),
        "gompertz_rivals": system(
            lambda x: -0.6 * x * np.log(np.maximum(x, 1e-12) / 1.7),
            lambda x: -0.6 * (np.log(np.maximum(x, 1e-12) / 1.7) + 1),
            lambda x: -0.15 * x, lambda x: np.full_like(x, -0.15), lambda x: x.copy(), one,
        ),
        "rotators": system(
            lambda x: 0.6 - 0.9 * np.sin(x), lambda x: -0.9 * np.cos(x),
            lambda x: np.full_like(x, 0.15), zero, np.sin, np.cos,
        ),
        "repression": system(
            lambda x: -0.8 * x, lambda x: np.full_like(x, -0.8),
            lambda x: np.full_like(x, 0.5), zero, lambda x: 1 / (1 + (x / 0.4) ** 3),
            lambda x: -3 * x**2 / 0.064 / (1 + (x / 0.4) ** 3) ** 2,
        ),
        "power_law": system(
            lambda x: -0.7 * np.abs(x) ** 1.4 * np.sign(x), lambda x: -0.98 * np.abs(x) ** 0.4,
            lambda x: np.full_like(x, 0.3), zero, lambda x: np.abs(x) ** 0.6 * np.sign(x),
            lambda x: 0.6 * np.maximum(np.abs(x), 1e-12) ** -0.4,
        ),
        "removal": system(
            lambda x: -x / (0.3 + np.abs(x)), lambda x: -0.3 / (0.3 + np.abs(x)) ** 2,
            lambda x: np.full_like(x, 0.2), zero, lambda x: x / (0.8 + np.abs(x)),
            lambda x: 0.8 / (0.8 + np.abs(x)) ** 2,
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
def new_graphs(gamma: float, size: int, graphs: int) -> list[Graph]:
    """Those that laws are tested on; all systems share them."""
    cell = Cell(size, 1.1, gamma)
    return sample_cell(cell, mean_degree=10, role="test", graphs=graphs, root_seed=1)


@cache
def tests(
    system: str, gamma: float, size: int, graphs: int, tolerance: float = PRECISE["rtol"]
) -> tuple[list[Graph], list[Any], Any]:
    """New graphs, initial states and true trajectories."""
    drawn = new_graphs(gamma, size, graphs)
    initials = [
        numpy_generator(1, "test", system, gamma, size, i).uniform(0, INITIAL, (1, g.n))
        for i, g in enumerate(drawn)
    ]
    times = np.linspace(0.0, HORIZON, 33)
    found = simulate_graphs(
        true_field(system), drawn, initials, times, rtol=tolerance, atol=tolerance
    )
    return drawn, initials, [x.states for x in found]


def error_at(
    law: Field, system: str, gamma: float, size: int, graphs: int, tolerance: float
) -> float:
    """Median over graphs of the mean absolute error; infinite if most cannot be integrated."""
    drawn, initials, truth = tests(system, gamma, size, graphs, tolerance)
    times = np.linspace(0.0, HORIZON, 33)
    found = simulate_graphs(
        law, drawn, initials, times, rtol=tolerance, atol=tolerance, max_steps=5_000
    )
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


def examine(case: Case, graphs: int, large: int, tolerance: float) -> dict[str, Any]:
    """Discover a law and judge it by trajectories of this tolerance."""
    trained, trajectories = training(case)
    begin = time.process_time()
    try:
        law = discover(trained, trajectories)
    except LawProblem as problem:
        return {"law": str(problem), "exact": False, "named": False}
    seconds = time.process_time() - begin
    known = case.system in TRUE

    def error(size: int, count: int) -> float:
        return error_at(law.field, case.system, case.gamma, size, count, tolerance)

    true = TRUE[case.system][0] if known else None
    return {
        "law": str(law),
        "alternatives": [[round(x.weight, 4), str(x)] for x in law.alternatives[:3]],
        "weight": law.weight,
        "explains": law.explains,
        "check": law.check,
        "exact": law.form == true if known else None,
        "named": true in [x.form for x in (law, *law.alternatives[:2])] if known else None,
        "coefficients": coefficient_error(law, case.system) if known else None,
        "mae_64": error(64, graphs),
        "mae_large": error(large, 1) if large else None,
        "large": large,
        "tolerance": tolerance,
        "seconds": seconds,
    }


def compare(name: str, case: Case, graphs: int, large: int) -> dict[str, Any]:
    """What a method of rival_laws.py makes of the same data."""
    [graph], runs = training(case)
    states = np.stack([x.states for x in runs]).astype(np.float64)
    begin = time.process_time()
    found = RIVALS[name](runs[0].times, states, graph.adjacency(), case.noise > 0)
    row: dict[str, Any] = {
        "law": found.text,
        "exact": found.terms == TRUE_TERMS.get(case.system),
        "seconds": time.process_time() - begin,
        "large": large,
    }
    times = np.linspace(0.0, HORIZON, 33)
    for key, size, count in (("mae_64", 64, graphs), ("mae_large", large, 1)):
        if size:
            drawn, initials, truth = tests(case.system, case.gamma, size, count)
            errors = [
                error_of(found, g.adjacency(), x[0], times, y[0], EVALUATIONS)
                for g, x, y in zip(drawn, initials, truth, strict=True)
            ]
            row[key] = float(np.median(errors))
    return row


# --- the benchmark of ND2 -------------------------------------------------------------------------


@dataclass(frozen=True)
class Small:
    """A system of the benchmark ND2 (Yu et al. 2025), with a network and a run like its own.

    Attributes:
        nodes: of the network.
        edges: as its files list them: both directions where the network is undirected.
        kind: "undirected", "directed" or "acyclic".
        times: with steps of 0.01.
        states: initial states are uniform between these.
        covariates: of nodes, uniform between these.
        form: the law.
        values: its parameters.
    """

    nodes: int
    edges: int
    kind: str
    times: int
    states: tuple[float, float]
    covariates: Mapping[str, tuple[float, float]]
    form: Form
    values: list[float]


def _small() -> dict[str, Small]:
    def by(name: str, term: Term) -> Term:
        return Term(term.atom, term.fixed, name)

    logistic = Term("logistic", (None, None))
    growth = by("alpha", X), by("theta", SQUARE)
    rates = {"alpha": (0.0, 1.0), "theta": (0.0, 1.0)}
    middle = {"alpha": (0.1, 0.9), "theta": (0.1, 0.9)}
    return {
        "ND2 MM": Small(10, 40, "undirected", 400, (0.1, 5.0), {},
                        Form((X,), (ONE,), (HILL2,)), [-1.0, 1.0, 1.0]),
        "ND2 WC": Small(10, 40, "directed", 400, (0.0, 5.0), {},
                        Form((X,), (ONE,), (logistic,)), [-1.0, 1.0, 5.1, 1.0]),
        "ND2 GR": Small(50, 510, "directed", 200, (0.0, 1.0), {},
                        Form((X, ONE), (ONE,), (HILL2,)), [-0.9, 0.2, 2.0, 1.5]),
        "ND2 SIS": Small(20, 150, "undirected", 100, (0.0, 1.0), {"delta": (0.0, 5.0)},
                         Form((by("delta", X),), (X, ONE), (X,)), [-1.0, -1.0, 1.0]),
        "ND2 LV": Small(10, 20, "acyclic", 200, (0.0, 1.0), rates,
                        Form(growth, (X,), (X,)), [1.0, -1.0, -1.0]),
        "ND2 MP": Small(10, 40, "undirected", 200, (0.1, 5.0), middle,
                        Form(growth, (X,), (HILL2,)), [1.0, -1.0, 1.0, 1.0]),
    }  # fmt: skip


ND2 = _small()


def small_training(case: Case) -> tuple[Graph, Trajectory, dict[str, Any]]:
    """A random network of a system of ND2, one run on it, and covariates of the nodes."""
    system = ND2[case.system]
    generator = numpy_generator(1, "nd2", case.system, case.graph)
    n = system.nodes
    pairs = np.array([(i, j) for i in range(n) for j in range(n) if i != j])
    if system.kind != "directed":
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    count = system.edges // 2 if system.kind == "undirected" else system.edges
    edges = pairs[generator.choice(len(pairs), count, replace=False)]
    graph = build_graph(n, edges, directed=system.kind != "undirected")
    covariates = {k: generator.uniform(*v, n) for k, v in system.covariates.items()}
    initial = generator.uniform(*system.states, (1, n))
    times = 0.01 * np.arange(system.times)
    true = field_of(system.form, np.array(system.values), covariates)
    states = simulate(true, graph.adjacency(), initial, times, **PRECISE).states[0]
    if case.noise:
        size = np.sqrt(np.square(states).mean())
        states = states + case.noise * size * generator.standard_normal(states.shape)
    return graph, Trajectory(0, 0, times, states, "ok", ""), covariates


def examine_small(case: Case) -> dict[str, Any]:
    """Discover the law of a system of ND2."""
    system = ND2[case.system]
    graph, run, covariates = small_training(case)
    begin = time.process_time()
    try:
        law = discover([graph], [run], covariates=[covariates] if covariates else None)
    except LawProblem as problem:
        return {"law": str(problem), "exact": False, "named": False}
    exact = law.form == system.form
    away = law.parameters / np.array(system.values) - 1.0 if exact else np.array([np.nan])
    return {
        "law": str(law),
        "alternatives": [[round(x.weight, 4), str(x)] for x in law.alternatives[:3]],
        "weight": law.weight,
        "explains": law.explains,
        "exact": exact,
        "named": system.form in [x.form for x in (law, *law.alternatives[:2])],
        "coefficients": float(np.abs(away).max()),
        "seconds": time.process_time() - begin,
    }


# --- running --------------------------------------------------------------------------------------


def cases(chosen: argparse.Namespace) -> Iterator[Case]:
    """All cases that were asked for; what one graph gives comes together."""
    systems = list(ND2) if chosen.nd2 else list(OTHERS) if chosen.others else chosen.systems
    for graph in range(chosen.graphs):
        for gamma in [0.0] if chosen.nd2 else chosen.gammas:
            for system in systems:
                for noise in chosen.noise:
                    for draw in range(chosen.draws if noise else 1):
                        yield Case(system, gamma, graph, noise, draw)


def run(method: str, case: Case, chosen: argparse.Namespace) -> dict[str, Any]:
    """One row."""
    large = 0 if chosen.small else chosen.large
    if case.system in ND2:
        found = examine_small(case)
    elif method == "law":
        found = examine(case, chosen.test_graphs, large, chosen.tolerance)
    else:
        found = compare(method, case, chosen.test_graphs, large)
    return {**vars(case), "method": method, **found}


def main() -> None:
    """Run the cases that were asked for and are not there; then print and write tables."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--systems", nargs="*", default=list(SYSTEMS))
    options.add_argument("--others", action="store_true", help="systems no list was made for")
    options.add_argument("--nd2", action="store_true", help="systems of the benchmark ND2")
    options.add_argument("--gammas", nargs="*", type=float, default=GAMMAS)
    options.add_argument("--graphs", type=int, default=3, help="training graphs a cell")
    options.add_argument("--noise", nargs="*", type=float, default=[0.0])
    options.add_argument("--draws", type=int, default=1, help="of the noise")
    options.add_argument("--methods", nargs="*", default=["law"], choices=["law", *RIVALS])
    options.add_argument("--test-graphs", type=int, default=3, help="of 64 nodes")
    options.add_argument("--large", type=int, default=LARGE, help="nodes of the large test graph")
    options.add_argument(
        "--tolerance",
        type=float,
        default=PRECISE["rtol"],
        help="of the trajectories laws are tested by",
    )
    options.add_argument("--small", action="store_true", help="no large test graph")
    options.add_argument("--part", default="1/1", help="I/K: only every K-th case, from the I-th")
    options.add_argument("--out", type=Path, help="file of all rows, JSON lines")
    chosen = options.parse_args()
    rows = read(chosen.out)
    there = {key_of(row) for row in rows}
    first, parts = map(int, chosen.part.split("/"))
    for case in list(cases(chosen))[first - 1 :: parts]:
        for method in chosen.methods:
            asked = {**vars(case), "method": method}
            if case.system not in ND2:
                asked["large"] = 0 if chosen.small else chosen.large
            if key_of(asked) in there:
                continue
            row = run(method, case, chosen)
            rows.append(row | {"large": asked["large"]} if "large" in asked else row)
            line = json.dumps(rows[-1], default=float)
            print(line, flush=True)
            if chosen.out:
                with chosen.out.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
    print("\n".join(tables(rows)))


if __name__ == "__main__":
    main()
