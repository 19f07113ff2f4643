"""Draw how well an ensemble's spread warns of errors."""

from typing import Any

from nodeflow.figures.experiments import draw_warning
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.judge.warning import AREAS, CURVES
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_warning(read_table(files.curves, CURVES), read_table(files.areas, AREAS))
    save(figure, output.png, output.pdf)
