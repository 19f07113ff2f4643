"""Draw the activity at the last time against degree."""

from typing import Any

from nodeflow.dynamics.collected import COLLECTED_ACTIVITY
from nodeflow.figures.dynamics import draw_activity
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    activity = read_table(files.activity, COLLECTED_ACTIVITY, {"every_time": False})
    figure = draw_activity(activity[activity["beta"] == p["beta"]])
    save(figure, output.png, output.pdf)
