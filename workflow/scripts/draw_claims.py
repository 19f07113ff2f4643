"""Draw the verdict on each claim of the paper."""

from typing import Any

from nodeflow.figures.experiments import draw_claims
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.claims import CLAIMS
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_claims(read_table(files.table, CLAIMS))
    save(figure, output.png, output.pdf)
