"""Draw the training loss of the neural ODEs."""

from typing import Any

from nodeflow.figures.node import draw_training
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_TRAINING
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_training(read_table(files.history, COLLECTED_TRAINING))
    save(figure, output.png, output.pdf)
