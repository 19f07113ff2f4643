"""Gather Snakemake's benchmark files, also of jobs that someone asked for beside the figures."""

from pathlib import Path
from typing import Any

from nodeflow.job import job
from nodeflow.runtime import RUNTIME, read_benchmarks
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {"code": snakemake.params.code}
folder = Path(snakemake.log[0]).parents[2] / "benchmarks"

with job(snakemake.log[0], snakemake.threads):
    asked_for = sorted(path for rule in p["on_demand"] for path in (folder / rule).rglob("*.tsv"))
    write_table(output[0], read_benchmarks([*files, *asked_for]), RUNTIME, metadata)
