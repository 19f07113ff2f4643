"""Predict from noisy initial states, for every system for which that has not been done."""

from pkgutil import resolve_name
from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.neural_ode.hidden import perturb_initial_states
from nodeflow.neural_ode.schemas import NEURAL_ODE_NOISE
from nodeflow.seeds import numpy_generator
from nodeflow.tables import is_current, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    graphs: list[Graph] = []
    each = zip(p.items(), files.truth, output, strict=True)
    for index, ((system, params), known, path) in enumerate(each):
        if is_current(path, NEURAL_ODE_NOISE, params):
            continue
        truth = params["truth"]
        graphs = graphs or read_graphs(files.edges, truth["on"])
        table = perturb_initial_states(
            resolve_name(f"nodeflow.{params['read']}")(
                *files.models[index :: len(p)], params["models"]
            ),
            field(system, truth["parameters"]),
            graphs,
            read_trajectories(known, truth),
            params["test_noise"],
            [numpy_generator(params["seed"], "test noise", system, k) for k in range(len(graphs))],
            domain=SYSTEMS[system].domain,
            tolerance=Tolerance(**truth["tolerance"]),
        )
        write_table(path, table, NEURAL_ODE_NOISE, params)
