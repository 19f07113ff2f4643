"""Gather the accuracy of flows by solver and steps."""

from typing import Any

from nodeflow.flow.collected import FLOW
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_SOLVERS
from nodeflow.judge.store import SOLVERS
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    write_table(output[0], gather(files, SOLVERS, FLOW), COLLECTED_SOLVERS, made)
