"""Draw the degree distribution of the test graphs against theory."""

from typing import Any

from nodeflow.figures.graphs import draw_degrees
from nodeflow.figures.style import drawing, save
from nodeflow.graphs.against_theory import COLLECTED_DEGREES
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    save(draw_degrees(read_table(files.degrees, COLLECTED_DEGREES)), output.png, output.pdf)
