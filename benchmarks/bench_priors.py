"""Forecasts from few frames, with and without a prior over functions: errors and CPU seconds.

    OMP_NUM_THREADS=1 python benchmarks/bench_priors.py [--systems MM BD] [--members 40]
                                                        [--nodes 32] [--knots 24] [--tests 4]

Of each family a prior is made of systems with coefficients drawn from ranges. Further systems with
coefficients from the same ranges are observed in one run on an S¹ graph of 64 nodes, at K times,
without noise and with noise of 1 % of the states' root mean square. What was learned is forecast on
graphs of 1,024 nodes. Errors are mean absolute errors over nodes and times, over the mean true
state: medians [quartiles] over the systems. "No prior" are the functions estimated from the same
frames, continued beyond their states by the same power law; that takes seven times.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np

from nodeflow import data, dynamics, graphs, grid, priors
from nodeflow.dynamics.integrate import Simulation
from nodeflow.neural_ode.curves import Curves
from nodeflow.priors.gaussian import continued
from nodeflow.seeds import numpy_generator

RANGES = {
    "MM": {"R": (0.5, 2.0), "B": (0.5, 2.0), "h": (1.0, 3.0)},
    "BD": {"b": (1.5, 3.0), "a": (0.3, 0.8)},
}
COUNTS, NOISES = (2, 5, 10, 40), (0.0, 0.01)
TIMES = np.linspace(0.0, 1.0, 33)


def graph(nodes: int, index: int) -> graphs.Graph:
    """A graph that no prior was made of."""
    cell = grid.Cell(N=nodes, beta=1.1, gamma=3.0)
    [found] = graphs.sample_cell(
        cell, mean_degree=10, role="few frames", graphs=1, first=index, root_seed=1
    )
    return found


def run(
    field: dynamics.Field, on: graphs.Graph, times: np.ndarray, start: np.ndarray
) -> Simulation:
    """One run of a true or learned system."""
    return dynamics.simulate(field, on.adjacency(), start[None], times, max_steps=2000)


def error(states: np.ndarray, truth: np.ndarray) -> float:
    """Relative error; infinite where a forecast failed."""
    found = float(np.abs(states - truth)[1:].mean() / truth[1:].mean())
    return found if np.isfinite(found) else np.inf


def without_prior(
    on: graphs.Graph, times: np.ndarray, frames: np.ndarray, prior: priors.Prior
) -> Curves:
    """The functions as the frames alone have them."""
    trajectory = dynamics.Trajectory(0, 0, times, frames, "ok", "")
    member = priors.estimate_member(on, [trajectory], knots=24 if len(times) < 20 else 48)
    return Curves(prior.states, continued(member, prior.states)[None])


def test(
    prior: priors.Prior, system: str, index: int, count: int, noise: float
) -> dict[str, float]:
    """Errors on the large graph, the noise found, the share of states within the bands of 90 %."""
    rng = numpy_generator(2, "bench priors", system, index)
    values = {name: float(rng.uniform(*pair)) for name, pair in RANGES[system].items()}
    field, small, large = dynamics.field(system, values), graph(64, index), graph(1024, index)
    times = np.linspace(0.0, 1.0, count)
    frames = run(field, small, times, rng.uniform(0, 0.5, 64)).states[0]
    size = float(np.sqrt(np.square(frames).mean()))
    frames = frames + noise * size * rng.standard_normal(frames.shape)
    start = rng.uniform(0, 0.5, 1024)
    truth = run(field, large, TIMES, start).states[0]
    before = time.process_time()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ensemble = prior.learn(small, [data.Run("a", times, frames)])
    seconds = time.process_time() - before
    table = ensemble.predict(large, start, TIMES)
    mean, low, high = (
        table[name].to_numpy().reshape(truth.shape) for name in ("mean", "lower_90", "upper_90")
    )
    zero = Curves(prior.states, prior.mean[None]).fields[0]
    found = {
        "prior": error(mean, truth),
        "mean of the prior": error(run(zero, large, TIMES, start).states[0], truth),
        "noise": ensemble.noise / size,
        "covered": float(((low <= truth) & (truth <= high))[1:].mean()),
        "alarms": float(any("No function" in str(x.message) for x in said)),
        "seconds": seconds,
    }
    if count >= 7:
        try:
            alone = without_prior(small, times, frames, prior).fields[0]
            found["no prior"] = error(run(alone, large, TIMES, start).states[0], truth)
        except (priors.PriorProblem, np.linalg.LinAlgError):
            found["no prior"] = np.inf
    return found


def show(values: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), method="nearest")
    return f"{middle:.2g} [{low:.2g}, {high:.2g}]"


def main() -> None:
    """Print a row for each family, noise and number of frames."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=["MM", "BD"], choices=list(RANGES))
    parser.add_argument("--members", type=int, default=40)
    parser.add_argument("--nodes", type=int, default=32, help="of the graphs of the prior")
    parser.add_argument("--knots", type=int, default=24, help="of the functions of its members")
    parser.add_argument("--tests", type=int, default=4)
    given = parser.parse_args()
    for system in given.systems:
        before = time.process_time()
        how = {"members": given.members, "nodes": given.nodes, "knots": given.knots}
        prior = priors.prior_of_system(system, RANGES[system], **how)
        print(f"{system}: {time.process_time() - before:.0f} s, {prior.kept} modes", flush=True)
        for noise in NOISES:
            for count in COUNTS:
                every = [test(prior, system, k, count, noise) for k in range(given.tests)]
                row = [f"{name} {show([x[name] for x in every])}" for name in every[0]]
                print(f"{system} noise {noise:g} K {count}: " + "; ".join(row), flush=True)


if __name__ == "__main__":
    main()
