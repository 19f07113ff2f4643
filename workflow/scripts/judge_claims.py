"""Judge each claim of the paper by a statistic with its interval."""

from typing import Any

from nodeflow.job import job
from nodeflow.judge.claims import judge_claims
from nodeflow.judge.error_schemas import AREAS
from nodeflow.judge.schemas import CLAIMS
from nodeflow.neural_ode.collected import (
    COLLECTED_FIXED_POINTS,
    COLLECTED_HIDDEN,
    COLLECTED_NOISE,
    COLLECTED_TESTS,
)
from nodeflow.neural_ode.trust_table import COLLECTED_TRUST
from nodeflow.tables import read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    claims = judge_claims(
        read_table(files.tests, COLLECTED_TESTS),
        read_table(files.fixed_points, COLLECTED_FIXED_POINTS),
        read_table(files.hidden, COLLECTED_HIDDEN),
        read_table(files.noise, COLLECTED_NOISE),
        read_table(files.areas, AREAS),
        read_table(files.trust, COLLECTED_TRUST),
        **p,
    )
    write_table(output[0], claims, CLAIMS, metadata)
