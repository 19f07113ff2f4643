"""What sampling an S¹ graph costs, by size and cell, beside other samplers of the same kind.

    OMP_NUM_THREADS=1 python benchmarks/bench_graphs.py
    OMP_NUM_THREADS=1 python benchmarks/bench_graphs.py --others --betas 1.1 3.1 --nodes 300000

Coordinates, calibration, edges and the checked graph are timed together; the smallest processor
time of a few runs counts. Each of the largest graphs is made in a process of its own, whose peak
memory is reported.

Other samplers join where they are installed: networkx, and NetworKit (`pip install networkit`),
whose hyperbolic graphs at temperature T = 1/β are the same ensemble up to the approximation of
distances, and with the constant of the infinite graph instead of a calibrated one. For girgs
there are published figures: ten million edges in under a second (Bläsius et al. 2022, Network
Science 10, 401), and 10⁷ nodes in 4 s on one thread (its issue tracker); in C++, and without
calibration on the drawn coordinates.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import networkx as nx
import numpy as np

from nodeflow.graphs.ensemble import Sampler, sample_graph
from nodeflow.grid import Cell

BETAS, GAMMAS = (0.6, 1.1, 2.1, 3.1), (2.1, 3.0, 3.9)
MEAN_DEGREE = 10.0
NODES = (8192, 100_000)


def seconds(make: Callable[[], object], repeats: int) -> float:
    """Smallest processor time of a few calls."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        make()
        best = min(best, time.process_time() - start)
    return best


def sample(n: int, beta: float, gamma: float, sampler: Sampler = "geometric") -> int:
    """One graph; returns its number of edges."""
    rng = np.random.default_rng(n)
    cell = Cell(n, beta, gamma)
    return len(sample_graph(cell, mean_degree=MEAN_DEGREE, sampler=sampler, rng=rng).edges)


def _alone(cell: tuple[int, float, float]) -> tuple[float, float]:
    sample(1000, *cell[1:])  # loads the compiled code
    spent = seconds(lambda: sample(*cell), 2)
    return spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def alone(n: int, beta: float, gamma: float) -> tuple[float, float]:
    """Processor time in seconds and peak memory in GB, in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(_alone, [(n, beta, gamma)])[0]


def over_cells(largest: int, betas: Sequence[float]) -> None:
    """Time by size in every cell of a grid, and how it grows."""
    small, large = NODES
    print(f"Seconds per graph, mean degree {MEAN_DEGREE:g}; growth: time per node at N =")
    print(f"{largest:,} over that at N = {large:,}")
    print(f"  beta gamma  N={small:<8,} N={large:<9,} N={largest:<10,} growth   memory")
    for beta, gamma in product(betas, GAMMAS):
        sample(1000, beta, gamma)
        first = seconds(partial(sample, small, beta, gamma), 5)
        second = seconds(partial(sample, large, beta, gamma), 3)
        third, memory = alone(largest, beta, gamma)
        growth = third / second * large / largest
        print(
            f"  {beta:4} {gamma:5}  {first:10.3f} {second:11.2f} {third:12.2f} {growth:8.2f} "
            f"{memory:6.2f} GB",
            flush=True,
        )


def beside_others(n: int, beta: float, gamma: float) -> None:
    """This sampler, the exact one and those of other packages on one size, in turn."""
    variants: dict[str, Callable[[], object]] = {
        "nodeflow, geometric": lambda: sample(n, beta, gamma)
    }
    if n <= 20_000:
        variants["nodeflow, exact"] = lambda: sample(n, beta, gamma, "exact")
        variants["networkx"] = lambda: nx.geometric_soft_configuration_graph(
            beta=beta, n=n, gamma=gamma, mean_degree=MEAN_DEGREE, seed=1
        )
    try:
        networkit = importlib.import_module("networkit")
    except ImportError:
        print("(NetworKit is not installed)")
    else:
        networkit.setNumberOfThreads(1)
        variants["NetworKit, hyperbolic"] = lambda: networkit.generators.HyperbolicGenerator(
            n, k=MEAN_DEGREE, gamma=gamma, T=1 / beta
        ).generate()
    sample(1000, beta, gamma)
    times = {name: seconds(variant, 1 if n > 20_000 else 2) for name, variant in variants.items()}
    print(f"One graph, N = {n:,}, beta = {beta}, gamma = {gamma}, processor time")
    for name, spent in times.items():
        ratio = spent / times["nodeflow, geometric"]
        print(f"  {name:24s} {spent:9.3f} s  {ratio:8.1f} x", flush=True)


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1_000_000, help="size of the largest graphs")
    parser.add_argument("--others", type=int, nargs="*", default=list(NODES), metavar="N")
    parser.add_argument("--betas", type=float, nargs="*", default=list(BETAS), metavar="BETA")
    options = parser.parse_args()
    for n in options.others:
        beside_others(n, 2.1, 2.7)
    over_cells(options.nodes, options.betas)


if __name__ == "__main__":
    main()
