"""The lists of tables and figures: what they name is there, or one line says what is not."""

import inspect
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from nodeflow.config import read_config
from nodeflow.plan import Plan
from nodeflow.plan.figure import Figure
from nodeflow.plan.figures import FIGURES
from nodeflow.plan.registry import RegistryProblem, check_registry
from nodeflow.plan.table import Table
from nodeflow.plan.tables import TABLES, collections
from nodeflow.tables import Gathered, Schema
from tests.unit.test_config import DEFAULT, overlaid

ROOT = Path(__file__).parents[2]
PLAN = Plan(read_config(DEFAULT), ROOT)
SIZE_ERRORS = next(x for x in FIGURES if x.name == "size_errors")
PANEL = next(x for x in TABLES if x.name == "flow_panel")


def test_what_is_read_without_importing_is_what_python_finds() -> None:
    check_registry(PLAN)
    for table in TABLES:
        schema = resolve_name(f"nodeflow.{table.schema}")
        gathers = table.parts and not table.read and not table.each
        assert isinstance(schema, Gathered if gathers else Schema)
    for figure in FIGURES:
        arguments = inspect.signature(resolve_name(f"nodeflow.{figure.draw}")).parameters
        assert set(arguments) == {*figure.tables, *figure.settings(PLAN)}


def test_every_table_is_gathered_by_one_job_or_made_by_a_rule() -> None:
    gathered = [table.name for _, tables in collections() for table in tables]
    assert len(gathered) == len(set(gathered))
    assert set(gathered) == {x.name for x in TABLES if x.parts and not x.each}


CASES: Mapping[str, tuple[Figure | Table, str]] = {
    "table": (
        replace(SIZE_ERRORS, tables={"tests": "node_test"}),
        "figure size_errors is drawn from the table node_test, which is not there",
    ),
    "question": (
        replace(SIZE_ERRORS, question="why"),
        "figure size_errors answers the question why; choose one of own, graphs, systems, learn",
    ),
    "module": (
        replace(SIZE_ERRORS, module="nodes"),
        "size_errors names nodeflow.figures.nodes:draw_size_errors, but there is no module",
    ),
    "function": (
        replace(SIZE_ERRORS, module="zoo"),
        "size_errors names nodeflow.figures.zoo:draw_size_errors, but .* has no draw_size_errors",
    ),
    "argument that the function does not take": (
        replace(SIZE_ERRORS, settings=lambda plan: {"beta": 1.1, "gamma": 2.1}),
        "draw_size_errors is given and does not take the argument gamma",
    ),
    "argument that is not given": (
        replace(SIZE_ERRORS, settings=lambda plan: {}),
        "draw_size_errors is not given the argument beta",
    ),
    "key": (
        replace(SIZE_ERRORS, settings=lambda plan: {"beta": plan.config.neural_ode.structrue}),  # type: ignore[attr-defined]
        "figure size_errors asks the plan for what it has not: .*structrue",
    ),
    "key as of a mapping": (
        replace(SIZE_ERRORS, settings=lambda plan: {"beta": plan.config["neural_ode"]}),  # type: ignore[index]
        "figure size_errors asks the plan for what it has not: .*subscriptable",
    ),
    "plan": (
        replace(SIZE_ERRORS, settings=lambda plan: {"beta": plan.cells.structure_learned}),  # type: ignore[attr-defined]
        "figure size_errors asks the plan for what it has not: .*structure_learned",
    ),
    "schema": (
        replace(PANEL, schema="judge.schemas:COLLECTED_PANELS"),
        "flow_panel names nodeflow.judge.schemas:COLLECTED_PANELS, but .* has no",
    ),
    "reader": (
        replace(PANEL, read="flow.spectra:read_spectrum"),
        "flow_panel names nodeflow.flow.spectra:read_spectrum, but .* has no",
    ),
    "rows": (replace(PANEL, rows="flows.every"), "flow_panel has the rows flows.every: .*every"),
    "no rows": (replace(PANEL, rows=""), "flow_panel gathers .* not say of which rows"),
    "wildcard": (replace(PANEL, rows="graphs.tests"), "flow_panel gathers .* have no flow"),
}


@pytest.mark.parametrize(("entry", "words"), CASES.values(), ids=list(CASES))
def test_what_is_not_there_is_named_in_one_line(entry: Figure | Table, words: str) -> None:
    figures, tables = [*FIGURES], [*TABLES]
    every: list[Any] = figures if isinstance(entry, Figure) else tables
    every[[x.name for x in every].index(entry.name)] = entry
    with pytest.raises(RegistryProblem, match=words) as caught:
        check_registry(PLAN, figures, tables)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("src/nodeflow/plan/")


def test_a_caption_that_is_missing_and_a_name_that_stands_twice_are_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryProblem, match=r"degrees has no caption; write .*degrees\.rst"):
        (tmp_path / "workflow").mkdir()
        (tmp_path / "workflow/scripts").symlink_to(ROOT / "workflow/scripts")
        check_registry(Plan(PLAN.config, tmp_path))
    with pytest.raises(RegistryProblem, match="two entries are the figure degrees"):
        check_registry(PLAN, [*FIGURES, FIGURES[0]])
    with pytest.raises(RegistryProblem, match="two entries are the table graphs"):
        check_registry(PLAN, tables=[*TABLES, TABLES[0]])


def test_a_run_has_what_it_has_rows_for() -> None:
    not_there = {"use": ["iris"], "where_found": ["digits"], "zoos": {"digits": {"data": "mnist"}}}
    overlay = {"zoo": not_there, "flow": {"use": ["digits"]}}
    without = Plan(read_config(overlaid(DEFAULT, overlay)), ROOT)
    missing = {x.name for x in FIGURES if x.in_run(PLAN) and not x.in_run(without)}
    assert {"frontier", "capacity", "flow_training", "speed"} <= missing
    assert not missing & {"size_errors", "zoo", "runtime", "prior_sizes"}


def test_the_lists_load_nothing_that_parsing_would_wait_for() -> None:
    code = (
        "import sys, nodeflow.plan.registry, nodeflow.plan.stages;"
        "print(sorted({'torch', 'pandas', 'seaborn', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
