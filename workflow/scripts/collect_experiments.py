"""Gather fixed points, unobserved nodes, noise and learned functions."""

from typing import Any

from nodeflow.job import job
from nodeflow.node.collected import (
    COLLECTED_FIXED_POINTS,
    COLLECTED_FUNCTIONS,
    COLLECTED_HIDDEN,
    COLLECTED_NOISE,
    MODELS,
    NOISY_MODELS,
)
from nodeflow.node.functions import NODE_FUNCTIONS
from nodeflow.node.store import NODE_FIXED_POINTS, NODE_HIDDEN, NODE_NOISE
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    for name, schema, identity, collected in (
        ("fixed_points", NODE_FIXED_POINTS, MODELS, COLLECTED_FIXED_POINTS),
        ("hidden", NODE_HIDDEN, MODELS, COLLECTED_HIDDEN),
        ("noise", NODE_NOISE, NOISY_MODELS, COLLECTED_NOISE),
        ("functions", NODE_FUNCTIONS, MODELS, COLLECTED_FUNCTIONS),
    ):
        table = gather(files[name], schema, identity)
        write_table(output[name], table, collected, made)
