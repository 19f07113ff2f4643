"""Draw the error of the neural ODEs over their training."""

from typing import Any

from nodeflow.figures.node import draw_error_over_training
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_OVER_TRAINING
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_error_over_training(read_table(files.table, COLLECTED_OVER_TRAINING))
    save(figure, output.png, output.pdf)
