"""Draw the activity over time by degree."""

from typing import Any

from nodeflow.dynamics.collected import COLLECTED_ACTIVITY
from nodeflow.figures.dynamics import draw_trajectories
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    activity = read_table(files.activity, COLLECTED_ACTIVITY, {"every_time": True})
    save(draw_trajectories(activity), output.png, output.pdf)
