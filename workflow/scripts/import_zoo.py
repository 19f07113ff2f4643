"""Read one block of a zoo that was trained elsewhere."""

import warnings
from typing import Any

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.notes import import_notes
from nodeflow.job import choose_device, job
from nodeflow.tables import replacing, write_table
from nodeflow.zoo.described import architecture_of, data_of
from nodeflow.zoo.files import checkpoint_files
from nodeflow.zoo.imports import RelatedWarning, import_checkpoints
from nodeflow.zoo.measured import member_metrics
from nodeflow.zoo.schemas import ZOO_IMPORT, ZOO_METRICS
from nodeflow.zoo.store import write_block

snakemake: Any
p, output = snakemake.params.p, snakemake.output
made, own = {**p, "code": snakemake.params.code}, p["checkpoints"]

with job(snakemake.log[0], snakemake.threads):
    architecture = architecture_of(p["architecture"])
    dataset = data_of({"own": p["architecture"]["data"]}, None, architecture)
    files = checkpoint_files(own["folder"], own["pattern"])[p["first"] : p["first"] + p["count"]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RelatedWarning)
        zoo = import_checkpoints(files, architecture, part=own["part"], first=p["first"])
    remarks = [str(x.message) for x in caught if x.category is RelatedWarning]
    dtypes = {name: str(dtype).removeprefix("torch.") for name, dtype in zoo.dtypes.items()}
    write_block(output.members, zoo.members, {**made, "dtypes": dtypes})
    write_table(output.report, zoo.report, ZOO_IMPORT, made)
    metrics = member_metrics(zoo, dataset, choose_device(p["device"]))
    write_table(output.metrics, metrics, ZOO_METRICS, made)
    with replacing(output.notes) as beside:
        beside.write_text(import_notes(zoo, derive_symmetry(architecture), dataset, remarks))
