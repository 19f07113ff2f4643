"""Train one flow on the training members of a zoo, or of several."""

from typing import Any

from nodeflow.flow.fit import fit_flow
from nodeflow.flow.methods import settings_of
from nodeflow.flow.store import write_flow
from nodeflow.flow.training_schemas import FLOW_HISTORY
from nodeflow.flow.zoos import open_zoos, origins
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    flow, history = fit_flow(
        open_zoos(files.members, p["from"], p["members"], origins(p, snakemake.params.folders)),
        settings_of(p["method"], p["changes"], p["capacity"]),
        root_seed=p["seed"],
        labels=(p["flow"], p["alignment"], p["capacity"]),
        device=choose_device(p["device"]),
    )
    write_flow(output.flow, flow, made)
    write_table(output.history, history, FLOW_HISTORY, made)
