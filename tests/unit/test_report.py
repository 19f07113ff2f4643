"""The words of the report: every caption fits every configuration that we ship."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from docutils.core import publish_doctree
from jinja2 import Environment, StrictUndefined

from nodeflow.config import read_config
from nodeflow.dynamics import SYSTEMS
from nodeflow.plan import Plan
from nodeflow.plan.figure import QUESTIONS
from nodeflow.plan.figures import FIGURES
from tests.unit.test_config import DEFAULT, overlaid

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "workflow/report").glob("*.rst"))
# The settings of `snakemake.report`, but for names that do not exist: there they are silent.
JINJA = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
NO_FIGURES = {"workflow", "own_page"}
CONFIGURATIONS = {
    name: overlaid(DEFAULT, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))
    for name in ("config", "smoke", "paper", "generation")
}
CONFIGURATIONS["matching"] = overlaid(DEFAULT, {"neural_ode": {"recipe": "matching"}})


def rendered(template: Path, config: dict[str, Any]) -> str:
    """The template as Snakemake renders it."""
    output = SimpleNamespace(png=f"results/figures/{template.stem}.png")
    plan = Plan(read_config(config), ROOT)
    stated = {"equations": plan.dynamics.equations, "methods": plan.flows.methods}
    job = SimpleNamespace(
        config={**config, **stated},
        output=output,
        rule=f"draw_{template.stem}",
        wildcards=SimpleNamespace(own="mine"),
    )
    return JINJA.from_string(template.read_text()).render(snakemake=job)


@pytest.mark.parametrize("config", CONFIGURATIONS.values(), ids=list(CONFIGURATIONS))
def test_every_template_is_good_text_for_every_configuration(config: dict[str, Any]) -> None:
    for template in TEMPLATES:
        text = rendered(template, config)
        document = publish_doctree(text, settings_overrides={"report_level": 1, "halt_level": 2})
        assert document.astext()
        assert not re.search(r"[{}]|\bNone\b|[a-z]:\.|,\s*\.| ,", text), f"{template.stem}: {text}"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_caption_says_n_and_bands_and_how_to_redraw(template: Path) -> None:
    if template.stem in NO_FIGURES:
        return
    text = rendered(template, DEFAULT)
    assert "?" in text.split(". ")[0], "a caption begins with the question"
    assert re.search(r"\bn\b", text)
    assert re.search(r"[Bb]ands?\b|[Bb]ars: ", text)
    *_, last = text.strip().splitlines()
    assert last == (
        "Redraw with the configuration of this run: "
        f"``snakemake --cores 1 --force results/figures/{template.stem}.png``"
    )


def test_the_numbers_are_those_of_the_run() -> None:
    changed = overlaid(DEFAULT, {"graphs": {"training": {"graphs": 7}, "test": {"graphs": 11}}})
    changed["neural_ode"]["seeds"] = 13
    text = rendered(ROOT / "workflow/report/size_errors.rst", changed)
    assert "n = 91 models (7 training graphs × 13 seeds) × 11 test graphs" in text


def test_snapshots_are_tested_on_as_many_graphs_as_their_caption_says() -> None:
    for graphs in (4, 100):
        config = overlaid(DEFAULT, {"graphs": {"test": {"graphs": graphs}}})
        row = {"system": "SIS", "trained_beta": 1.1, "trained_gamma": 3.0}
        count = Plan(read_config(config), ROOT).experiments.snapshot_params(row)["graphs"]
        text = rendered(ROOT / "workflow/report/error_over_training.rst", config)
        assert f"seeds) × {count} test graphs per step and γ" in text


def test_the_methods_hold_the_equations_of_the_library() -> None:
    text = rendered(ROOT / "workflow/report/workflow.rst", DEFAULT)
    for system in SYSTEMS.values():
        assert f"{system.name}, {system.title}: ``dx_i/dt = {system.equation}``" in text


def test_every_figure_belongs_to_a_numbered_question() -> None:
    assert {figure.name for figure in FIGURES} == {path.stem for path in TEMPLATES} - NO_FIGURES
    assert {figure.question for figure in FIGURES} == set(QUESTIONS)
    questions = [question.text for question in QUESTIONS.values()]
    assert [name.split()[0] for name in questions] == [str(k) for k in range(len(questions))]
    assert all(name.endswith("?") for name in questions)
