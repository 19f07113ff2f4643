"""Draw networks from one conditional flow, for each label and guidance."""

from typing import Any

from nodeflow.flow.conditional import Condition
from nodeflow.flow.files import sample_conditions
from nodeflow.flow.sample import SampleSettings
from nodeflow.flow.store import read_flow
from nodeflow.job import choose_device, job

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    sample_conditions(
        output.samples,
        read_flow(files.flow, p["from"]),
        p["count"],
        SampleSettings(p["solver"], p["steps"]),
        [Condition(label, guidance) for label in p["labels"] for guidance in p["guidance"]],
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        made=made,
        device=choose_device(p["device"]),
    )
