"""Test generated neural ODEs beside trained ones and controls, on one system."""

from typing import Any

from nodeflow.bridge.frame import read_frame
from nodeflow.bridge.judge import judge_system
from nodeflow.bridge.members import read_members
from nodeflow.bridge.tables import TABLES
from nodeflow.dynamics.store import read_trajectories
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    found = judge_system(
        p,
        read_frame(files.frame, p["from"]),
        read_members(files.aligned, {**p["from"], "set": "aligned"}),
        read_members(files.samples, {**p["from"], "set": "samples"}),
        read_members(files.weight_samples, {**p["from"], "set": "weight samples"}),
        [read_graphs(path, x["on"]) for path, x in zip(files.edges, p["truth"], strict=True)],
        [read_trajectories(path, x) for path, x in zip(files.truth, p["truth"], strict=True)],
    )
    for name, table in found.items():
        write_table(output[name], table.assign(zoo=p["zoo"]), TABLES[name], made)
