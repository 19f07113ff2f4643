from .against_theory import degree_exceedance
from .connection import connection_table, effective_distance, probability_at
from .ensemble import Sampler, connect, sample_cell, sample_graph
from .files import (
    Directions,
    EdgeListProblem,
    directions,
    read_edge_list,
    read_network,
    read_nodes,
)
from .graph import Graph, GraphProblem, build_graph, from_matrix, from_networkx, to_networkx
from .measures import graph_table, node_table
from .networks import NULL_MODELS, network_table, with_nulls
from .normalize import NORMALIZATIONS, normalized_adjacency
from .nulls import erdos_renyi, rewire
from .real import REAL_NETWORKS, RealNetwork, real_network
from .s1 import ModelProblem
from .store import EDGES, GRAPHS, NETWORKS, NODES, read_graphs, write_coordinates, write_graphs
from .theory import Prediction, predict

__all__ = [
    "EDGES",
    "GRAPHS",
    "NETWORKS",
    "NODES",
    "NORMALIZATIONS",
    "NULL_MODELS",
    "REAL_NETWORKS",
    "Directions",
    "EdgeListProblem",
    "Graph",
    "GraphProblem",
    "ModelProblem",
    "Prediction",
    "RealNetwork",
    "Sampler",
    "build_graph",
    "connect",
    "connection_table",
    "degree_exceedance",
    "directions",
    "effective_distance",
    "erdos_renyi",
    "from_matrix",
    "from_networkx",
    "graph_table",
    "network_table",
    "node_table",
    "normalized_adjacency",
    "predict",
    "probability_at",
    "read_edge_list",
    "read_graphs",
    "read_network",
    "read_nodes",
    "real_network",
    "rewire",
    "sample_cell",
    "sample_graph",
    "to_networkx",
    "with_nulls",
    "write_coordinates",
    "write_graphs",
]
