"""Train all neural ODEs of one system, variant and training cell as one stacked tensor."""

from typing import Any

from nodeflow.dynamics.store import Trajectory, read_trajectories
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.store import read_graphs
from nodeflow.job import choose_device, job
from nodeflow.neural_ode.baselines import with_baselines
from nodeflow.neural_ode.settings import recipe_settings
from nodeflow.neural_ode.store import write_models, write_snapshots
from nodeflow.neural_ode.train import Checkpoints, train_models
from nodeflow.neural_ode.training_schemas import NEURAL_ODE_HISTORY
from nodeflow.neural_ode.variants import covering, highest_state, noisy
from nodeflow.seeds import Stream
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
metadata = {**p, "code": snakemake.params.code}


def observed() -> list[Trajectory]:
    """The training data of the variant."""
    plain = read_trajectories(files.trajectories, p["from"])
    stream = Stream(p["seed"], labels)
    if p["variant"] == "plain":
        return plain
    if p["variant"] != "covering":
        return noisy(plain, p["noise"], stream)
    reach = read_trajectories(files.reach[0], p["reach"])
    parameters = p["from"]["parameters"]
    high = highest_state(reach, files.reach[0])
    return covering(graphs, plain, p["system"], parameters, high, stream, tolerance)


with job(snakemake.log[0], snakemake.threads):
    graphs = read_graphs(files.edges, p["from"]["on"])
    labels = (p["system"], p["trained_beta"], p["trained_gamma"])
    tolerance = Tolerance(**p["from"]["tolerance"])
    trajectories = observed()
    models, history = train_models(
        graphs,
        trajectories,
        recipe=p["recipe"],
        settings=p["settings"],
        seeds=p["seeds"],
        labels=labels,
        root_seed=p["seed"],
        device=choose_device(p["device"]),
        checkpoints=Checkpoints(output.models, metadata),
    )
    history = with_baselines(
        history,
        models,
        field(p["system"], p["from"]["parameters"]),
        graphs,
        trajectories,
        recipe_settings(p["recipe"], p["settings"]),
        tolerance=tolerance,
    )
    write_models(output.models, models, metadata)
    if models.snapshots is not None:
        write_snapshots(output.snapshots, models.snapshots, metadata)
    write_table(output.history, history, NEURAL_ODE_HISTORY, metadata)
