"""Answer the questions about generated neural ODEs."""

from typing import Any

from nodeflow.bridge.questions import answer_questions
from nodeflow.bridge.tables import BRIDGE_QUESTIONS, COLLECTED_ENSEMBLES, COLLECTED_RUNS
from nodeflow.job import job
from nodeflow.tables import read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    runs = read_table(files.runs, COLLECTED_RUNS)
    ensembles = read_table(files.ensembles, COLLECTED_ENSEMBLES)
    questions = answer_questions(runs, ensembles, p["seed"])
    write_table(output[0], questions, BRIDGE_QUESTIONS, metadata)
