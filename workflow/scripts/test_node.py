"""Test all neural ODEs of one training cell on all graphs of all their test cells.

Whether they are to be trusted as an ensemble is asked of those trained on plain trajectories, whose
training graphs are at hand.
"""

from typing import Any

import pandas as pd

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.schemas import NODES
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.judge.degree import errors_by_degree
from nodeflow.judge.schemas import ERRORS_BY_DEGREE
from nodeflow.node.evaluate import evaluate_models
from nodeflow.node.field import model_fields
from nodeflow.node.store import NODE_ERRORS, NODE_RUNS, read_models
from nodeflow.node.trust_table import NODE_TRUST
from nodeflow.node.trusted import evidence_of, rating
from nodeflow.tables import TableWriter, read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    models = read_models(files.models, p["models"])
    fields = model_fields(models)
    evidence = None
    if files.training:
        learned = p["models"]["from"]
        evidence = evidence_of(
            models,
            fields,
            read_graphs(files.training_edges[0], learned["on"]),
            read_trajectories(files.training[0], learned),
            tolerance=Tolerance(learned["rtol"], learned["atol"], learned["max_steps"]),
        )
    runs, by_degree, trust = [], [], []
    with TableWriter(output.errors, NODE_ERRORS, made) as writer:
        for truth, *paths in zip(p["truths"], files.edges, files.nodes, files.truth, strict=True):
            cell = {name: truth["on"][name] for name in ("N", "beta", "gamma")}
            graphs = read_graphs(paths[0], truth["on"])
            rated: list[dict[str, Any]] = []
            errors, found = evaluate_models(
                models,
                field(p["system"], truth["parameters"]),
                graphs,
                read_table(paths[1], NODES, truth["on"]),
                read_trajectories(paths[2], truth),
                tolerance=Tolerance(truth["rtol"], truth["atol"], truth["max_steps"]),
                fields=fields,
                watch=rating(evidence, graphs, rated) if evidence else None,
            )
            writer.write(errors.assign(**cell))
            runs.append(found.assign(**cell))
            by_degree.append(errors_by_degree(errors).assign(**cell))
            trust += [{**row, **cell} for row in rated]
    write_table(output.runs, pd.concat(runs), NODE_RUNS, made)
    write_table(output.by_degree, pd.concat(by_degree), ERRORS_BY_DEGREE, made)
    write_table(
        output.trust, pd.DataFrame(trust, columns=list(NODE_TRUST.columns)), NODE_TRUST, made
    )
