"""Download a data set and check it."""

from pathlib import Path
from typing import Any

from nodeflow.datasets import download, read_sources
from nodeflow.job import job

snakemake: Any
p, output = snakemake.params.p, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    download(read_sources(p["sources"]), p["files"], Path(output[0]).parent, metadata)
