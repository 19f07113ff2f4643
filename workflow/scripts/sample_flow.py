"""Draw networks from one flow."""

from typing import Any

from nodeflow.flow.files import sample_to_file
from nodeflow.flow.sample import SampleSettings
from nodeflow.flow.store import read_flow
from nodeflow.job import choose_device, job

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    sample_to_file(
        output.samples,
        read_flow(files.flow, p["from"]),
        p["count"],
        SampleSettings(p["solver"], p["steps"]),
        zoo=(files.members, p["from"]["members"]),
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        made=made,
        device=choose_device(p["device"]),
    )
