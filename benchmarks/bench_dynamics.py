"""What a simulation costs, beside torchdiffeq and scipy on the same graphs at the same tolerance.

    export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=8589934592
    OMP_NUM_THREADS=1 python benchmarks/bench_dynamics.py

All variants are timed in turn, several times, in one process; the smallest processor time of each
counts, so that other jobs on the machine disturb the ratios little. The two settings of glibc let
every variant reuse memory. Without them only those do that ask for it in small parts, and one
that asks for 200 MB at once waits for fresh pages each time, twice as long as it computes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits
from torch import Tensor
from torchdiffeq import odeint

from nodeflow.dynamics.ensemble import simulate_cell
from nodeflow.dynamics.fixed_points import find_fixed_points
from nodeflow.dynamics.integrate import simulate, simulate_graphs
from nodeflow.dynamics.jacobian import velocity
from nodeflow.dynamics.store import write_trajectories
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.graph import Graph
from nodeflow.grid import Cell

BETA, GAMMA = 1.1, 2.4
Floats = NDArray[np.float64]


TORCH: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "BD": lambda matrix, x: (matrix @ x.sqrt()[:, None])[:, 0] - x**2,
    "SIS": lambda matrix, x: 1.2 * (1 - x) * (matrix @ x[:, None])[:, 0] - x,
}


def torch_loop(
    adjacency: csr_array,
    x: Floats,
    times: Floats,
    tolerance: float,
    dense: bool,
    name: str = "BD",
) -> Floats:
    """The straightforward loop: a torch function, integrated by torchdiffeq's dopri5."""
    if dense:
        matrix = torch.from_numpy(adjacency.toarray())
    else:
        coo = adjacency.tocoo()
        indices = torch.from_numpy(np.stack(coo.coords).astype(np.int64))
        matrix = torch.sparse_coo_tensor(indices, torch.from_numpy(coo.data), coo.shape).coalesce()

    def right_hand_side(_: Tensor, state: Tensor) -> Tensor:
        return TORCH[name](matrix, state)

    with torch.no_grad():
        states: Tensor = odeint(
            right_hand_side,
            torch.from_numpy(x),
            torch.from_numpy(times),
            rtol=tolerance,
            atol=tolerance,
            method="dopri5",
        )
    return states.numpy()


def scipy_loop(
    adjacency: csr_array, x: Floats, times: Floats, tolerance: float, name: str = "BD"
) -> Floats:
    """The RK45 of scipy with a sparse product."""
    system = field(name)
    solution = solve_ivp(
        lambda _, y: velocity(system, adjacency, y),
        (times[0], times[-1]),
        x,
        t_eval=times,
        rtol=tolerance,
        atol=tolerance,
    )
    states: Floats = solution.y.T
    return states


def timed(variants: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Smallest processor time of each variant in seconds; the variants take turns."""
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(repeats):
        for name, variant in variants.items():
            start = time.process_time()
            variant()
            best[name] = min(best[name], time.process_time() - start)
    return best


def report(title: str, times: Mapping[str, float], base: str) -> None:
    """Print times and their ratios to `base`."""
    print(title)
    for name, seconds in times.items():
        print(f"  {name:34s} {1e3 * seconds:10.1f} ms  {seconds / times[base]:7.1f} x")


def one_trajectory(n: int, tolerance: float, repeats: int) -> None:
    """One BD trajectory at 256 times."""
    graph = graphs(n, 1)[0]
    x = starts(graph)
    a, times = graph.adjacency(), np.linspace(0.0, 1.0, 256)
    true = simulate(field("BD"), a, x, times, rtol=1e-11, atol=1e-11).states[0]
    variants: dict[str, Callable[[], Floats]] = {
        "nodeflow": lambda: simulate(
            field("BD"), a, x, times, rtol=tolerance, atol=tolerance
        ).states[0],
        "torchdiffeq, COO product": lambda: torch_loop(a, x[0], times, tolerance, dense=False),
        "torchdiffeq, dense product": lambda: torch_loop(a, x[0], times, tolerance, dense=True),
        "scipy RK45, CSR product": lambda: scipy_loop(a, x[0], times, tolerance),
    }
    title = f"One BD trajectory, N = {n}, 256 times, tolerance {tolerance:g}"
    report(title, timed(variants, repeats), "nodeflow")
    print("  largest error of a state, in units of the tolerance:")
    for name, variant in variants.items():
        error = np.abs(variant() - true) / (tolerance * (1 + np.abs(true)))
        print(f"  {name:34s} {error.max():10.1f}")


def hubs(n: int, tolerance: float, repeats: int) -> None:
    """One SIS trajectory where large hubs make the diagonal of the Jacobian stiff."""
    cell = Cell(n, BETA, 2.1)
    graph = sample_cell(cell, mean_degree=10, role="bench", graphs=1, root_seed=1)[0]
    x, a, times = starts(graph), graph.adjacency(), np.linspace(0.0, 1.0, 33)
    true = simulate(field("SIS"), a, x, times, rtol=1e-11, atol=1e-11).states[0]
    variants: dict[str, Callable[[], Floats]] = {
        "nodeflow": lambda: simulate(
            field("SIS"), a, x, times, rtol=tolerance, atol=tolerance
        ).states[0],
        "torchdiffeq, COO product": lambda: torch_loop(
            a, x[0], times, tolerance, dense=False, name="SIS"
        ),
        "scipy RK45, CSR product": lambda: scipy_loop(a, x[0], times, tolerance, "SIS"),
    }
    degree = int(graph.degrees.max())
    steps = int(simulate(field("SIS"), a, x, times, rtol=tolerance, atol=tolerance).steps[0])
    title = f"One SIS trajectory, N = {n}, largest degree {degree}, tolerance {tolerance:g}"
    report(f"{title} ({steps} steps)", timed(variants, repeats), "nodeflow")
    print("  largest error of a state, in units of the tolerance:")
    for name, variant in variants.items():
        error = np.abs(variant() - true) / (tolerance * (1 + np.abs(true)))
        print(f"  {name:34s} {error.max():10.1f}")


def one_cell(n: int, count: int, tolerance: float, repeats: int) -> None:
    """BD on all graphs of a cell, together and one by one.

    The sparse products alone, one for each stage of each step, are what no way of arranging the
    work can save.
    """
    cell = graphs(n, count)
    states = [starts(graph) for graph in cell]
    times = np.linspace(0.0, 1.0, 256)
    pairs = list(zip(cell, states, strict=True))
    system = field("BD")
    simulations = simulate_graphs(system, cell, states, times, rtol=tolerance, atol=tolerance)
    stages = [6 * int(one.steps[0]) for one in simulations]
    matrices = [graph.adjacency() for graph in cell]
    variants: dict[str, Callable[[], object]] = {
        "nodeflow, together": lambda: simulate_graphs(
            system, cell, states, times, rtol=tolerance, atol=tolerance
        ),
        "nodeflow, one by one": lambda: [
            simulate(system, g.adjacency(), x, times, rtol=tolerance, atol=tolerance)
            for g, x in pairs
        ],
        "scipy, its products alone": lambda: [
            a @ x[0]
            for a, x, evaluations in zip(matrices, states, stages, strict=True)
            for _ in range(evaluations)
        ],
        "scipy RK45, one by one": lambda: [
            scipy_loop(g.adjacency(), x[0], times, tolerance) for g, x in pairs
        ],
        "torchdiffeq COO, one by one": lambda: [
            torch_loop(g.adjacency(), x[0], times, tolerance, dense=False) for g, x in pairs
        ],
    }
    title = f"BD on {count} graphs of a cell, N = {n}, 256 times, tolerance {tolerance:g}"
    report(title, timed(variants, repeats), "nodeflow, together")


def rest(n: int) -> None:
    """Fixed point and rightmost eigenvalues after an integration to t = 10."""
    graph = graphs(n, 1)[0]
    print(f"Fixed point and six rightmost eigenvalues (whole graph and giant component), N = {n}")
    for name, system in SYSTEMS.items():
        late = simulate(
            field(name), graph.adjacency(), starts(graph), [0.0, 10.0], rtol=1e-4, atol=1e-4
        ).states[:, -1]
        start = time.process_time()
        fixed = find_fixed_points(field(name), graph.adjacency(), late, domain=system.domain)
        spent = time.process_time() - start
        search, point = fixed.searches[0], fixed.points[0]
        print(
            f"  {name:4s} {spent:6.2f} s, {search.iterations:2d} Newton steps, residual "
            f"{point.residual:.0e}, giant component {point.spectrum.giant[0].real:+.4f}"
        )


def stored(n: int, times: int) -> None:
    """Bytes per value of a trajectory file."""
    cell = Cell(n, BETA, GAMMA)
    print(f"Bytes per state in a file, N = {n}, {times} times:", end="")
    for name in SYSTEMS:
        trajectories = simulate_cell(
            graphs(n, 2), name, role="bench", cell=cell, trajectories=2, initial=(0.0, 0.5),
            horizon=1.0, times=times, tolerance=Tolerance(1e-6, 1e-6, 100_000), root_seed=1,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trajectories.parquet"
            write_trajectories(path, trajectories, {})
            print(f"  {name} {path.stat().st_size / (4 * n * times):.2f}", end="")
    print()


def graphs(n: int, count: int) -> list[Graph]:
    """Graphs of the cell N = n, β = 1.1, γ = 2.4."""
    return sample_cell(
        Cell(n, BETA, GAMMA), mean_degree=10, role="bench", graphs=count, root_seed=1
    )


def starts(graph: Graph) -> Floats:
    """One initial state of a graph, shape (1, n)."""
    return np.random.default_rng(graph.n).uniform(0.0, 0.5, (1, graph.n))


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=8192)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    threadpool_limits(1)
    for tolerance in (1e-4, 1e-6):
        one_trajectory(options.nodes, tolerance, options.repeats)
        hubs(options.nodes, tolerance, options.repeats)
    for n in (64, 256, 512, 1024):
        one_cell(n, 100, 1e-4, options.repeats)
    rest(options.nodes)
    for n, times in ((64, 256), (1024, 33), (8192, 33)):
        stored(n, times)


if __name__ == "__main__":
    main()
