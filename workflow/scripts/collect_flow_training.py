"""Gather the training histories of all flows, and the spectra of what they learned from."""

from typing import Any

from nodeflow.flow.collected import COLLECTED_FLOW_HISTORY, FLOW
from nodeflow.flow.history import FLOW_HISTORY
from nodeflow.flow.spectra import FLOW_SPECTRA, read_spectra
from nodeflow.job import job
from nodeflow.tables import gather, write_table

snakemake: Any
files, output = snakemake.input, snakemake.output
made = {"code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    history = gather(files.history, FLOW_HISTORY, FLOW)
    write_table(output.history, history, COLLECTED_FLOW_HISTORY, made)
    write_table(output.spectra, read_spectra(files.flow), FLOW_SPECTRA, made)
