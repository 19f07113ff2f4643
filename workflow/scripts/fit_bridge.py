"""Canonicalize a zoo of neural ODEs, learn from it, and generate new ones."""

from typing import Any

from nodeflow.bridge.flow_file import write_node_flow
from nodeflow.bridge.frame import write_frame
from nodeflow.bridge.functional import FunctionSettings, write_functions
from nodeflow.bridge.generate import fit_and_sample
from nodeflow.bridge.members import read_zoos, write_members
from nodeflow.canonical.matching import MatchSettings
from nodeflow.flow.settings import FlowSettings, SampleSettings
from nodeflow.flow.training_schemas import FLOW_HISTORY
from nodeflow.job import choose_device, job
from nodeflow.settings.fields import merged
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    found = fit_and_sample(
        read_zoos(files.members, p["from"]),
        cells=[(beta, gamma) for beta, gamma in p["cells"]],
        unseen=[(beta, gamma) for beta, gamma in p["unseen"]],
        learned_graphs=p["learned_graphs"],
        matching=MatchSettings(**p["matching"]),
        functions=FunctionSettings(**p["functions"]),
        flow=FlowSettings(**merged(FlowSettings(), p["changes"])),
        samples=p["samples"],
        sampling=SampleSettings(**p["sampling"]),
        root_seed=p["seed"],
        label=p["nodes"],
        device=choose_device(p["device"]),
    )
    write_frame(output.frame, found.frame, made)
    write_members(output.aligned, found.aligned, {**made, "set": "aligned"})
    write_node_flow(output.flow, found.flow, made)
    write_table(output.history, found.history, FLOW_HISTORY, made)
    write_functions(output.functions, found.functions, made)
    write_members(output.samples, found.samples, {**made, "set": "samples"})
    write_members(output.weight_samples, found.weight_samples, {**made, "set": "weight samples"})
