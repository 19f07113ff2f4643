"""Judge generated networks and controls at the same distances from the zoo."""

from typing import Any

from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.matching import MatchSettings
from nodeflow.flow.samples import open_samples
from nodeflow.flow.zoos import open_zoos, origins
from nodeflow.job import choose_device, job
from nodeflow.judge.distances import judge_distances
from nodeflow.judge.gauge import closest_gauge
from nodeflow.judge.items import judged_items
from nodeflow.judge.schemas import DISTANCES
from nodeflow.judge.settings import DistanceSettings, PanelSettings
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
drawn, flow = p["from"], p["from"]["from"]

with job(snakemake.log[0], snakemake.threads):
    learned = origins(flow, snakemake.params.folders)
    (origin,) = learned
    (zoo,) = open_zoos(files.members, flow["from"], p["members"], learned).values()
    items = judged_items(origin, PanelSettings(**p["settings"]))
    assert items.x is not None and items.y is not None  # flows of zoos without data are refused
    table = judge_distances(
        origin.architecture,
        zoo.training,
        zoo.held_out or None,
        open_samples(files.samples, drawn),
        items.x,
        items.y,
        items.settings,
        DistanceSettings(**p["distances"]),
        root_seed=p["seed"],
        labels=(p["flow"], p["alignment"], p["capacity"]),
        align=closest_gauge(derive_symmetry(origin.architecture), MatchSettings(**p["matching"])),
        calibration=items.calibration,
        device=choose_device(p["device"]),
    )
    write_table(output[0], table, DISTANCES, {**p, "code": snakemake.params.code})
