"""Draw accuracy of generated networks against evaluations of the flow."""

from typing import Any

from nodeflow.figures.flow import draw_solvers
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.collected import COLLECTED_SOLVERS
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_solvers(read_table(files.solvers, COLLECTED_SOLVERS))
    save(figure, output.png, output.pdf)
