"""Test the neural ODEs of one training cell as they were at each snapshot of their training."""

from typing import Any

import pandas as pd

from nodeflow.dynamics.store import stream_trajectories
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.schemas import NODES
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.neural_ode.schemas import NEURAL_ODE_OVER_TRAINING
from nodeflow.neural_ode.snapshots import evaluate_snapshots
from nodeflow.neural_ode.store import read_models, read_snapshots
from nodeflow.tables import read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    models = read_models(files.models, p["models"])
    snapshots = read_snapshots(files.snapshots, p["models"])
    count, tables = p["graphs"], []
    for truth, *paths in zip(p["truths"], files.edges, files.nodes, files.truth, strict=True):
        nodes = read_table(paths[1], NODES, truth["on"])
        table = evaluate_snapshots(
            models,
            snapshots,
            field(p["system"], truth["parameters"]),
            read_graphs(paths[0], truth["on"])[:count],
            nodes[nodes["graph"] < count],
            [x for x in stream_trajectories(paths[2], truth) if x.graph < count],
            tolerance=Tolerance(**truth["tolerance"]),
        )
        tables.append(table.assign(**{name: truth["on"][name] for name in ("N", "beta", "gamma")}))
    write_table(output[0], pd.concat(tables), NEURAL_ODE_OVER_TRAINING, metadata)
