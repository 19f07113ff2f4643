"""Train all neural ODEs of one system, variant and training cell as one stacked tensor."""

from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.store import read_graphs
from nodeflow.job import choose_device, job
from nodeflow.neural_ode.baselines import with_baselines
from nodeflow.neural_ode.settings import recipe_settings
from nodeflow.neural_ode.store import NEURAL_ODE_HISTORY, write_models, write_snapshots
from nodeflow.neural_ode.train import Checkpoints, train_models
from nodeflow.neural_ode.variants import varied
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    graphs = read_graphs(files.edges, p["from"]["on"])
    labels = (p["system"], p["trained_beta"], p["trained_gamma"])
    plain = read_trajectories(files.trajectories, p["from"])
    reach = read_trajectories(files.reach[0], p["reach"]) if files.reach else []
    trajectories = varied(p, graphs, plain, reach, labels)
    models, history = train_models(
        graphs,
        trajectories,
        recipe=p["recipe"],
        settings=p["settings"],
        seeds=p["seeds"],
        labels=labels,
        root_seed=p["seed"],
        device=choose_device(p["device"]),
        checkpoints=Checkpoints(output.models, made),
    )
    history = with_baselines(
        history,
        models,
        field(p["system"], p["from"]["parameters"]),
        graphs,
        trajectories,
        recipe_settings(p["recipe"], p["settings"]),
        tolerance=Tolerance(p["from"]["rtol"], p["from"]["atol"], p["from"]["max_steps"]),
    )
    write_models(output.models, models, made)
    if models.snapshots is not None:
        write_snapshots(output.snapshots, models.snapshots, made)
    write_table(output.history, history, NEURAL_ODE_HISTORY, made)
