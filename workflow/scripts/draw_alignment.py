"""Draw distances and loss barriers before and after alignment."""

from typing import Any

from nodeflow.canonical.collected import COLLECTED_ALIGNMENT, COLLECTED_BARRIER
from nodeflow.figures.style import drawing, save
from nodeflow.figures.zoo import draw_alignment
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_alignment(
        read_table(files.alignment, COLLECTED_ALIGNMENT),
        read_table(files.barrier, COLLECTED_BARRIER),
    )
    save(figure, output.png, output.pdf)
