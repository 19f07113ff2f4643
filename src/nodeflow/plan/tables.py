"""The tables of a run, `results/tables/NAME.parquet`: what each gathers, and its schema.

A new table that gathers one of every job is a schema and an entry here. Entries without parts are
made by a rule of their own. Schemas and functions are named, not imported: Snakemake reads this
while it parses, and must not wait for pandas.
"""

from __future__ import annotations

from collections.abc import Iterator

from nodeflow.plan import paths
from nodeflow.plan.paths import narrow
from nodeflow.plan.table import Table

__all__ = ["TABLES", "collections", "table"]

TABLES: tuple[Table, ...] = (
    Table("graphs", "graphs.schemas:COLLECTED_GRAPHS", paths.SUMMARY, "graphs.tests"),
    Table("graphs_degrees", "graphs.schemas:COLLECTED_DEGREES"),
    Table("graphs_clustering", "graphs.schemas:COLLECTED_CLUSTERING"),
    Table("networks", "graphs.schemas:COLLECTED_NETWORKS", paths.NETWORK_SUMMARY, "networks.all"),
    Table("activity_over_time", "dynamics.schemas:COLLECTED_ACTIVITY", facts={"every_time": True}),
    Table("activity_at_end", "dynamics.schemas:COLLECTED_ACTIVITY", facts={"every_time": False}),
    Table(
        "neural_ode_training",
        "neural_ode.collected:COLLECTED_TRAINING",
        paths.HISTORY,
        "neural_ode.trainings",
        job="training",
    ),
    Table(
        "neural_ode_tests",
        "neural_ode.collected:COLLECTED_TESTS",
        paths.RUNS,
        "evaluated.tests",
        job="tests",
        read="neural_ode.collected:read_tests",
    ),
    Table(
        "neural_ode_errors_by_degree",
        "judge.error_schemas:COLLECTED_ERRORS",
        paths.BY_DEGREE,
        "evaluated.tests",
        job="tests",
    ),
    Table(
        "neural_ode_trust",
        "neural_ode.trust_table:COLLECTED_TRUST",
        paths.TRUST,
        "evaluated.ensembles",
        job="tests",
    ),
    Table(
        "neural_ode_over_training",
        "neural_ode.collected:COLLECTED_OVER_TRAINING",
        paths.OVER_TRAINING,
        "experiments.snapshots",
        job="snapshots",
    ),
    Table(
        "neural_ode_rewired",
        "neural_ode.collected:COLLECTED_REWIRED",
        paths.REWIRED,
        "rewired.all",
    ),
    Table(
        "neural_ode_fixed_points",
        "neural_ode.collected:COLLECTED_FIXED_POINTS",
        paths.FIXED_POINTS,
        "evaluated.details",
        job="experiments",
        read="neural_ode.collected:read_fixed_points",
    ),
    Table(
        "neural_ode_hidden",
        "neural_ode.collected:COLLECTED_HIDDEN",
        paths.HIDDEN,
        "evaluated.details",
        job="experiments",
        read="neural_ode.collected:read_hidden",
    ),
    Table(
        "neural_ode_noise",
        "neural_ode.collected:COLLECTED_NOISE",
        paths.NOISE,
        "evaluated.noise",
        job="experiments",
        read="neural_ode.collected:read_noise",
    ),
    Table(
        "neural_ode_functions",
        "neural_ode.collected:COLLECTED_FUNCTIONS",
        paths.FUNCTIONS,
        "evaluated.details",
        job="experiments",
    ),
    Table("laws", "laws.collected:COLLECTED_LAWS", paths.LAW_TABLE, "laws.all"),
    Table("neural_ode_warning", "judge.error_schemas:CURVES"),
    Table("neural_ode_warning_areas", "judge.error_schemas:AREAS"),
    Table("claims", "judge.schemas:CLAIMS"),
    Table(
        "zoo_members",
        "zoo.schemas:COLLECTED_MEMBERS",
        paths.METRICS,
        "canonical.members",
        job="members",
    ),
    Table("zoo_epochs", "zoo.schemas:COLLECTED_EPOCHS", paths.EPOCHS, "costs.zoos"),
    Table("zoo_checkpoints", "zoo.schemas:COLLECTED_IMPORTS", paths.IMPORT, "zoos.imported"),
    Table(
        "zoo_alignment",
        "canonical.schemas:COLLECTED_ALIGNMENT",
        paths.ALIGNMENT,
        "canonical.members",
        job="alignment",
    ),
    Table(
        "zoo_barrier",
        "canonical.schemas:COLLECTED_BARRIER",
        paths.BARRIER,
        "canonical.measured",
        job="alignment",
    ),
    Table(
        "flow_training",
        "flow.schemas:COLLECTED_FLOW_HISTORY",
        paths.FLOW_HISTORY,
        "flows.all",
        job="flow_training",
    ),
    Table(
        "flow_spectra",
        "flow.schemas:FLOW_SPECTRA",
        paths.FLOW_WEIGHTS,
        "flows.all",
        job="flow_training",
        read="flow.spectra:read_spectra",
    ),
    Table(
        "flow_panel",
        "judge.schemas:COLLECTED_PANEL",
        paths.FLOW_PANEL,
        "flows.all",
        job="judgements",
    ),
    Table(
        "flow_summary",
        "judge.schemas:COLLECTED_SUMMARY",
        paths.FLOW_SUMMARY,
        "flows.all",
        job="judgements",
    ),
    Table(
        "flow_distances",
        "judge.schemas:COLLECTED_DISTANCES",
        paths.DISTANCES,
        "flows.distances",
        job="distances",
    ),
    Table("transfer", "judge.schemas:COLLECTED_TRANSFER", paths.TRANSFER, "transfers.all"),
    Table(
        "flow_solvers",
        "judge.schemas:COLLECTED_SOLVERS",
        paths.SOLVERS,
        "flows.solvers",
        job="solvers",
    ),
    Table(
        "conditional",
        "judge.schemas:COLLECTED_CONDITIONAL",
        paths.FLOW_PANEL,
        "flows.conditional",
        job="conditional",
    ),
    Table(
        "conditional_summary",
        "judge.schemas:COLLECTED_CONDITIONAL_SUMMARY",
        paths.FLOW_SUMMARY,
        "flows.conditional",
        job="conditional",
    ),
    *(
        Table(
            f"prior_{name}",
            f"priors.schemas:COLLECTED_{name.upper()}",
            narrow(paths.PRIOR_TABLE, table=name),
            "priors.all",
            job="priors",
        )
        for name in (
            "runs",
            "fits",
            "fixed_points",
            "hidden",
            "ensembles",
            "functions",
            "panel",
        )
    ),
    Table("prior_claims", "priors.schemas:PRIOR_CLAIMS", rows="priors.all"),
    *(
        Table(
            f"own_{name}",
            f"data.tables:{schema}",
            narrow(paths.OWN_TABLE, table=name),
            "own.all",
            each=True,
        )
        for name, schema in (
            ("series", "OBSERVATIONS"),
            ("nodes", "NODES"),
            ("measures", "MEASURES"),
            ("notes", "NOTES"),
            ("forecasts", "FORECASTS"),
            ("errors", "ERRORS"),
            ("functions", "FUNCTIONS"),
            ("told", "NOTES"),
        )
    ),
    Table("runtime", "runtime:RUNTIME", costs=True),
    Table("resources", "resources:RESOURCES", costs=True),
    Table("payoff", "payoff:PAYOFF", rows="costs.zoos", costs=True),
)
"""All tables."""

_BY_NAME = {x.name: x for x in TABLES}


def table(name: str) -> Table:
    """The table of a name.

    Raises:
        KeyError: there is none.
    """
    return _BY_NAME[name]


def collections() -> Iterator[tuple[str, list[Table]]]:
    """The jobs that gather tables: name of the job, and its tables."""
    gathered = [x for x in TABLES if x.parts and not x.each]
    for job in dict.fromkeys(x.job or x.name for x in gathered):
        yield job, [x for x in gathered if (x.job or x.name) == job]
