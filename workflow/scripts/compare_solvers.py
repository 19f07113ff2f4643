"""Sample one flow with several solvers and steps, and evaluate the networks."""

from typing import Any

from nodeflow.datasets import load_dataset
from nodeflow.flow.settings import SampleSettings
from nodeflow.flow.store import read_flow
from nodeflow.job import choose_device, job
from nodeflow.judge.schemas import SOLVERS
from nodeflow.judge.solvers import compare_solvers
from nodeflow.tables import write_table
from nodeflow.zoo.architectures import build

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    dataset = load_dataset(*p["datasets"], *snakemake.params.folders)
    table = compare_solvers(
        read_flow(files.flow, p["from"]),
        build(**p["architecture"]),
        [SampleSettings(**how) for how in p["settings"]["samplings"]],
        p["settings"]["count"],
        dataset.test_x,
        dataset.test_y,
        root_seed=p["seed"],
        labels=(p["flow"], p["alignment"], p["capacity"]),
        calibration=dataset.train_x[: p["calibration"]],
        device=choose_device(p["device"]),
    )
    write_table(output[0], table, SOLVERS, metadata)
