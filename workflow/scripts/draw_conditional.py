"""Draw what conditional flows make, by label and guidance."""

from typing import Any

from nodeflow.figures.flow import draw_conditional
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_CONDITIONAL
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_conditional(read_table(files.conditional, COLLECTED_CONDITIONAL))
    save(figure, output.png, output.pdf)
