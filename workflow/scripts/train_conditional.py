"""Train one conditional flow on the training members of several zoos."""

from typing import Any

from nodeflow.datasets import load_dataset
from nodeflow.flow.files import read_zoos
from nodeflow.flow.fit import Origin, fit_conditional
from nodeflow.flow.history import FLOW_HISTORY
from nodeflow.flow.settings import settings_of
from nodeflow.flow.store import write_flow
from nodeflow.job import choose_device, job
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build
from nodeflow.zoo.train import TrainSettings

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made, folders = {**p, "code": snakemake.params.code}, snakemake.params.folders

with job(snakemake.log[0], snakemake.threads):
    architecture = build(**p["architecture"])
    origins = {
        zoo: Origin(zoo, architecture, load_dataset(data, folders[zoo]), TrainSettings(**training))
        for zoo, data, training in zip(p["zoos"], p["tasks"], p["trainings"], strict=True)
    }
    flow, history = fit_conditional(
        read_zoos(files.members, dict(zip(p["zoos"], p["from"], strict=True)), p["members"]),
        settings_of(p["method"], p["changes"], p["width"]),
        origins,
        root_seed=p["seed"],
        labels=(p["flow"], p["weights"], p["width"]),
        device=choose_device(p["device"]),
    )
    write_flow(output.flow, flow, made)
    write_table(output.history, history, FLOW_HISTORY, made)
