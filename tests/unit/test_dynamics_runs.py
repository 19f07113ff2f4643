"""States, times and trajectories as users have them: used as they are meant, or one sentence."""

from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from nodeflow.dynamics.fixed_points import FixedPointProblem, find_fixed_points
from nodeflow.dynamics.given import by_node, numbers
from nodeflow.dynamics.integrate import IntegrationProblem, simulate, simulate_graphs
from nodeflow.dynamics.runs import TrajectoryProblem, runs_by_graph, runs_on_each
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import field
from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import from_networkx
from nodeflow.neural_ode.field import as_field
from nodeflow.neural_ode.layout import ModelProblem
from nodeflow.neural_ode.load import NeuralODE
from nodeflow.neural_ode.model import initial_parameters
from nodeflow.neural_ode.observations import check_observations, observed
from nodeflow.neural_ode.settings import (
    RECIPES,
    MatchingSettings,
    PaperSettings,
    RecipeProblem,
    recipe_settings,
)
from nodeflow.neural_ode.store import Models
from nodeflow.neural_ode.train import train_models
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator

NAMES = ["Ana", "Bo", "Cy", "Di"]
CLUB = nx.Graph([("Ana", "Bo"), ("Bo", "Cy"), ("Cy", "Di")])
GRAPH = from_networkx(CLUB)
SIS = field("SIS")
TIMES = np.linspace(0, 1, 9)
STATES: Any = simulate(SIS, GRAPH.adjacency(), [[0.1, 0.2, 0.3, 0.4]], TIMES).states[0]
RUN = Trajectory(0, 0, TIMES, STATES, "ok", "")


def with_state(value: float) -> Any:
    states = STATES.copy()
    states[3, 2] = value
    return states


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"states": with_state(np.nan)}, ["run 7 on graph 0", "node 'Cy'", "time 0.375", "nan"]),
        ({"states": with_state(np.inf)}, ["run 7", "node 'Cy'", "time 0.375", "inf"]),
        ({"states": np.ma.masked_values(with_state(-9), -9)}, ["node 'Cy'", "nan", "interpolate"]),
        ({"states": pd.DataFrame(with_state(0), columns=NAMES).replace(0.0, None)}, ["run 7"]),
        ({"states": STATES.T}, ["run 7", "axes are swapped", "states.T"]),
        ({"states": STATES[:, :3]}, ["states of 3 nodes", "the graph has 4", "subgraph"]),
        ({"states": STATES[:5]}, ["5 rows of states and 9 times"]),
        ({"states": STATES[None]}, ["shape (1, 9, 4)"]),
        ({"states": [["a"] * 4] * 9}, ["real numbers"]),
        ({"states": 1j * STATES}, ["real numbers"]),
        ({"states": [[0.1], [0.1, 0.2]]}, ["real numbers"]),
        ({"states": pd.DataFrame(STATES)}, ["lack node 'Ana'", "order of the nodes"]),
        ({"times": TIMES[::-1]}, ["run 7", "increasing", "0.875 follows 1"]),
        ({"times": np.r_[0, TIMES[:-1]]}, ["run 7", "0 follows 0", "repeats"]),
        ({"times": np.r_[TIMES[:-1], np.nan]}, ["number 8 is nan"]),
        ({"times": None}, ["run 7", "times"]),
        ({"times": pd.date_range("2020", periods=9)}, ["run 7", "dates"]),
        ({"graph": 1}, ["no such graph", "0 … 0"]),
        ({"graph": -1}, ["no such graph"]),
        ({"status": "good"}, ["'good'", '"ok"']),
    ],
)
def test_a_trajectory_that_does_not_fit_is_named_with_run_node_and_time(
    change: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(TrajectoryProblem) as problem:
        runs_by_graph([GRAPH], [RUN, replace(RUN, index=7, **change)])
    message = str(problem.value)
    assert message.startswith("trajectories[1] (run 7 on graph ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_good_trajectories_are_taken_as_they_are_in_any_type() -> None:
    by_row: Any = pd.Series(5 + TIMES, index=range(9, 0, -1))
    by_name: Any = pd.DataFrame(STATES, columns=NAMES)[["Di", "Bo", "Ana", "Cy"]]
    [[same, other, failed]] = runs_by_graph(
        [GRAPH],
        [
            RUN,
            replace(RUN, times=by_row, states=by_name),
            replace(RUN, states=np.full_like(STATES, np.nan), status="failed"),
        ],
    )
    assert same is RUN
    assert np.array_equal(other.states, STATES) and np.array_equal(other.times, 5 + TIMES)
    assert failed.status == "failed"
    [[whole]] = runs_by_graph([GRAPH], [replace(RUN, states=np.ones((9, 4), dtype=np.int32))])
    assert whole.states.dtype == np.float64


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_says_what_it_lacks(recipe: str) -> None:
    def train(graphs: Any = (GRAPH,), runs: Any = (RUN,), **more: Any) -> None:
        quick = {"steps": 1, "hidden": (4,)}
        train_models(
            graphs, runs, **{
                "recipe": recipe, "settings": quick, "seeds": 1, "labels": ("x",),
                "root_seed": 1, **more,
            },
        )  # fmt: skip

    fewest = recipe_settings(recipe, {}).fewest_times
    few = replace(RUN, times=TIMES[: fewest - 1], states=STATES[: fewest - 1])
    still = replace(RUN, states=np.full_like(STATES, 0.5))
    for change, words in (
        ({"runs": [few]}, f"on graph 0 have {fewest - 1} observation times.*at least {fewest}"),
        ({"runs": [still]}, "no state on graph 0 ever changes"),
        ({"runs": []}, "no trajectory on training graph 0"),
        ({"runs": [replace(RUN, status="failed")]}, "could be integrated"),
        ({"runs": RUN}, "brackets"),
        ({"runs": [STATES]}, r"trajectories\[0\] is ndarray"),
        ({"graphs": []}, "trajectories"),
        ({"graphs": [], "runs": []}, "nothing to train on"),
        ({"graphs": GRAPH}, r"\[graph\]"),
        ({"graphs": [CLUB]}, "from_networkx"),
        ({"seeds": 0}, "at least one seed"),
        ({"labels": "SIS"}, r'\("SIS",\)'),
    ):
        with pytest.raises(Problem, match=words) as problem:
            train(**change)
        assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"times": 2 * TIMES}, ["run 7", "9 times from 0 to 2", "run 0", "9 times from 0 to 1"]),
        ({"times": TIMES[:8], "states": STATES[:8]}, ["8 times", "run 0", "9 times"]),
    ],
)
def test_tests_need_the_same_times_in_all_runs_and_training_does_not(
    change: dict[str, Any], words: list[str]
) -> None:
    runs = [RUN, replace(RUN, index=7, **change)]
    with pytest.raises(TrajectoryProblem) as problem:
        runs_on_each([GRAPH], runs)
    assert all(word in str(problem.value) for word in words)
    [data] = observed([GRAPH], runs)
    assert [len(times) for times, _ in data.groups] == [9, len(runs[1].times)]
    with pytest.raises(RecipeProblem, match="different times, and this recipe needs the same"):
        check_observations([data], PaperSettings())
    check_observations([data], MatchingSettings())


def test_graphs_that_cannot_share_a_stack_are_refused() -> None:
    small = GRAPH.subgraph([0, 1, 2])
    other = replace(RUN, graph=1, states=STATES[:, :3])
    of_two_sizes = observed([GRAPH, small], [RUN, other])
    for recipe in ("matching", "paper"):
        with pytest.raises(RecipeProblem, match="graphs 0 and 1 have 4 and 3 nodes"):
            check_observations(of_two_sizes, RECIPES[recipe]())
    at_other_times = observed([GRAPH, GRAPH], [RUN, replace(RUN, graph=1, times=2 * TIMES)])
    with pytest.raises(RecipeProblem, match="on graph 1 have other times than those on graph 0"):
        check_observations(at_other_times, PaperSettings())
    check_observations(at_other_times, MatchingSettings())
    with pytest.raises(RecipeProblem, match=r"order is 7; it must be < 7, the window"):
        recipe_settings("matching", {"order": 7})


def test_names_decide_where_there_are_any() -> None:
    given = {"Bo": 2.0, "Di": 4.0, "Ana": 1.0, "Cy": 3.0}
    table = pd.DataFrame([given, given])
    for values in (given, pd.Series(given), table.iloc[0]):
        assert by_node(values, NAMES, "States", Problem).tolist() == [1, 2, 3, 4]
    for several in (table, [given, pd.Series(given)]):
        assert by_node(several, NAMES, "States", Problem).tolist() == [[1, 2, 3, 4]] * 2
    assert by_node([1, 2, 3, 4], NAMES, "States", Problem).tolist() == [1, 2, 3, 4]
    for wrong, words in (
        ({**given, "Eve": 5.0}, "'Eve', which is no node"),
        ({"Ana": 1.0}, "lack node 'Bo'"),
        (pd.Series([1.0, 2.0, 3.0, 4.0]), "lack node 'Ana'"),
        (pd.Series([*given.values(), 5.0], index=[*given, "Bo"]), "'Bo' twice"),
        ({**given, "Cy": "much"}, "real numbers"),
    ):
        with pytest.raises(Problem, match=words):
            by_node(wrong, NAMES, "States", Problem)
    assert numbers(np.ones(1, np.float32), "x", Problem).dtype == np.float32


def test_simulate_takes_matrices_of_all_kinds_and_says_what_is_wrong_with_others() -> None:
    a, start = GRAPH.adjacency(), STATES[:1]
    same: Any
    adjacency: Any
    initial: Any
    expected = simulate(SIS, a, start, TIMES).states
    table = pd.DataFrame(start)[[2, 0, 3, 1]]
    for same in (a.toarray(), sp.coo_array(a), sp.csr_matrix(a), a.astype(bool)):
        assert np.array_equal(simulate(SIS, same, start, TIMES).states, expected)
    assert np.array_equal(simulate(SIS, a, table, TIMES).states, expected)
    for adjacency, initial, times, words in (
        (CLUB, start, TIMES, "not a graph"),
        (GRAPH, start, TIMES, r"graph.adjacency\(\)"),
        (pd.DataFrame(a.toarray()), start, TIMES, "to_numpy"),
        (a.toarray() * np.nan, start, TIMES, "finite real"),
        (np.ones((3, 4)), start, TIMES, "square"),
        (a, start[0], TIMES, r"\(trajectories, 4\)"),
        (a, start[:, :3], TIMES, r"\(trajectories, 4\)"),
        (a, [[0.1, np.nan, 0.1, 0.1]], TIMES, "node 1 is nan in number 0"),
        (a, pd.DataFrame(start, columns=NAMES), TIMES, "lack node 0"),
        (a, [{0: 0.1, 1: 0.1}], TIMES, "lack node 2"),
        (a, start, [0, 1, 1], "1 follows 1"),
        (a, start, [1, 0], "0 follows 1"),
        (a, start, 3.0, "list of numbers"),
    ):
        with pytest.raises(IntegrationProblem, match=words):
            simulate(SIS, adjacency, initial, times)
    with pytest.raises(GraphProblem, match="brackets"):
        simulate_graphs(SIS, GRAPH, [start], TIMES)  # type: ignore[arg-type]


def test_fixed_points_take_the_same_and_name_a_bad_start() -> None:
    a: Any = GRAPH.adjacency()
    adjacency: Any
    starts: Any
    expected = find_fixed_points(SIS, a, STATES[-1:]).points[0].state
    table = pd.DataFrame(STATES[-1:])[[2, 0, 3, 1]]
    found = find_fixed_points(SIS, a.toarray(), table).points[0].state
    assert np.array_equal(found, expected)
    for adjacency, starts, words in (
        (a, [[0.1, np.inf, 0.1, 0.1]], "number 0 is inf at node 1"),
        (a, STATES[0], r"\(starts, nodes\)"),
        (CLUB, STATES[:1], "not a graph"),
        (a, [{"Ana": 0.1}], "lack node 0"),
    ):
        with pytest.raises(FixedPointProblem, match=words):
            find_fixed_points(SIS, adjacency, starts)


def model() -> NeuralODE:
    drawn = initial_parameters([torch_generator(1, "x")], widths=(1, 8, 1), scale=1.0)
    parameters = {name: x.numpy() for name, x in drawn.items()}
    one = np.ones(1)
    return NeuralODE(
        Models(parameters, about={"seen": np.array([[0.0, 1.0]]), "error": one}), 0, {}
    )


def test_predictions_do_not_depend_on_the_order_of_names() -> None:
    states = dict(zip(NAMES, STATES[0], strict=True))
    expected = model().predict(CLUB, STATES[0], TIMES)
    assert list(expected.columns) == NAMES
    backwards = pd.Series(states)[::-1]
    for initial in (states, pd.Series(states), backwards, dict(backwards)):
        pd.testing.assert_frame_equal(model().predict(CLUB, initial, TIMES), expected)
    turned: Any = nx.Graph()
    turned.add_nodes_from(reversed(NAMES))
    turned.add_edges_from(CLUB.edges())
    again = model().predict(turned, backwards, 3 + TIMES)
    np.testing.assert_allclose(again[NAMES].to_numpy(), expected.to_numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("initial", "words"),
    [
        ({"Ana": 0.1}, "lack node 'Bo'"),
        ({**dict.fromkeys(NAMES, 0.1), "Eve": 0.1}, "'Eve', which is no node"),
        (pd.Series([0.1] * 4), "lack node 'Ana'.*array without names"),
        ({**dict.fromkeys(NAMES, 0.1), "Cy": np.nan}, "node 'Cy' is nan"),
        ({**dict.fromkeys(NAMES, 0.1), "Cy": None}, "node 'Cy' is nan"),
        (["a"] * 4, "real numbers"),
        ([0.1] * 3, r"shape \(3,\).*4 nodes"),
        (0.1, "one number for each node"),
    ],
)
def test_bad_initial_states_of_predictions_are_named_by_node(initial: Any, words: str) -> None:
    with pytest.raises(ModelProblem, match=words):
        model().predict(CLUB, initial, TIMES)


def test_predictions_use_weights_and_refuse_halves_of_them_and_other_models() -> None:
    weighted = CLUB.copy()
    weighted["Ana"]["Bo"]["weight"] = 0.5
    with pytest.raises(GraphProblem, match="'Bo' and 'Cy' has no weight"):
        model().predict(weighted, [0.1] * 4, TIMES)
    weighted["Bo"]["Cy"]["weight"] = weighted["Cy"]["Di"]["weight"] = 2.0
    used = simulate(model().field, from_networkx(weighted).adjacency(), [[0.1] * 4], TIMES)
    found = model().predict(weighted, [0.1] * 4, TIMES)
    np.testing.assert_array_equal(found.to_numpy(), used.states[0])
    with pytest.raises(ModelProblem, match="models 0 … 0, not 1"):
        as_field(model().models.parameters, 1)
