"""Gather the judgement of all conditional flows."""

from typing import Any

from nodeflow.flow.collected import FLOW
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_CONDITIONAL, COLLECTED_CONDITIONAL_SUMMARY
from nodeflow.judge.store import CONDITIONAL, CONDITIONAL_SUMMARY
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    judgement = gather(files.judgement, CONDITIONAL, FLOW)
    write_table(output.judgement, judgement, COLLECTED_CONDITIONAL, made)
    summary = gather(files.summary, CONDITIONAL_SUMMARY, FLOW)
    write_table(output.summary, summary, COLLECTED_CONDITIONAL_SUMMARY, made)
