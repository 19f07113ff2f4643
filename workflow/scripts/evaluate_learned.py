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
from nodeflow.grid import Cell
from nodeflow.job import job
from nodeflow.judge.error_schemas import ERRORS_BY_DEGREE
from nodeflow.judge.tested import CellTests, LearnedTests
from nodeflow.neural_ode.field import model_fields
from nodeflow.neural_ode.schemas import NEURAL_ODE_ERRORS, NEURAL_ODE_RUNS
from nodeflow.neural_ode.trust_table import NEURAL_ODE_TRUST
from nodeflow.neural_ode.trusted import evidence_of
from nodeflow.tables import TableWriter, is_current, read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

SCHEMAS = {
    "errors": NEURAL_ODE_ERRORS,
    "runs": NEURAL_ODE_RUNS,
    "by_degree": ERRORS_BY_DEGREE,
    "trust": NEURAL_ODE_TRUST,
}


def tests_of(
    params: Mapping[str, Any], models_files: Sequence[str], training_files: Sequence[str]
) -> LearnedTests:
    """The tests of the models of one system."""
    models = resolve_name(f"nodeflow.{params['read']}")(*models_files, params["models"])
    fields = model_fields(models)
    if not training_files:
        return LearnedTests(models, fields)
    learned = params["models"]["from"]
    graphs = read_graphs(files.training_edges[0], learned["on"])
    known = read_trajectories(training_files[0], learned)
    tolerance = Tolerance(**learned["tolerance"])
    evidence = evidence_of(models, fields, graphs, known, tolerance=tolerance)
    return LearnedTests(models, fields, evidence)


def tested(
    params: Mapping[str, Any], tests: LearnedTests, truth_files: Iterator[str]
) -> Iterator[CellTests]:
    """What they find on each test cell."""
    for index, truth in enumerate(params["truths"]):
        on = truth["on"]
        graphs, nodes = tested_graphs(index)
        stored = snakemake.params.stored[index]
        yield tests.on_cell(
            Cell(on["N"], on["beta"], on["gamma"]),
            field(params["system"], truth["parameters"]),
            graphs,
            nodes,
            read_trajectories(next(truth_files), truth)
            if stored
            else list(simulate_as(truth, graphs)),
            tolerance=Tolerance(**truth["tolerance"]),
        )


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
        truth_files = iter(files.truth[index * count : (index + 1) * count])
        tests = tests_of(params, files.models[index :: len(p)], files.training[index : index + 1])
        runs, by_degree, trust = [], [], []
        with TableWriter(paths["errors"], NEURAL_ODE_ERRORS, params) as writer:
            for cell in tested(params, tests, truth_files):
                writer.write(cell.errors)
                runs.append(cell.runs)
                by_degree.append(cell.by_degree)
                trust += cell.trust
        write_table(paths["runs"], pd.concat(runs), NEURAL_ODE_RUNS, params)
        write_table(paths["by_degree"], pd.concat(by_degree), ERRORS_BY_DEGREE, params)
        columns = list(NEURAL_ODE_TRUST.columns)
        rated = pd.DataFrame(trust, columns=columns)
        write_table(paths["trust"], rated, NEURAL_ODE_TRUST, params)
