"""Take a network, draw its null models, and measure all of them."""

from typing import Any

from nodeflow.graphs.measures import node_table
from nodeflow.graphs.networks import network_table, originals, with_nulls
from nodeflow.graphs.schemas import NETWORKS, NODES
from nodeflow.graphs.store import write_graphs
from nodeflow.job import job
from nodeflow.tables import write_table

snakemake: Any
p, output = snakemake.params.p, snakemake.output
metadata = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    source = snakemake.input[0] if snakemake.input else p["network"]
    nulls = p["nulls"]
    graphs, variants = with_nulls(
        originals(p["kind"], source, p["from"]),
        nulls["models"],
        nulls["graphs"],
        name=p["network"],
        root_seed=p["seed"],
    )
    write_graphs(output.edges, graphs, metadata)
    write_table(output.nodes, node_table(graphs), NODES, metadata)
    write_table(output.summary, network_table(graphs, variants), NETWORKS, metadata)
