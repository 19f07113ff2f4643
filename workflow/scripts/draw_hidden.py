"""Draw the error against the share of unobserved nodes."""

from typing import Any

from nodeflow.figures.experiments import draw_hidden
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_HIDDEN
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_hidden(read_table(files.table, COLLECTED_HIDDEN))
    save(figure, output.png, output.pdf)
