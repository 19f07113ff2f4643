"""Real networks and the user's files through the same registry as sampled graphs."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from nodeflow.figures import draw_networks
from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.networks import network_table, originals, with_nulls
from nodeflow.graphs.real import REAL_NETWORKS, real_network
from nodeflow.graphs.schemas import NETWORKS
from nodeflow.graphs.store import write_graphs
from nodeflow.grid import Cell
from nodeflow.tables import FileProblem


@pytest.mark.parametrize(
    ("name", "nodes", "edges"),
    [
        ("karate", 34, 78),
        ("les-miserables", 77, 254),
        ("florentine-families", 15, 20),
        ("southern-women", 32, 89),
    ],
)
def test_real_networks_have_their_published_size(name: str, nodes: int, edges: int) -> None:
    graph = real_network(name)
    assert (graph.n, len(graph.edges)) == (nodes, edges)


def test_all_real_networks_are_sourced() -> None:
    assert all(network.about and network.source for network in REAL_NETWORKS.values())
    with pytest.raises(GraphProblem, match="karate"):
        real_network("facebook")


def test_a_network_comes_with_its_nulls() -> None:
    (karate,) = originals("real", "karate")
    graphs, variants = with_nulls(
        [karate], ["configuration", "erdos_renyi"], 3, name="karate", root_seed=1
    )
    assert variants == ["original"] + ["configuration"] * 3 + ["erdos_renyi"] * 3
    for graph in graphs[1:4]:
        np.testing.assert_array_equal(graph.degrees, karate.degrees)
    assert all(len(graph.edges) == 78 for graph in graphs)
    assert len({graph.edges.tobytes() for graph in graphs}) == 7
    table = network_table(graphs, variants)
    assert list(table.columns) == list(NETWORKS.columns)
    expected = nx.average_clustering(nx.karate_club_graph(), count_zeros=True)
    # One node of the club has a single neighbour; its clustering is undefined, not 0.
    assert table["clustering"][0] == pytest.approx(expected * 34 / 33)


def test_null_graphs_do_not_depend_on_how_many_there_are() -> None:
    graphs = sample_cell(Cell(64, 1.1, 2.7), mean_degree=8, role="t", graphs=2, root_seed=1)
    few, _ = with_nulls(graphs, ["configuration"], 3, name="a", root_seed=1)
    many, _ = with_nulls(graphs, ["configuration"], 5, name="a", root_seed=1)
    for one, other in zip(few, many, strict=False):
        np.testing.assert_array_equal(one.edges, other.edges)
    np.testing.assert_array_equal(many[3].degrees, graphs[1].degrees)
    named, _ = with_nulls(graphs, ["configuration"], 1, name="b", root_seed=1)
    assert not np.array_equal(named[2].edges, few[2].edges)


def test_files_and_cells_are_sources(tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("0 1\n1 2\n")
    assert originals("file", str(tmp_path / "e.txt"))[0].n == 3
    graphs = sample_cell(Cell(64, 1.1, 2.7), mean_degree=8, role="t", graphs=2, root_seed=1)
    path = tmp_path / "edges.parquet"
    write_graphs(path, graphs, {"N": 64})
    assert len(originals("cell", str(path), {"N": 64})) == 2
    with pytest.raises(FileProblem, match="N = 128"):
        originals("cell", str(path), {"N": 128})


def test_the_figure_shows_every_network() -> None:
    (karate,) = originals("real", "karate")
    table = network_table(*with_nulls([karate], ["configuration"], 4, name="k", root_seed=1))
    figure = draw_networks(table.assign(network="karate"))
    assert len(figure.axes) == 4
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["karate (34)"]
