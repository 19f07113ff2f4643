"""Judge what priors were to reach."""

from typing import Any

from nodeflow.job import job
from nodeflow.priors.claims import judge_priors
from nodeflow.priors.schemas import (
    COLLECTED_ENSEMBLES,
    COLLECTED_FITS,
    COLLECTED_PANEL,
    COLLECTED_RUNS,
    PRIOR_CLAIMS,
)
from nodeflow.tables import read_table, write_table

snakemake: Any
p, files = snakemake.params.p, snakemake.input
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    claims = judge_priors(
        read_table(files.runs, COLLECTED_RUNS),
        read_table(files.fits, COLLECTED_FITS),
        read_table(files.ensembles, COLLECTED_ENSEMBLES),
        read_table(files.panel, COLLECTED_PANEL),
        **p,
    )
    write_table(snakemake.output[0], claims, PRIOR_CLAIMS, made)
