"""Whether what the lists of tables and figures name is there; asked before the first job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from nodeflow.plan.figure import QUESTIONS, Figure, Question
from nodeflow.plan.figures import FIGURES
from nodeflow.plan.table import Table
from nodeflow.plan.tables import TABLES
from nodeflow.problems import Problem, repeated
from nodeflow.provenance import EntryProblem, entry_arguments

if TYPE_CHECKING:
    from nodeflow.plan import Plan

__all__ = ["RegistryProblem", "check_registry"]


class RegistryProblem(Problem):
    """An entry of the lists of tables and figures names what is not there."""


def check_registry(
    plan: Plan,
    figures: Sequence[Figure] = FIGURES,
    tables: Sequence[Table] = TABLES,
    questions: Mapping[str, Question] = QUESTIONS,
) -> None:
    """Check that all that the entries name is there, without importing it.

    Raises:
        RegistryProblem: a name stands twice, or an entry names a table, question, function,
            argument, schema, caption, rows or key of the configuration that there is not.
    """
    _check_names("table", [x.name for x in tables])
    _check_names("figure", [x.name for x in figures])
    for table in tables:
        where = f"src/nodeflow/plan/tables.py: the table {table.name}"
        _check_entries(where, table.entries)
        _check_rows(where, table, plan)
    for figure in figures:
        where = f"src/nodeflow/plan/figures.py: the figure {figure.name}"
        known = {x.name for x in tables}
        for name in figure.tables.values():
            if name not in known:
                raise RegistryProblem(f"{where} is drawn from the table {name}, which is not there")
        if figure.question not in questions:
            choices = ", ".join(questions)
            raise RegistryProblem(
                f"{where} answers the question {figure.question}; choose one of {choices}"
            )
        _check_entries(where, figure.entries)
        _check_arguments(where, figure, plan)
        caption = f"workflow/report/{figure.name}.rst"
        if not (plan.root / caption).is_file():
            raise RegistryProblem(f"{where} has no caption; write {caption}")


def _check_names(kind: str, names: Sequence[str]) -> None:
    twice = repeated(names)
    if twice:
        raise RegistryProblem(
            f"src/nodeflow/plan/{kind}s.py: two entries are the {kind} {twice[0]}; rename one"
        )


def _check_entries(where: str, entries: Iterable[str]) -> None:
    for entry in entries:
        try:
            entry_arguments(entry)
        except EntryProblem as problem:
            raise RegistryProblem(f"{where} names nodeflow.{entry}, but {problem}") from None


def _check_rows(where: str, table: Table, plan: Plan) -> None:
    if table.parts and not table.rows:
        raise RegistryProblem(f"{where} gathers {table.parts} and does not say of which rows")
    try:
        if table.rows:
            attrgetter(table.rows)(plan)
    except AttributeError as error:
        raise RegistryProblem(f"{where} has the rows {table.rows}: {error}") from None
    try:
        if table.parts:
            table.files(plan)
    except KeyError as error:
        raise RegistryProblem(
            f"{where} gathers {table.parts}, but its rows have no {error.args[0]}"
        ) from None


def _check_arguments(where: str, figure: Figure, plan: Plan) -> None:
    try:
        settings = figure.settings(plan)
        figure.in_run(plan)
    except (AttributeError, LookupError, TypeError) as error:
        raise RegistryProblem(f"{where} asks the plan for what it has not: {error}") from None
    arguments = entry_arguments(figure.draw)
    if arguments is None:
        raise RegistryProblem(f"{where} names nodeflow.{figure.draw}, which is no function")
    both = set(figure.tables) & set(settings)
    if both:
        raise RegistryProblem(f"{where} hands over {min(both)} twice, as a table and as a setting")
    given = {*figure.tables, *settings}
    for name in [x for x in (*arguments, *given) if (x in arguments) != (x in given)]:
        what = "is not given" if name in arguments else "is given and does not take"
        raise RegistryProblem(f"{where}: nodeflow.{figure.draw} {what} the argument {name}")
