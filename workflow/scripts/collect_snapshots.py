"""Gather the errors of all neural ODEs over their training."""

from typing import Any

from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_OVER_TRAINING, MODELS
from nodeflow.node.store import NODE_OVER_TRAINING
from nodeflow.tables import gather, write_table

snakemake: Any
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = gather(snakemake.input, NODE_OVER_TRAINING, MODELS)
    write_table(snakemake.output[0], table, COLLECTED_OVER_TRAINING, made)
