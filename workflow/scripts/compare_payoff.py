"""Compare what generated and trained networks cost."""

from typing import Any

from nodeflow.job import job
from nodeflow.judge.schemas import COLLECTED_SUMMARY
from nodeflow.payoff import PAYOFF, compare_payoff
from nodeflow.runtime import read_benchmarks
from nodeflow.tables import read_table, write_table
from nodeflow.zoo.schemas import COLLECTED_EPOCHS

snakemake: Any
p, files = snakemake.params.p, snakemake.input
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    table = compare_payoff(
        read_benchmarks(files.costs),
        p["made"],
        read_table(files.epochs, COLLECTED_EPOCHS),
        read_table(files.summary, COLLECTED_SUMMARY),
    )
    write_table(snakemake.output[0], table, PAYOFF, metadata)
