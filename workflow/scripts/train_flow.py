"""Train one flow on the training members of a zoo."""

from typing import Any

from nodeflow.flow.settings import flow_settings
from nodeflow.flow.store import FLOW_HISTORY, write_flow
from nodeflow.flow.train import fit_flow
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.store import read_blocks

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    training, held_out = read_blocks(files.members, {"zoo": p["zoo"]}).split(p["members"])
    flow, history = fit_flow(
        training.parameters,
        training.shapes,
        flow_settings(p["method"], p["changes"]),
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        held_out=held_out.parameters if len(held_out) else None,
        device=choose_device(p["device"]),
    )
    write_flow(output.flow, flow, made)
    write_table(output.history, history, FLOW_HISTORY, made)
