"""Train one flow on the training members of a zoo."""

from typing import Any

from nodeflow.datasets import load_dataset
from nodeflow.flow.fit import Origin, fit_any_flow
from nodeflow.flow.history import FLOW_HISTORY
from nodeflow.flow.settings import settings_of
from nodeflow.flow.store import write_flow
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.store import read_blocks
from nodeflow.zoo.train import TrainSettings

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    training, held_out = read_blocks(files.members, p["from"]).split(p["members"])
    flow, history = fit_any_flow(
        training,
        held_out,
        settings_of(p["method"], p["changes"], p["width"]),
        Origin(
            p["zoo"],
            load_dataset(p["data"], snakemake.params.folder),
            TrainSettings(**p["training"]),
        ),
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        device=choose_device(p["device"]),
    )
    write_flow(output.flow, flow, made)
    write_table(output.history, history, FLOW_HISTORY, made)
