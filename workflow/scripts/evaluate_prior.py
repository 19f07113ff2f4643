"""Test what priors make of the test systems of a family, or of strangers."""

from typing import Any

import pandas as pd

from nodeflow.canonical.matching import MatchSettings
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.flow.settings import FlowSettings, SampleSettings
from nodeflow.graphs.schemas import NODES
from nodeflow.graphs.store import read_graphs
from nodeflow.grid import Cell
from nodeflow.job import job
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.priors.evaluate import Asked, Evaluation
from nodeflow.priors.families import Family, Observing
from nodeflow.priors.files import load_prior
from nodeflow.priors.knowledge import Knowledge
from nodeflow.priors.panel import judge_novelty
from nodeflow.priors.schemas import PRIOR_TABLES
from nodeflow.priors.trials import Case, strangers, trials
from nodeflow.priors.zoo import read_zoo
from nodeflow.settings.fields import merged
from nodeflow.tables import read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    families = {name: Family.of(name, ranges) for name, ranges in p["ranges"].items()}
    learned = {x["family"]: x for x in p["from"]}
    priors = {
        name: load_prior(path, learned[name])
        for name, path in zip(learned, files.priors, strict=True)
    }
    first = next(iter(learned.values()))["from"]
    observing, settings = Observing.of(first["observing"]), GaussNewtonSettings(**first["training"])
    tolerance = Tolerance(**p["tolerance"])
    cases = []
    for path, nodes, on in zip(files.edges, files.nodes, p["on"], strict=True):
        sampled = {name: x for name, x in on.items() if name != "measures"}
        graphs = read_graphs(path, sampled)[: p["graphs"]]
        known = read_table(nodes, NODES, on)
        cell = Cell(on["N"], on["beta"], on["gamma"])
        cases.append(Case(cell, graphs, known[known["graph"] < len(graphs)]))
    [detail] = [x for x in cases if [x.cell.N, x.cell.gamma] == p["detail"]]
    name, knowledge = p["family"], None
    if name in learned:
        zoo = read_zoo(files.zoos[list(learned).index(name)], learned[name]["from"])
        flow = FlowSettings(**merged(FlowSettings(), p["flow"]))
        knowledge = Knowledge(
            families[name], priors[name], zoo, MatchSettings(**p["matching"]), flow,
            SampleSettings(**p["sampling"]), p["seed"],
        )  # fmt: skip
        tested = trials(name, families[name], p["counts"], observing, tolerance, p["seed"])
    else:
        count = p["counts"]["stranger"]
        tested = strangers(name, p["terms"], families, count, observing, tolerance, p["seed"])
    evaluation = Evaluation(
        families, priors, knowledge, cases, detail, Asked.of(p["asked"]), settings
    )
    tables = evaluation.tables(list(tested))
    if knowledge is not None:
        tables["panel"] = judge_novelty(
            knowledge, evaluation.networks, detail.graphs[0], p["noise_matched"], p["seed"]
        )
    for table, schema in PRIOR_TABLES.items():
        rows = pd.DataFrame(tables.get(table, []), columns=list(schema.columns))
        write_table(output[table], rows, schema, made)
