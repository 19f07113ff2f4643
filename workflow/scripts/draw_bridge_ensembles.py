"""Draw: ensembles by degree, and their calibration."""

from typing import Any

from nodeflow.bridge.tables import COLLECTED
from nodeflow.figures.bridge import draw_bridge_ensembles
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_bridge_ensembles(read_table(files.degrees, COLLECTED["degrees"]))
    save(figure, output.png, output.pdf)
