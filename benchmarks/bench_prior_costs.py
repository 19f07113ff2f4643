"""What new neural ODEs cost: CPU seconds of a prior, of functions that it knows, and of networks.

    OMP_NUM_THREADS=1 python -m docs.numbers --bench bench_prior_costs.py [--priors results/priors]
                         [--systems SIS MAK MM BD ND] [--tests 8]

Zoos are those of a run. Test systems are drawn from the same ranges by another seed than those of
the run, and learned from with ten frames of one run on an S¹ graph of 64 nodes. A draw is of three
functions from the prior. Medians [quartiles] over the test systems.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import yaml

from nodeflow import dynamics, priors
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.priors.fits import mode

SEED = 999
FRAMES = 10
DRAWS = 1000
NOISES = (0.0, 0.01, 0.05)
CONFIG = Path(__file__).parents[1] / "config/config.yaml"
TOLERANCE = dynamics.Tolerance(1e-6, 1e-6, 300)
OBSERVING = priors.Observing(64, 1.1, 3.0, 10.0, 8, 40, (0.0, 0.5), 1.0)

Made = TypeVar("Made")


def timed(made: Callable[[], Made]) -> tuple[float, Made]:
    """CPU seconds of a call, and what it returned."""
    before = time.process_time()
    found = made()
    return time.process_time() - before, found


def shown(values: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), method="nearest")
    return f"{middle:.2g} [{low:.2g}, {high:.2g}]"


def row(system: str, zoo_file: Path, tests: int) -> list[str]:
    """The cells of a family."""
    config = yaml.safe_load(CONFIG.read_text())["priors"]
    family = priors.Family.of(system, config["families"][system])
    settings = GaussNewtonSettings(**config["training"])
    zoo = priors.read_zoo(zoo_file)
    members = zoo.members()
    fitted, prior = timed(lambda: priors.fit_prior(members))
    zero_shot = priors.fit_zero_shot(family, prior, zoo.coefficients, *prior.codes(members))
    middle = {name: (low + high) / 2 for name, (low, high) in family.ranges.items()}
    zero_shot.predicted(middle)  # factors once what all predictions share

    alone, networks, posteriors = [], [], {noise: [] for noise in NOISES}
    for trial in priors.trials(system, family, {"inside": tests}, OBSERVING, TOLERANCE, SEED):
        seconds, _ = timed(lambda: zero_shot.functions(trial.values))  # noqa: B023
        alone.append(1e3 * seconds)
        for noise in NOISES:
            frames = trial.frames(FRAMES, noise)
            seconds, found = timed(
                lambda: prior.learn(trial.graph, [frames], members=2, seed=SEED)  # noqa: B023
            )
            posteriors[noise].append(seconds)
        functions = mode(found)
        assert functions is not None
        seconds, _ = timed(
            lambda: priors.networks(prior, functions, settings, [("bench",)], SEED, 1e-3)  # noqa: B023
        )
        networks.append(seconds)
    codes = np.random.default_rng(SEED).standard_normal((DRAWS, prior.kept))
    drawn, _ = timed(lambda: prior.at(codes))
    return [
        system, str(len(members)), f"{fitted:.2g}", shown(alone),
        f"{1e3 * drawn / DRAWS:.2g}", *(shown(x) for x in posteriors.values()), shown(networks),
    ]  # fmt: skip


def main() -> None:
    """Print a row for each family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=["SIS", "MAK", "MM", "BD", "ND"])
    parser.add_argument("--priors", type=Path, default=Path("results/priors"))
    parser.add_argument("--tests", type=int, default=8)
    given = parser.parse_args()
    told = [f"a posterior, {100 * noise:.0f} % noise, s" for noise in NOISES]
    header = ["system", "members", "the prior, s", "coefficients alone, ms", "a draw, ms"]
    header += [*told, "a network, s"]
    print(f"| {' | '.join(header)} |\n{'|---' * len(header)}|", flush=True)
    for system in given.systems:
        cells = row(system, given.priors / system / "zoo.safetensors", given.tests)
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{given.tests} test systems of each family.")


if __name__ == "__main__":
    main()
