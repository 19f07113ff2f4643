"""Gather the tests of all generated neural ODEs, and answer the questions about them."""

from typing import Any

from nodeflow.bridge.questions import answer_questions
from nodeflow.bridge.tables import BRIDGE_QUESTIONS, COLLECTED, TABLES, ZOO_SYSTEM
from nodeflow.job import job
from nodeflow.tables import gather, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    all_of = {name: gather(files[name], schema, ZOO_SYSTEM) for name, schema in TABLES.items()}
    for name, table in all_of.items():
        write_table(output[name], table, COLLECTED[name], made)
    questions = answer_questions(all_of["runs"], all_of["ensembles"], p["seed"])
    write_table(output.questions, questions, BRIDGE_QUESTIONS, made)
