"""Gather the errors of all neural ODEs, as a whole and by degree."""

from typing import Any

from nodeflow.job import job
from nodeflow.judge.degree import COLLECTED_ERRORS, ERRORS_BY_DEGREE
from nodeflow.node.collected import COLLECTED_TESTS, MODELS
from nodeflow.node.store import NODE_RUNS
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    runs = gather(files.runs, NODE_RUNS, MODELS)
    write_table(output.runs, runs, COLLECTED_TESTS, made)
    by_degree = gather(files.by_degree, ERRORS_BY_DEGREE, MODELS)
    write_table(output.by_degree, by_degree, COLLECTED_ERRORS, made)
