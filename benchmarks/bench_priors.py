"""Forecasts of new systems from coefficients alone, and from few frames: errors and CPU seconds.

    OMP_NUM_THREADS=1 python -m docs.numbers --bench bench_priors.py [--systems MM BD]
                         [--members 200] [--zoos results/priors] [--tests 30]
                         [--frames 2 5 10 40] [--noise 0 0.01 0.05]

Of each family a prior is made of systems with coefficients from the ranges of config/config.yaml,
or of the zoos that a run has trained on them. Test systems are those of `evaluate_prior`:
coefficients from the same ranges, K frames of one run on an S¹ graph of 64 nodes, without noise and
with noise of 1 and 5 % of the states' root mean square. What was learned is forecast on graphs of
1,024 nodes with γ = 3.0, and of 8,192 with γ = 2.1. Errors are mean absolute errors over nodes and
times, over the mean true state: medians [quartiles] over the systems. No frames are coefficients
alone. "Without it" are functions estimated from the same frames, continued beyond their states by
the same power law. Bands are those of 90 %, of further observations that are as noisy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from nodeflow import dynamics, graphs, grid, priors
from nodeflow.dynamics.integrate import simulate_graphs
from nodeflow.neural_ode.estimate import Estimate
from nodeflow.priors.families import draws
from nodeflow.priors.fits import Frames, first_field, learned, mode
from nodeflow.priors.rivals import without_prior

SEED = 2026
STUDIED = 10
CELLS = (grid.Cell(N=1024, beta=1.1, gamma=3.0), grid.Cell(N=8192, beta=1.1, gamma=2.1))
TOLERANCE = dynamics.Tolerance(1e-6, 1e-6, 300)
OBSERVING = priors.Observing(64, 1.1, 3.0, 10.0, 8, 40, (0.0, 0.5), 1.0)


@dataclass(frozen=True)
class Known:
    """The members of a family, and their prior."""

    family: priors.Family
    members: list[Estimate]
    coefficients: np.ndarray

    @classmethod
    def of(cls, family: priors.Family, count: int, zoos: Path | None) -> Known:
        """Of a zoo that a run has trained, or of systems that are observed here."""
        if zoos is not None:
            zoo = priors.read_zoo(zoos / family.system / "zoo.safetensors")
            return cls(family, zoo.members(), zoo.coefficients)
        drawn = list(draws(family, count, OBSERVING, SEED))
        members = [priors.estimate_member(x.graph, x.runs) for x in drawn]
        return cls(family, members, np.array([[*x.values.values()] for x in drawn]))

    @cached_property
    def prior(self) -> priors.Prior:
        """Of all members."""
        return priors.fit_prior(self.members)

    @cached_property
    def zero_shot(self) -> priors.ZeroShot:
        """What coefficients say."""
        codes = self.prior.codes(self.members)
        return priors.fit_zero_shot(self.family, self.prior, self.coefficients, *codes)


def error(made: dynamics.Field | None, system: priors.Trial, case: priors.Case) -> float:
    """Relative error; infinite where a forecast failed."""
    [truth] = system.truth(case)
    if made is None:
        return np.inf
    start, how = [truth.states[:1]], asdict(system.tolerance)
    [found] = simulate_graphs(made, case.graphs, start, truth.times, **how)
    off = float(np.abs(found.states[0] - truth.states).mean() / np.abs(truth.states).mean())
    return off if np.isfinite(off) else np.inf


def test(
    known: Known,
    system: priors.Trial,
    cases: list[priors.Case],
    counts: list[int],
    noises: list[float],
) -> Iterator[tuple[float, int, dict[str, Any]]]:
    """Noise, number of frames, and what is measured of one test system with them."""
    first, large = cases
    before = time.process_time()
    alone = known.zero_shot.functions(system.values)
    seconds = time.process_time() - before
    yield (
        0.0,
        0,
        {
            "error": error(first_field(alone), system, first),
            "large": error(first_field(alone), system, large),
            "seconds": seconds,
        },
    )
    [truth] = system.truth(first)
    for noise in noises:
        for count in counts:
            frames = Frames(system, system.frames(count, noise), noise, first.graphs[0], truth)
            before = time.process_time()
            found = learned(known.prior, system, frames.run, 32)
            seconds = time.process_time() - before
            row = {**frames.row(system.family, found), "seconds": seconds}
            if count == STUDIED:
                field = first_field(mode(found))
                row["large"] = error(field, system, large)
                field = without_prior(known.prior, system.graph, frames.run)
                row["alone"] = error(field, system, first)
            yield noise, count, row


def shown(values: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), method="nearest")
    return f"{middle:.2g} [{low:.2g}, {high:.2g}]"


COLUMNS = {
    "error": "error",
    "N = 8,192, γ = 2.1": "large",
    "without it": "alone",
    "noise found": "noise_found",
    "within bands": "covered",
    "CPU s": "seconds",
}
"""Columns of the table, and what they are of."""


def line(system: str, noise: float, count: int, tests: list[dict[str, Any]]) -> str:
    """A line of the table."""
    cells = [shown([x[key] for x in tests]) if key in tests[0] else "" for key in COLUMNS.values()]
    failed = sum(not np.isfinite(x.get("large", 0.0)) for x in tests)
    alarms = f"{sum(bool(x.get('alarm')) for x in tests)} of {len(tests)}"
    told = [system, f"{100 * noise:.0f} %", str(count), *cells, str(failed), alarms]
    return f"| {' | '.join(told)} |"


def main() -> None:
    """Print a row for each family, noise and number of frames."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=["MM", "BD"])
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--zoos", type=Path, help="results/priors of a run, instead of members")
    parser.add_argument("--tests", type=int, default=30)
    parser.add_argument("--frames", type=int, nargs="+", default=[2, 5, 10, 40])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.01, 0.05])
    given = parser.parse_args()
    config = Path(__file__).parents[1] / "config/config.yaml"
    ranges = yaml.safe_load(config.read_text())["priors"]["families"]
    cases = []
    for cell in CELLS:
        drawn = graphs.sample_cell(cell, mean_degree=10, role="test", graphs=1, root_seed=SEED)
        cases.append(priors.Case(cell, drawn, graphs.node_table(drawn)))
    header = ["system", "noise", "frames", *COLUMNS, "failed at 8,192", "said not to fit"]
    print(f"| {' | '.join(header)} |\n{'|---' * len(header)}|", flush=True)
    notes = []
    for name in given.systems:
        known = Known.of(priors.Family.of(name, ranges[name]), given.members, given.zoos)
        rows: dict[tuple[float, int], list[dict[str, Any]]] = {}
        known.zero_shot.predicted({x: np.mean(pair) for x, pair in known.family.ranges.items()})
        for system in priors.trials(
            name, known.family, {"inside": given.tests}, OBSERVING, TOLERANCE, SEED
        ):
            for noise, count, row in test(known, system, cases, given.frames, given.noise):
                rows.setdefault((noise, count), []).append(row)
        for (noise, count), tests in rows.items():
            print(line(name, noise, count, tests), flush=True)
        notes.append(f"{name} {len(known.members)} members, {known.prior.kept} modes")
    print(f"\n{given.tests} systems in each row. Priors: {'; '.join(notes)}.")


if __name__ == "__main__":
    main()
