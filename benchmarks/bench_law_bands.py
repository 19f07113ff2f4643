"""What bands and flags of laws are worth on new graphs, from data with and without noise.

    OMP_NUM_THREADS=1 python benchmarks/bench_law_bands.py
    OMP_NUM_THREADS=1 python benchmarks/bench_law_bands.py --given 8 --training 2 --sizes 64

For each system and noise (its standard deviation in units of the root mean square state) laws are
found on several graphs of N = 64, from 8 trajectories each, and forecast one trajectory without
noise on each of some new graphs of N = 64 and 8,192. `nodeflow.laws.rate_law` rates them as the
workflow does. Means over laws and graphs: coverage of the 50 and 90 % bands, with the smallest and
the largest of the 90 % one; their half width over the mean state, median; shares of nodes that
stay inside, are outside where laws agree, and where they differ; and, of each of the last two, the
share that is off by more than 1 %, beside that of all nodes.

All nodes share the errors of few parameters, so coverage needs many laws. With --given, that many
draws of the noise on each training graph are fitted with the true form, which takes a second each,
and the root mean square of errors of parameters in units of their standard errors is said, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from bench_activations import LAW_TRAJECTORIES, Tests, trajectories
from bench_laws import TRUE

from nodeflow.dynamics import SYSTEMS, Trajectory, field
from nodeflow.graphs import Graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.laws import Form, Law, LawProblem, discover, rate_law
from nodeflow.laws.candidates import Candidate
from nodeflow.laws.data import groups_of, noise_of, signed, size_of
from nodeflow.laws.discovery import Discovery
from nodeflow.laws.law import EXACT


def main() -> None:
    """One line a system, noise and size."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--systems", nargs="*", choices=SYSTEMS, default=list(SYSTEMS))
    options.add_argument("--noise", nargs="*", type=float, default=[0.0, 0.01, 0.05])
    options.add_argument("--gamma", type=float, default=2.1)
    options.add_argument("--sizes", nargs="*", type=int, default=[64, 8192])
    options.add_argument("--training", type=int, default=3, help="training graphs")
    options.add_argument("--graphs", type=int, default=3, help="test graphs of each size")
    options.add_argument("--given", type=int, default=0, help="draws of noise, the form given")
    chosen = options.parse_args()
    random = np.random.default_rng(1)
    small = Cell(64, 1.1, chosen.gamma)
    training = sample_cell(
        small, mean_degree=10, role="training", graphs=chosen.training, root_seed=1
    )
    tests = [Tests(Cell(n, 1.1, chosen.gamma), chosen.graphs, random) for n in chosen.sizes]
    for name in chosen.systems:
        runs = [x for x in trajectories(name, training, small) if x.index < LAW_TRAJECTORIES]
        known = [test.trajectories(field(name)) for test in tests]
        for noise in chosen.noise:
            if chosen.given:
                print(given(name, noise, chosen.given, training, runs, tests[0], known[0]))
                continue
            rows = []
            for index, graph in enumerate(training):
                own = [replace(x, graph=0) for x in runs if x.graph == index]
                try:
                    law = discover([graph], noisy(own, noise, index))
                except LawProblem as problem:
                    print(f"     graph {index}: {problem}", flush=True)
                    continue
                print(
                    f"     noise {noise:g}, graph {index}: {law}, weight {law.weight:.2f}, "
                    f"{len(law.alternatives)} others, explains {law.explains}",
                    flush=True,
                )
                rows += [
                    {"N": on.n, **rate_law(law, on, [truth])}
                    for test, truths in zip(tests, known, strict=True)
                    for on, truth in zip(test.graphs, truths, strict=True)
                ]
            for size, found in pd.DataFrame(rows).groupby("N"):
                print(f"{name:4s} noise {noise:g}, N {size}: {said(found)}", flush=True)


def given(
    name: str, noise: float, draws: int, training: Sequence[Graph], runs: Sequence[Trajectory],
    test: Tests, known: Sequence[Trajectory],
) -> str:  # fmt: skip
    """One line: coverage of bands where the form is given, and errors in standard errors."""
    form, values = TRUE[name]
    away, rows = [], []
    for index, graph in enumerate(training):
        own = [replace(x, graph=0) for x in runs if x.graph == index]
        for draw in range(draws):
            law = fitted(form, np.array(values), graph, noisy(own, noise, 100 * index + draw))
            away.append((law.parameters - values) / law.errors)
            rows += [rate_law(law, on, [x]) for on, x in zip(test.graphs, known, strict=True)]
    found = pd.DataFrame(rows)
    errors = np.sqrt(np.square(away).mean(0)).round(2).tolist()
    cover = found["coverage_90"]
    return (
        f"{name:4s} noise {noise:g}, {len(away)} laws: covered {found['coverage_50'].mean():.1%} "
        f"and {cover.mean():.1%} [{cover.min():.0%}, {cover.max():.0%}]; errors {errors}"
    )


def fitted(form: Form, values: np.ndarray, graph: Graph, runs: Sequence[Trajectory]) -> Law:
    """The law of a known form, from values nearby."""
    groups = groups_of([graph], runs)
    noise, size = noise_of(groups), size_of(groups)
    search = Discovery(groups, max(noise, EXACT * size), size, signed(groups, noise))
    first = search.fit(form, values, search.smoothed(Candidate(form, values, 0.0)))
    assert first is not None
    found = search.fit(form, first.parameters, search.along(first), first.initials)
    assert found is not None
    left = float(np.sqrt(search.variance([found])))
    seen = [float(bound) for bound in (groups[0].states.min(), groups[0].states.max())]
    return Law(form, found.parameters, found.covariance(left), left, (seen[0], seen[1]))


def noisy(runs: list[Trajectory], noise: float, index: int) -> list[Trajectory]:
    """With noise of this size, in units of the root mean square state."""
    size = float(np.sqrt(np.mean([np.square(x.states).mean() for x in runs])))
    draw = np.random.default_rng([7, index])
    found = []
    for x in runs:
        states = x.states + noise * size * draw.standard_normal(x.states.shape)
        found.append(replace(x, states=states.astype(np.float32)))
    return found


def said(rows: pd.DataFrame) -> str:
    """One line of means."""
    good = rows[rows["status"] == "ok"]
    if good.empty:
        return f"failed {len(rows)} of {len(rows)}"
    cover = good["coverage_90"]
    inside = 1 - good["agree"] - good["flagged"]
    return (
        f"covered {good['coverage_50'].mean():.0%} and {cover.mean():.0%} "
        f"[{cover.min():.0%}, {cover.max():.0%}], half width {good['width_90'].median():.1e}; "
        f"inside {inside.mean():.0%}, agree {good['agree'].mean():.0%}, differ "
        f"{good['flagged'].mean():.0%}; off {good['bad'].mean():.1%}, where laws agree "
        f"{good['bad_agree'].mean():.1%}, differ {good['precision'].mean():.1%}, recall "
        f"{good['recall'].mean():.0%}; failed {len(rows) - len(good)} of {len(rows)}"
    )


if __name__ == "__main__":
    main()
