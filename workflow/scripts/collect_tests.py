"""Gather the errors of all neural ODEs, as a whole and by degree."""

from typing import Any

from nodeflow.job import job
from nodeflow.judge.degree import COLLECTED_ERRORS, collect_errors_by_degree
from nodeflow.node.collected import COLLECTED_TESTS, TESTS
from nodeflow.node.store import NODE_RUNS
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    runs = gather(files.runs, NODE_RUNS, TESTS)
    write_table(output.runs, runs, COLLECTED_TESTS, made)
    by_degree = collect_errors_by_degree(files.errors)
    write_table(output.by_degree, by_degree, COLLECTED_ERRORS, made)
