"""Gather the alignment and the loss barriers of all zoos."""

from typing import Any

from nodeflow.canonical.collected import COLLECTED_ALIGNMENT, COLLECTED_BARRIER, ZOO_WEIGHTS
from nodeflow.canonical.store import ALIGNMENT, BARRIER
from nodeflow.job import job
from nodeflow.tables import gather, write_table
from nodeflow.zoo.collected import ZOO

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    alignment = gather(files.alignment, ALIGNMENT, ZOO)
    write_table(output.alignment, alignment, COLLECTED_ALIGNMENT, made)
    barrier = gather(files.barrier, BARRIER, ZOO_WEIGHTS)
    write_table(output.barrier, barrier, COLLECTED_BARRIER, made)
