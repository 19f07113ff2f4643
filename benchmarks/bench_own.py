"""What an ensemble of a user's network and series costs: CPU seconds and peak memory.

    OMP_NUM_THREADS=1 python benchmarks/bench_own.py [--nodes 1000] [--edges 10000]
                                                     [--runs 20] [--times 100] [--members 8]

The default is the case of the documentation; `--nodes 100000 --edges 500000 --runs 1` is the large
one. Dynamics are gene regulation (MM) on a random directed network with lognormal weights, noise is
1 % of the states' size, and every run has times of its own.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from nodeflow import data, dynamics, graphs, neural_ode, threads


def network(nodes: int, edges: int, rng: np.random.Generator) -> graphs.Graph:
    """A random directed network; weights make a node receive about 2 in all."""
    pairs = rng.integers(0, nodes, (edges + edges // 4, 2))
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    pairs = pairs[rng.permutation(len(pairs))[:edges]]
    weights = rng.lognormal(0, 0.5, len(pairs)) * 2 * nodes / edges
    return graphs.build_graph(nodes, pairs, weights=weights, directed=True)


def series(graph: graphs.Graph, runs: int, times: int, rng: np.random.Generator) -> data.Series:
    """Noisy runs at uneven times of their own."""
    system, observed = dynamics.field("MM"), []
    for run in range(runs):
        when = np.sort(np.r_[0, 4, rng.uniform(0, 4, times - 2)])
        start = rng.uniform(0, 3, (1, graph.n))
        states = dynamics.simulate(system, graph.adjacency(), start, when).states[0]
        noise = 0.01 * np.sqrt(np.square(states).mean())
        observed.append(data.Run(str(run), when, states + noise * rng.normal(size=states.shape)))
    return data.Series(graph.labels, tuple(observed))


def main() -> None:
    """Train, predict and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (
        ("nodes", 1000), ("edges", 10_000), ("runs", 20), ("times", 100), ("members", 8),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    graph = network(asked.nodes, asked.edges, rng)
    observed = series(graph, asked.runs, asked.times, rng)
    last = series(graph, 1, 20, rng).runs[0]
    threads.set_threads(1)
    start = time.process_time()
    ensemble = neural_ode.train_ensemble(graph, observed, members=asked.members)
    trained = time.process_time()
    table = ensemble.predict(graph, last.states[0], last.times)
    predicted = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    error = np.abs(table["mean"].to_numpy() - last.states.ravel()).mean()
    still = np.abs(last.states - last.states[0]).mean()
    print(f"{graph.n} nodes, {len(graph.edges)} edges, {asked.runs} runs of {asked.times} times")
    print(f"training of {asked.members} members: {trained - start:.1f} s of CPU")
    print(f"forecast of {len(last.times)} times: {predicted - trained:.1f} s of CPU")
    print(f"peak memory: {memory:.2f} GiB")
    print(f"error of the forecast: {error:.4g}, standing still {still:.4g}")
    print(f"share trusted: {table['trusted'].mean():.3f}; noise: {ensemble.noise:.3g}")


if __name__ == "__main__":
    main()
