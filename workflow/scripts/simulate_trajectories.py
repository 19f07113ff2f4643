"""Simulate every system on all graphs of a cell, or of a network, unless that has been done."""

from typing import Any

from nodeflow.dynamics.ensemble import SETTINGS, simulate_ensemble
from nodeflow.dynamics.schemas import TRAJECTORIES
from nodeflow.dynamics.store import write_trajectories
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.seeds import Stream
from nodeflow.tables import is_current

snakemake: Any


def _labels(system: str, on: dict[str, Any]) -> tuple[str | int | float, ...]:
    """What names the graphs, for their initial states."""
    if "network" in on:
        return "network", system, on["network"]
    return on["role"], system, on["N"], float(on["beta"]), float(on["gamma"])


p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    graphs: list[Graph] = []
    for path, params in zip(output, p.values(), strict=True):
        if is_current(path, TRAJECTORIES, params):
            continue
        on = params["on"]
        graphs = graphs or read_graphs(files.edges, on)
        trajectories = simulate_ensemble(
            graphs,
            params["system"],
            params["parameters"],
            stream=Stream(on["seed"], _labels(params["system"], on)),
            **{name: params[name] for name in SETTINGS},
            tolerance=Tolerance(**params["tolerance"]),
        )
        write_trajectories(path, trajectories, params)
