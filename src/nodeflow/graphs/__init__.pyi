from .against_theory import degree_exceedance
from .checked import GraphProblem
from .edge_lines import EdgeListProblem
from .edge_list import read_edge_list
from .ensemble import Sampler, connect, sample_cell, sample_graph
from .files import Directions, directions, read_network, read_nodes
from .graph import Graph, build_graph, from_matrix, from_networkx, to_networkx
from .measures import graph_table, node_table
from .networks import NULL_MODELS, network_table, with_nulls
from .normalize import NORMALIZATIONS, normalized_adjacency
from .nulls import erdos_renyi, rewire
from .real import REAL_NETWORKS, RealNetwork, real_network
from .s1 import S1Problem
from .schemas import EDGES, GRAPHS, NETWORKS, NODES
from .store import read_graphs, write_coordinates, write_graphs
from .theory import S1Theory, s1_theory

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
    "RealNetwork",
    "S1Problem",
    "S1Theory",
    "Sampler",
    "build_graph",
    "connect",
    "degree_exceedance",
    "directions",
    "erdos_renyi",
    "from_matrix",
    "from_networkx",
    "graph_table",
    "network_table",
    "node_table",
    "normalized_adjacency",
    "read_edge_list",
    "read_graphs",
    "read_network",
    "read_nodes",
    "real_network",
    "rewire",
    "s1_theory",
    "sample_cell",
    "sample_graph",
    "to_networkx",
    "with_nulls",
    "write_coordinates",
    "write_graphs",
]
