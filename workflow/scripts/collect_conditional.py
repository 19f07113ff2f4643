"""Gather the judgement of all conditional flows."""

from typing import Any

from nodeflow.flow.collected import FLOW
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_CONDITIONAL
from nodeflow.judge.store import CONDITIONAL
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    write_table(output[0], gather(files, CONDITIONAL, FLOW), COLLECTED_CONDITIONAL, made)
