"""Draw: error against novelty of generated neural ODEs."""

from typing import Any

from nodeflow.bridge.tables import COLLECTED
from nodeflow.figures.bridge import draw_bridge_novelty
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_bridge_novelty(read_table(files.panel, COLLECTED["panel"]))
    save(figure, output.png, output.pdf)
