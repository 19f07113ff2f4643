"""Draw networks from one flow; of one over several zoos, for each label and guidance."""

from typing import Any

from nodeflow.flow.files import sample_to_file
from nodeflow.flow.method import Condition
from nodeflow.flow.settings import SampleSettings
from nodeflow.flow.store import read_flow
from nodeflow.job import choose_device, job
from nodeflow.zoo.store import open_blocks

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata, flow = {**p, "code": snakemake.params.code}, p["from"]

with job(snakemake.log[0], snakemake.threads):
    # Only of a flow that streams its zoo.
    zoo = open_blocks(files.members, flow["from"][0]) if files.members else None
    sample_to_file(
        output.samples,
        read_flow(files.flow, flow),
        p["count"],
        SampleSettings(p["solver"], p["steps"]),
        root_seed=p["seed"],
        labels=(p["flow"], p["alignment"], p["capacity"]),
        made=metadata,
        conditions=[Condition(x, w) for x in p["labels"] for w in p["guidance"]] or [None],
        members=zoo and zoo.split(flow["members"][0])[0],
        device=choose_device(p["device"]),
    )
