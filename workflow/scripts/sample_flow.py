"""Draw networks from one flow."""

from typing import Any

from nodeflow.flow.sample import SampleSettings, sample
from nodeflow.flow.store import read_flow, write_samples
from nodeflow.job import choose_device, job

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    samples = sample(
        read_flow(files.flow, p["from"]),
        p["count"],
        SampleSettings(p["solver"], p["steps"]),
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        device=choose_device(p["device"]),
    )
    write_samples(output.samples, samples, made)
