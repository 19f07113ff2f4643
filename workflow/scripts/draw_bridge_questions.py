"""Draw: answers to the questions about generated neural ODEs."""

from typing import Any

from nodeflow.bridge.tables import BRIDGE_QUESTIONS
from nodeflow.figures.bridge import draw_bridge_questions
from nodeflow.figures.style import drawing, save
from nodeflow.job import job
from nodeflow.tables import read_table

snakemake: Any
files, output = snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads), drawing():
    figure = draw_bridge_questions(read_table(files.questions, BRIDGE_QUESTIONS))
    save(figure, output.png, output.pdf)
