"""Gather the judgement of the samples of all flows."""

from typing import Any

from nodeflow.flow.collected import FLOW
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_PANEL, COLLECTED_SUMMARY
from nodeflow.judge.store import JUDGE_PANEL, JUDGE_SUMMARY
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    panel = gather(files.panel, JUDGE_PANEL, FLOW)
    write_table(output.panel, panel, COLLECTED_PANEL, made)
    summary = gather(files.summary, JUDGE_SUMMARY, FLOW)
    write_table(output.summary, summary, COLLECTED_SUMMARY, made)
