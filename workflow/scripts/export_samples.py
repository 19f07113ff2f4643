"""Write generated networks as checkpoints that the user's own module loads."""

from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.flow.samples import read_samples
from nodeflow.job import choose_device, job
from nodeflow.zoo.described import architecture_of, data_of
from nodeflow.zoo.exports import completed, saved_dtypes, write_checkpoints
from nodeflow.zoo.store import read_block

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    architecture = architecture_of(p["architecture"])
    (source,) = p["datasets"]
    dataset = data_of(source, None, architecture)
    samples = read_samples(files.samples, p["from"])
    networks, statistics = completed(
        architecture,
        samples.take(np.flatnonzero(samples.ok)),
        None if dataset is None else dataset.train_x[: p["calibration"]],
        read_block(files.members, p["block"]),
        choose_device(p["device"]),
    )
    write_checkpoints(
        Path(output[0]),
        architecture,
        networks,
        samples.seeds[samples.ok],
        saved_dtypes(files.read),
        {**made, "running_statistics": statistics},
    )
