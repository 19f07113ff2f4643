"""Laws as files, in the tests of neural ODEs, in tables, claims and on the page of own data."""

import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from nodeflow.config import ConfigProblem, read_config
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.figures.own_page import _law as told
from nodeflow.graphs.graph import Graph, from_networkx
from nodeflow.graphs.measures import node_table
from nodeflow.laws import Form, Law, LawProblem, Term, read_law
from nodeflow.laws.each import discover_each, less
from nodeflow.laws.store import LAWS, Laws, read_laws, write_laws
from nodeflow.laws.table import law_table
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.functions import compare_functions
from nodeflow.neural_ode.hidden import hide_nodes, perturb_initial_states
from nodeflow.neural_ode.learned import Fields
from nodeflow.neural_ode.stability import compare_fixed_points
from nodeflow.neural_ode.variants import noisy
from nodeflow.parts import outdated
from nodeflow.plan import Plan, fill, paths
from nodeflow.seeds import Stream
from nodeflow.tables import FileProblem, is_current
from tests.unit.test_config import DEFAULT, ROOT, changed

X, ONE = Term("power", (1.0,)), Term("one")
SIS = Form((X,), (X, ONE), (X,))
TOLERANCE = Tolerance(1e-8, 1e-8, 20_000)


def law(*values: float, **facts: Any) -> Law:
    """A law of the form of SIS."""
    about = {"weight": 0.99, "check": 1.0, **facts}
    return Law(SIS, np.array(values), np.diag([0.01] * 3) ** 2, 1e-3, (0.0, 0.5), **about)


TRUE = law(-1.0, -1.2, 1.2)


@cache
def graph(seed: int) -> Graph:
    return from_networkx(nx.barabasi_albert_graph(60, 4, seed=seed))


@cache
def observed(on: int, index: int = 0, times: int = 33, until: float = 1.0) -> Trajectory:
    """A trajectory of SIS on `graph(on)`, as the one of graph 0."""
    start = np.random.default_rng([on, index]).uniform(0, 0.5, (1, 60))
    when = np.linspace(0, until, times)
    found = simulate(field("SIS"), graph(on).adjacency(), start, when, rtol=1e-9, atol=1e-9)
    return Trajectory(0, index, when, found.states[0], "ok", "")


def on_both() -> tuple[list[Graph], list[Trajectory]]:
    return [graph(1), graph(2)], [observed(1), replace(observed(2), graph=1)]


# --- files ----------------------------------------------------------------------------------------


def test_laws_come_back_from_their_file_with_what_was_not_found(tmp_path: Path) -> None:
    path, made = tmp_path / "a" / "laws.json", {"system": "SIS", "code": "a"}
    laws = Laws((replace(TRUE, alternatives=(law(-1.0, 0.1, 2.0),)), None), ("", "too few"))
    write_laws(path, laws, made)
    found = read_laws(path, {"system": "SIS"})
    assert found.reasons == laws.reasons and found.laws[1] is None
    assert found.laws[0] is not None and laws.laws[0] is not None
    assert found.laws[0].to_dict() == laws.laws[0].to_dict()
    assert found.fields.ok.tolist() == [True, False]
    assert is_current(path, LAWS, made) and not is_current(path, LAWS, {**made, "code": "b"})
    assert outdated({str(path): made}) == set()
    assert outdated({str(path): {**made, "code": "b"}}) == {str(path)}
    again = path.read_bytes()
    write_laws(path, laws, made)
    assert path.read_bytes() == again and [x.name for x in path.parent.iterdir()] == ["laws.json"]
    with pytest.raises(LawProblem, match=r"read them with laws\.read_laws"):
        read_law(path)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "version", "foreign", "mismatched"])
def test_a_file_that_holds_no_such_laws_is_refused_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "laws.json"
    write_laws(path, Laws((TRUE,), ("",)), {"system": "SIS"})
    text = path.read_text()
    changes = {
        "flipped": text.replace("-1.2", "-1.3"),
        "cut": text[: len(text) // 2],
        "empty": "",
        "version": text.replace('"nodeflow.version": "1"', '"nodeflow.version": "9"'),
        "foreign": json.dumps({"laws": []}),
        "mismatched": text,
    }
    path.write_text(changes[damage])
    with pytest.raises(FileProblem) as found:
        read_laws(path, {"system": "MM"})
    assert str(path) in str(found.value) and "\n" not in str(found.value)
    assert not is_current(path, LAWS, {"system": "MM"})


# --- the same tests -------------------------------------------------------------------------------


def test_the_true_law_passes_every_test_as_the_true_system_would() -> None:
    graphs, truth = on_both()
    laws = Laws((TRUE, None), ("", "none"))
    nodes = node_table(graphs)
    errors, runs = evaluate_models(
        laws.fields, field("SIS"), graphs, nodes, truth, tolerance=TOLERANCE
    )
    good = runs[runs["replicate"] == 0]
    assert (good["status"] == "ok").all() and (good["mae"] < 1e-6).all()
    assert (good["mae_mean_field"] > 100 * good["mae"]).all()
    assert set(runs[runs["replicate"] == 1]["status"]) == {"failed"}
    # What is outside the states seen, 0 to 0.5, is counted for laws as well.
    assert (good["outside"] > 0).all() and set(errors["replicate"]) == {0}
    streams = [np.random.default_rng(k) for k in range(2)]
    hidden = hide_nodes(
        laws.fields, field("SIS"), graphs, truth, [4], streams, tolerance=TOLERANCE
    ).query("replicate == 0")
    np.testing.assert_allclose(hidden["mae"], hidden["mae_floor"], rtol=1e-5)
    noise = perturb_initial_states(
        laws.fields, field("SIS"), graphs, truth, [0.1], streams, domain=SYSTEMS["SIS"].domain,
        tolerance=TOLERANCE,
    ).query("replicate == 0")  # fmt: skip
    np.testing.assert_allclose(noise["mae"], noise["mae_floor"], rtol=1e-5)
    points = compare_fixed_points(
        laws.fields, field("SIS"), graphs, [x.states[0] for x in truth],
        domain=SYSTEMS["SIS"].domain, horizon=10.0, tolerance=TOLERANCE,
    ).query("replicate == 0")  # fmt: skip
    assert (points["mae"] < 1e-6).all()
    np.testing.assert_allclose(points["rightmost"], points["rightmost_true"], rtol=1e-6)


def test_functions_of_a_law_are_compared_whatever_its_gauge() -> None:
    table = compare_functions(Laws((TRUE,), ("",)).fields, field("SIS"))
    np.testing.assert_allclose(table["learned"], table["true"], atol=1e-12)
    assert table["x"].max() == 1.5 and set(table["function"]) == {"f", "h_ego", "h_alt", "product"}


def test_a_law_without_interaction_has_functions_too() -> None:
    alone = Law(Form((X,), (), ()), np.array([-1.0]), np.eye(1), 0.0, (0.0, 1.0))
    table = compare_functions(Laws((alone,), ("",)).fields, field("SIS"))
    assert (table[table["function"] == "product"]["learned"] == 0).all()
    assert np.isfinite(table["learned"]).all()


def test_fields_that_were_learned_otherwise_are_tested() -> None:
    graphs, truth = on_both()
    fields = Fields((field("SIS"),), np.array([7]), np.array([[0.0, 1.0]]))
    _, runs = evaluate_models(
        fields, field("SIS"), graphs, node_table(graphs), truth, tolerance=TOLERANCE
    )
    assert (runs["mae"] < 1e-6).all() and set(runs["training_graph"]) == {7}


def test_the_table_of_laws_has_the_errors_that_were_planted() -> None:
    off = law(-1.1, -1.2, 1.2)  # f is too large by a tenth everywhere
    table = law_table(Laws((TRUE, off, None), ("", "", "nothing moves")), field("SIS"))
    assert table["status"].tolist() == ["ok", "ok", "none"]
    assert table["reason"].tolist() == ["", "", "nothing moves"]
    np.testing.assert_allclose(table["error_seen"][:2], [0.0, 0.1], atol=1e-12)
    np.testing.assert_allclose(table["error_beyond"][:2], [0.0, 0.1], atol=1e-12)
    assert table["undetermined"].tolist() == [False, False, True]
    assert table["law"][0] == str(TRUE) and table["latex"][1] == off.latex()


# --- less than all data ---------------------------------------------------------------------------


def test_variants_leave_what_they_say() -> None:
    graphs, runs = [graph(1)], [observed(1, k) for k in range(3)]
    labels = ("SIS", 1.1, 2.1)
    assert less("plain", graphs, runs, labels, 1) == (graphs, runs)
    assert [x.index for x in less("trajectories~2", graphs, runs, labels, 1)[1]] == [0, 1]
    [first, *_] = less("times~5", graphs, runs, labels, 1)[1]
    np.testing.assert_allclose(first.times, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(first.states[-1], runs[0].states[-1])
    [loud, *_] = less("noise~0.1", graphs, runs, labels, 1)[1]
    np.testing.assert_array_equal(loud.states, noisy(runs, 0.1, Stream(1, labels))[0].states)
    [part], [seen, *_] = less("nodes~0.5", graphs, runs, labels, 1)
    assert part.n == 30 and seen.states.shape == (33, 30)
    kept = [np.flatnonzero((runs[0].states == x[:, None]).all(0))[0] for x in seen.states.T]
    whole = graphs[0].adjacency().toarray()[np.ix_(kept, kept)]
    np.testing.assert_array_equal(part.adjacency().toarray(), whole)
    assert less("nodes~0.5", graphs, runs, labels, 1)[0][0].edges.tolist() == part.edges.tolist()


def test_each_graph_has_its_law_or_the_reason() -> None:
    graphs, runs = on_both()
    runs.append(replace(observed(1, 1), graph=0))
    runs[1] = replace(runs[1], times=runs[1].times[:5], states=runs[1].states[:5])
    found = discover_each(graphs, runs)
    assert found.laws[0] is not None and found.laws[0].form == SIS
    assert found.laws[1] is None and "at least 8 observation times" in found.reasons[1]


# --- the plan -------------------------------------------------------------------------------------

plan = Plan(read_config(DEFAULT), ROOT)


def test_every_law_has_its_file_and_only_those_that_models_learn_from_are_tested() -> None:
    files = fill(paths.LAWS, plan.laws.all)
    assert len(files) == len(plan.laws.all)
    tested = {(x["variant"], x["trained_gamma"]) for x in plan.laws.trainings}
    assert tested == {("plain", 2.1), ("plain", 3.0), ("noise~0.05", 3.0)}
    left = {x["variant"] for x in plan.laws.less}
    assert left == {"noise~0.05", "trajectories~1"}
    models = {tuple(row.items()) for row in plan.neural_ode.trainings}
    assert {tuple(row.items()) for row in plan.laws.trainings} <= models
    for row in plan.laws.all:
        assert plan.laws.files(row)[fill(paths.LAWS, [row])[0]] == plan.laws.params(row)


def test_another_parameter_of_one_system_concerns_its_laws_alone() -> None:
    other = Plan(read_config(changed("dynamics.parameters", {"SIS": {"R": 3.0}})), ROOT)
    row = {"variant": "plain", "trained_beta": 1.1, "trained_gamma": 2.1}
    one, two = plan.laws.parts(row), other.laws.parts(row)
    assert {name for name in one if one[name] != two[name]} == {"SIS"}
    tests = [x.law_experiments.test_parts(row) for x in (plan, other)]
    assert {name for name in one if tests[0][name] != tests[1][name]} == {"SIS"}


def test_without_cells_there_are_no_laws_and_no_figures_of_them() -> None:
    from nodeflow.plan.figures import FIGURES

    without = Plan(read_config(changed("laws.cells", [])), ROOT)
    assert without.laws.all == [] and without.evaluated.tests == [
        {"learned": "neural_ode", **row} for row in without.neural_ode.trainings
    ]
    drawn = {x.name for x in FIGURES if x.in_run(without)}
    assert not [name for name in drawn if name.startswith("law_")] and "size_errors" in drawn


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("laws.cells", [{"beta": 2.0, "gamma": 2.1}], "laws.cells holds {'beta': 2.0"),
        ("dynamics.training.times", 7, "laws need at least 8"),
        ("laws.graphs", 0, "laws.graphs is 0"),
        ("laws.recovery.times", [4], "laws.recovery.times[0] is 4"),
        ("laws.recovery.nodes", [1.0], "laws.recovery.nodes[0] is 1"),
    ],
)
def test_laws_that_cannot_be_found_are_refused_in_one_sentence(
    key: str, value: Any, words: str
) -> None:
    with pytest.raises(ConfigProblem) as found:
        read_config(changed(key, value))
    assert words in str(found.value) and "\n" not in str(found.value)


# --- own data -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (TRUE, "", ["<code>f = ", "decide on it (weight 0.99)", "standard error", "1.2"]),
        (
            replace(TRUE, weight=0.6, alternatives=(law(-1.0, 0.1, 2.0, weight=0.4),)),
            "",
            ["undetermined: its weight is 0.6", "do not exclude", "0.4: f = "],
        ),
        (replace(TRUE, excess=1.5), "", ["undetermined: it leaves more of the series than noise"]),
        (None, "Every node receives 4 <b>.", ["No law was found. Every node receives 4 &lt;b&gt;"]),
    ],
)
def test_the_page_says_what_the_law_is_and_what_it_is_not(
    found: Law | None, reason: str, words: list[str]
) -> None:
    text = "\n".join(told(Laws((found,), (reason,))))
    for word in words:
        assert word in text


def test_tolerances_of_laws_are_those_of_the_true_system() -> None:
    fields = Laws((TRUE,), ("",)).fields
    assert asdict(TOLERANCE.for_error(float(fields.error[0]))) == asdict(TOLERANCE)


def test_the_collected_tables_say_what_was_evaluated(tmp_path: Path) -> None:
    from nodeflow.neural_ode.collected import COLLECTED_TESTS, read_tests
    from nodeflow.neural_ode.schemas import NEURAL_ODE_RUNS
    from nodeflow.tables import write_table

    graphs, truth = on_both()
    cell = {"N": 60, "beta": 1.1, "gamma": 2.1}
    files, made = [], {"system": "SIS", "variant": "plain", "trained_beta": 1.1}
    for method, folder, off in (("neural ODE", "neural_ode", 1.1), ("law", "law", 1.0)):
        fields = Laws((law(-off, -1.2, 1.2), TRUE), ("", "")).fields
        _, runs = evaluate_models(
            fields, field("SIS"), graphs, node_table(graphs), truth, tolerance=TOLERANCE
        )
        path = tmp_path / f"results/{folder}/tests/SIS/plain/x/runs.parquet"
        facts = {**made, "trained_gamma": 2.1, "method": method}
        write_table(path, runs.assign(**cell), NEURAL_ODE_RUNS, facts)
        files.append(path)
    table = read_tests(files)
    assert list(table.columns) == list(COLLECTED_TESTS.columns)
    assert table["method"].value_counts().to_dict() == {
        "neural ODE": 4, "law": 4, "mean field": 2, "persistence": 2,
    }  # fmt: skip
    for method, column in (("mean field", "mae_mean_field"), ("persistence", "mae_persistence")):
        beside = table[table["method"] == method].set_index("graph")["mae"]
        known = table[table["method"] == "neural ODE"].groupby("graph")[column].first()
        pd.testing.assert_series_equal(beside, known, check_names=False, check_index_type=False)
    medians = table.groupby("method")["mae"].median()
    assert medians["law"] < medians["neural ODE"] < medians["persistence"]
    path = tmp_path / "tests.parquet"
    write_table(path, table, COLLECTED_TESTS, {})
