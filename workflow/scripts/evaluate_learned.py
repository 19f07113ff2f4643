"""Test the neural ODEs, or laws, of one training cell on all graphs of all their test cells.

For every system for which that has not been done. Whether they are to be trusted as an ensemble is
asked of those trained on plain trajectories, whose training graphs are at hand. Each law has bands
and flags of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pkgutil import resolve_name
from typing import Any

import pandas as pd

from nodeflow.dynamics.ensemble import simulate_as
from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.schemas import NODES
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.judge.degree import errors_by_degree
from nodeflow.judge.error_schemas import ERRORS_BY_DEGREE
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.field import model_fields
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.schemas import NEURAL_ODE_ERRORS, NEURAL_ODE_RUNS
from nodeflow.neural_ode.trust_table import NEURAL_ODE_TRUST
from nodeflow.neural_ode.trusted import evidence_of, rating, rating_each
from nodeflow.tables import TableWriter, is_current, read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

SCHEMAS = {
    "errors": NEURAL_ODE_ERRORS,
    "runs": NEURAL_ODE_RUNS,
    "by_degree": ERRORS_BY_DEGREE,
    "trust": NEURAL_ODE_TRUST,
}


def test(
    params: Mapping[str, Any],
    models_files: Sequence[str],
    truth_files: Iterator[str],
    training_files: Sequence[str],
    paths: Mapping[str, str],
) -> None:
    """Write the tests of one system."""
    models = resolve_name(f"nodeflow.{params['read']}")(*models_files, params["models"])
    fields = model_fields(models)
    evidence = None
    if training_files:
        learned = params["models"]["from"]
        evidence = evidence_of(
            models,
            fields,
            read_graphs(files.training_edges[0], learned["on"]),
            read_trajectories(training_files[0], learned),
            tolerance=Tolerance(**learned["tolerance"]),
        )
    runs, by_degree, trust = [], [], []
    with TableWriter(paths["errors"], NEURAL_ODE_ERRORS, params) as writer:
        for index, truth in enumerate(params["truths"]):
            cell = {name: truth["on"][name] for name in ("N", "beta", "gamma")}
            graphs, nodes = tested_graphs(index)
            stored = snakemake.params.stored[index]
            true = (
                read_trajectories(next(truth_files), truth)
                if stored
                else list(simulate_as(truth, graphs))
            )
            rated: list[dict[str, Any]] = []
            watch = None
            if evidence:
                watch = rating(evidence, graphs, rated)
            elif isinstance(models, Fields) and models.raters:
                watch = rating_each(models, graphs, rated)
            errors, found = evaluate_models(
                models,
                field(params["system"], truth["parameters"]),
                graphs,
                nodes,
                true,
                tolerance=Tolerance(**truth["tolerance"]),
                fields=fields,
                watch=watch,
            )
            writer.write(errors.assign(**cell))
            runs.append(found.assign(**cell))
            by_degree.append(errors_by_degree(errors).assign(**cell))
            trust += [{**row, **cell} for row in rated]
    write_table(paths["runs"], pd.concat(runs), NEURAL_ODE_RUNS, params)
    write_table(paths["by_degree"], pd.concat(by_degree), ERRORS_BY_DEGREE, params)
    columns = list(NEURAL_ODE_TRUST.columns)
    write_table(paths["trust"], pd.DataFrame(trust, columns=columns), NEURAL_ODE_TRUST, params)


@cache
def tested_graphs(index: int) -> tuple[list[Graph], pd.DataFrame]:
    """The graphs of one test cell, the same for all systems, and what is known of their nodes."""
    on = next(iter(p.values()))["truths"][index]["on"]
    return read_graphs(files.edges[index], on), read_table(files.nodes[index], NODES, on)


with job(snakemake.log[0], snakemake.threads):
    for index, params in enumerate(p.values()):
        paths = {name: output[name][index] for name in SCHEMAS}
        if all(is_current(paths[name], SCHEMAS[name], params) for name in SCHEMAS):
            continue
        count = sum(snakemake.params.stored)
        test(
            params,
            files.models[index :: len(p)],
            iter(files.truth[index * count : (index + 1) * count]),
            files.training[index : index + 1],
            paths,
        )
