"""Find the laws of every system on the training graphs of a cell, unless that has been done."""

from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import field
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.laws.collected import LAW_TABLE
from nodeflow.laws.each import discover_each, less
from nodeflow.laws.store import LAWS, write_laws
from nodeflow.laws.table import law_table
from nodeflow.tables import is_current, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    graphs: list[Graph] = []
    each = zip(p.items(), files.trajectories, output.laws, output.table, strict=True)
    for (system, params), observed, path, table in each:
        if is_current(path, LAWS, params) and is_current(table, LAW_TABLE, params):
            continue
        learned, count = params["from"], params["trajectories"]
        graphs = graphs or read_graphs(files.edges, learned["on"])[: params["graphs"]]
        known = [
            x
            for x in read_trajectories(observed, learned)
            if x.graph < len(graphs) and x.index < count
        ]
        labels = (system, params["trained_beta"], params["trained_gamma"])
        laws = discover_each(*less(params["variant"], graphs, known, labels, params["seed"]))
        write_laws(path, laws, params)
        write_table(table, law_table(laws, field(system, learned["parameters"])), LAW_TABLE, params)
