"""What bands and flags of laws are worth on new graphs, from noisy data.

    OMP_NUM_THREADS=1 python benchmarks/bench_law_bands.py --out bands.jsonl
    OMP_NUM_THREADS=1 python benchmarks/bench_law_bands.py --given --draws 8 --training 2 \
        --graphs 2 --sizes 64 --noise 0.01 --out bands.jsonl
    python -m docs.numbers --bench bench_law_bands.py --draws 0

For each system and noise (its standard deviation in units of the root mean square state) laws are
found on several graphs of N = 64, from 8 trajectories each, and forecast one trajectory without
noise on each of some new graphs of N = 64 and 8,192. `nodeflow.laws.rate_law` rates them as the
workflow does. With --given the true form is fitted, without any search.

Each row of the table is one system, noise and size. Coverage of the 50 and 90 % bands is the mean
over laws; all nodes share the errors of few parameters, so its 95 % interval is that of laws (t
distribution), and the smallest of a graph stands beside it. Then: the half width of the 90 % band
over the mean state, median; shares of nodes that stay inside the states seen, are outside where
laws agree, and where they differ; and the share that is off by more than 1 %, of all nodes and of
those outside where laws agree. `away` is the root mean squared error of parameters in units of
their standard errors, of laws of the true form.

Rows go to the file of `--out`; what is there is not computed again. Draws of the noise come one
after another, so a run that is stopped has as many of each system.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_activations import LAW_TRAJECTORIES, Tests, trajectories
from bench_laws import TRUE
from laws_tables import lined, read, wilson
from scipy.stats import t as student

from nodeflow.dynamics import SYSTEMS, Trajectory, field
from nodeflow.graphs import Graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.laws import Form, Law, LawProblem, discover, rate_law
from nodeflow.laws.candidates import Candidate
from nodeflow.laws.data import groups_of, noise_of, signed, size_of
from nodeflow.laws.discovery import Discovery
from nodeflow.laws.law import EXACT

ROWS = Path(__file__).parent / "law_bands_rows.jsonl"


@dataclass(frozen=True)
class Case:
    """A law of noisy data of one training graph."""

    system: str
    noise: float
    graph: int
    draw: int
    given: bool


class Data:
    """Trajectories of one system on training graphs, and on new ones of each size."""

    def __init__(self, name: str, training: Sequence[Graph], tests: Sequence[Tests], gamma: float):
        self.name, self.training, self.tests, self.gamma = name, training, tests, gamma

    @cached_property
    def runs(self) -> list[Trajectory]:
        """Those that laws are found from."""
        found = trajectories(self.name, self.training, Cell(64, 1.1, self.gamma))
        return [x for x in found if x.index < LAW_TRAJECTORIES]

    @cached_property
    def known(self) -> list[list[Trajectory]]:
        """True trajectories, for each size on each graph."""
        return [test.trajectories(field(self.name)) for test in self.tests]

    def rows(self, case: Case) -> Iterator[dict[str, Any]]:
        """What the bands and flags of a law are worth on each new graph."""
        graph = self.training[case.graph]
        own = [replace(x, graph=0) for x in self.runs if x.graph == case.graph]
        runs = noisy(own, case.noise, 100 * case.graph + case.draw)
        form, values = TRUE[case.system]
        try:
            law = (
                fitted(form, np.array(values), graph, runs)
                if case.given
                else discover([graph], runs)
            )
        except LawProblem as problem:
            yield {**asdict(case), "N": 64, "status": "failed", "reason": str(problem)}
            return
        exact = law.form == form
        said = {
            "law": str(law), "weight": law.weight, "alternatives": len(law.alternatives),
            "explains": law.explains, "exact": exact,
            "away": ((law.parameters - values) / law.errors).tolist() if exact else None,
        }  # fmt: skip
        for test, truths in zip(self.tests, self.known, strict=True):
            for place, (on, truth) in enumerate(zip(test.graphs, truths, strict=True)):
                rated = rate_law(law, on, [truth])
                yield {**asdict(case), **said, "N": on.n, "test": place, **rated}


def main() -> None:
    """Run the cases that were asked for and are not there; then print the table of all."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--systems", nargs="*", choices=SYSTEMS, default=list(SYSTEMS))
    options.add_argument("--noise", nargs="*", type=float, default=[0.01, 0.05])
    options.add_argument("--gamma", type=float, default=2.1)
    options.add_argument("--sizes", nargs="*", type=int, default=[64, 8192])
    options.add_argument("--training", type=int, default=3, help="training graphs")
    options.add_argument("--graphs", type=int, default=1, help="test graphs of each size")
    options.add_argument("--draws", type=int, default=1, help="of the noise")
    options.add_argument("--given", action="store_true", help="the form is given")
    options.add_argument("--out", type=Path, default=ROWS, help="file of all rows, JSON lines")
    chosen = options.parse_args()
    rows = read(chosen.out)
    there = {Case(*(row[k] for k in Case.__dataclass_fields__)) for row in rows}
    random = np.random.default_rng(1)
    small = Cell(64, 1.1, chosen.gamma)
    training = sample_cell(
        small, mean_degree=10, role="training", graphs=chosen.training, root_seed=1
    )
    tests = [Tests(Cell(n, 1.1, chosen.gamma), chosen.graphs, random) for n in chosen.sizes]
    data = {name: Data(name, training, tests, chosen.gamma) for name in chosen.systems}
    cases = [
        Case(name, noise, graph, draw, chosen.given)
        for draw in range(chosen.draws)
        for noise in chosen.noise
        for name in chosen.systems
        for graph in range(chosen.training)
    ]
    for case in cases:
        if case in there:
            continue
        found = list(data[case.system].rows(case))
        rows += found
        with chosen.out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, default=float) + "\n" for row in found)
    print("\n".join(table(pd.DataFrame(rows))))


def table(rows: pd.DataFrame) -> list[str]:
    """One line a system, noise and size; where the form was given apart from where not."""
    header = [
        "form", "noise", "system", "N", "laws", "exact", "covered by 50 %", "covered by 90 %",
        "on the graph with the least", "half width", "inside", "laws agree", "laws differ",
        "off by 1 %", "off where laws agree", "away",
    ]  # fmt: skip
    lines = []
    for (given, noise, size), at in rows.groupby(["given", "noise", "N"]):
        for system in (*dict.fromkeys(at["system"]), "all"):
            some = at[(at["status"] == "ok") & ((at["system"] == system) | (system == "all"))]
            laws = some.groupby(["system", "graph", "draw"])
            single = laws.first()
            exact = single["exact"].astype(bool)
            away = [np.square(x).mean() for x in single.loc[exact, "away"]]
            lines.append([
                "given" if given else "searched", f"{noise:g}", system, f"{size:,}",
                str(len(single)), wilson(int(exact.sum()), len(exact)),
                covered(laws["coverage_50"].mean()), covered(laws["coverage_90"].mean()),
                f"{some['coverage_90'].min():.0%}", f"{some['width_90'].median():.1e}",
                f"{(1 - some['agree'] - some['flagged']).mean():.0%}",
                f"{some['agree'].mean():.0%}", f"{some['flagged'].mean():.0%}",
                f"{some['bad'].mean():.1%}",
                f"{some['bad_agree'].mean():.1%}" if some["bad_agree"].notna().any() else "–",
                f"{np.sqrt(np.mean(away)):.2f}" if away else "–",
            ])  # fmt: skip
    return lined(header, lines)


def covered(laws: pd.Series) -> str:
    """A mean over laws with its interval, within what a share can be."""
    mean, count = float(laws.mean()), len(laws)
    if count < 4:
        return f"{mean:.0%}"
    half = float(student.ppf(0.975, count - 1) * laws.std() / np.sqrt(count))
    return f"{mean:.0%} [{max(mean - half, 0):.0%}, {min(mean + half, 1):.0%}]"


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


if __name__ == "__main__":
    main()
