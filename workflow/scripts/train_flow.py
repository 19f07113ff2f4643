"""Train one flow on the training members of a zoo."""

from typing import Any

from nodeflow.datasets import load_dataset
from nodeflow.flow.files import fit_from_files
from nodeflow.flow.fit import Origin
from nodeflow.flow.history import FLOW_HISTORY
from nodeflow.flow.settings import settings_of
from nodeflow.flow.store import write_flow
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.train import TrainSettings

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    flow, history = fit_from_files(
        files.members,
        p["members"],
        p["from"],
        settings_of(p["method"], p["changes"], p["width"]),
        Origin(
            p["zoo"],
            build(**p["architecture"]),
            load_dataset(p["data"], snakemake.params.folder),
            TrainSettings(**p["training"]),
        ),
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        device=choose_device(p["device"]),
    )
    write_flow(output.flow, flow, made)
    write_table(output.history, history, FLOW_HISTORY, made)
