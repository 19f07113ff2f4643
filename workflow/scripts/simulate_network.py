"""Simulate one system on a network and on its null models."""

from typing import Any

from nodeflow.dynamics.ensemble import simulate_ensemble
from nodeflow.dynamics.store import write_trajectories
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    on = p["on"]
    trajectories = simulate_ensemble(
        read_graphs(files.edges, on),
        p["system"],
        p["parameters"],
        labels=("network", p["system"], on["network"]),
        trajectories=p["trajectories"],
        initial=tuple(p["initial"]),
        horizon=p["horizon"],
        times=p["times"],
        rtol=p["rtol"],
        atol=p["atol"],
        max_steps=p["max_steps"],
        root_seed=on["seed"],
    )
    write_trajectories(output[0], trajectories, made)
