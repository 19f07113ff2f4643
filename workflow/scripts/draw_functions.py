"""Draw learned functions over the true ones."""

from typing import Any

from nodeflow.figures.experiments import draw_functions
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.node.collected import COLLECTED_FUNCTIONS
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_functions(read_table(files.table, COLLECTED_FUNCTIONS))
    save(figure, output.png, output.pdf)
