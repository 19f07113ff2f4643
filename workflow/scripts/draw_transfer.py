"""Draw how fast generated networks learn changed tasks."""

from typing import Any

from nodeflow.figures.flow import draw_transfer
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_TRANSFER
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_transfer(read_table(files.transfer, COLLECTED_TRANSFER))
    save(figure, output.png, output.pdf)
