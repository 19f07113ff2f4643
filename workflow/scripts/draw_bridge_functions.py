"""Draw: learned functions over the true ones."""

from typing import Any

from nodeflow.bridge.tables import COLLECTED
from nodeflow.figures.bridge import draw_bridge_functions
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_bridge_functions(read_table(files.functions, COLLECTED["functions"]))
    save(figure, output.png, output.pdf)
