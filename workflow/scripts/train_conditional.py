"""Train one conditional flow on the training members of several zoos."""

from typing import Any

from nodeflow.flow.conditional import fit_conditional_flow
from nodeflow.flow.files import read_zoos
from nodeflow.flow.history import FLOW_HISTORY
from nodeflow.flow.settings import FlowSettings, settings_of
from nodeflow.flow.store import write_flow
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    settings = settings_of(p["method"], p["changes"], p["width"])
    assert isinstance(settings, FlowSettings)
    flow, history = fit_conditional_flow(
        read_zoos(files.members, dict(zip(p["zoos"], p["from"], strict=True)), p["members"]),
        build(**p["architecture"]).shapes,
        settings,
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        device=choose_device(p["device"]),
    )
    write_flow(output.flow, flow, made)
    write_table(output.history, history, FLOW_HISTORY, made)
