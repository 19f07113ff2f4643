"""Code on pages runs, links lead somewhere, and tables of results are files that scripts wrote."""

import contextlib
import io
import re
import shlex
import warnings
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from docs.numbers.registry import PICTURES, picture_of
from docs.numbers.registry import TABLES as WRITTEN
from nodeflow.config import read_config
from nodeflow.plan.figures import FIGURES
from nodeflow.plan.tables import TABLES as OF_RUNS
from tests.documents import PAGES, ROOT, TABLES, blocks, links
from tests.unit.test_config import DEFAULT, overlaid

TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))
RESULTS = [
    ROOT / f"docs/{name}.md"
    for name in (
        "claims", "trust", "generation", "priors", "results/generalize", "results/costs",
        "results/benchmarks", "own-series", "influenza",
    )
]  # fmt: skip
PRINTED = {
    "graphs-and-dynamics": ["clustering: 0", "SIS: dx_i/dt", "(3, 41, 512)", "stable: True"],
    "neural-odes": ["all trained: True", "largest error", "of the nodes are flagged"],
    "zoos-and-flows": ["of the test items are right", "without any training", "held-out"],
}
TARGETS = {"all_figures", "all_tables"} | {
    f"{name}_figures" for name in ("neural_ode", "flow", "priors", "own")
}


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_from_its_first_to_its_last_line(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text()
    assert len(text.splitlines()) <= 90
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    printed = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
        warnings.simplefilter("ignore", FutureWarning)
        for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
            above = "\n" * text.count("\n", 0, found.start(1))
            exec(compile(above + found[1], str(page), "exec"), names)
    assert [x for x in PRINTED[page.stem] if x not in printed.getvalue()] == []


def test_tutorials_teach_what_they_say() -> None:
    assert {page.stem for page in TUTORIALS} == set(PRINTED)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    for target in links(page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_table_is_shown_and_says_when_where_and_of_what_it_was_made() -> None:
    shown = {Path(x).name for page in PAGES for x in links(page.read_text()) if "tables/" in x}
    assert {path.name for path in TABLES} == shown
    for path in TABLES:
        *_, last = path.read_text().strip().splitlines()
        assert re.search(r"^\*.*\d\d \w+ 20\d\d, .*\*$", last), path
        assert re.search(r"commit [0-9a-f]{10}", last), path
        assert re.search(r"\d cores", last), path
        assert re.search(r"`(config/\w+\.yaml|(python )?benchmarks/\w+\.py[^`]*)`", last), path


@pytest.mark.parametrize("page", RESULTS, ids=lambda path: path.stem)
def test_pages_of_results_hold_no_typed_table(page: Path) -> None:
    assert re.findall(r"^\|.*\d.*\|$", page.read_text(), re.MULTILINE) == []
    assert "](tables/" in page.read_text() or "](../tables/" in page.read_text()


def test_written_tables_and_pictures_are_of_tables_and_figures_that_runs_have() -> None:
    names = [table.name for table in WRITTEN]
    assert len(names) == len(set(names))
    known = {table.name for table in OF_RUNS}
    assert {name for table in WRITTEN for name in table.tables} <= known
    assert {x for some in PICTURES.values() for x in some} <= {figure.name for figure in FIGURES}
    assert all((ROOT / "config" / name).is_file() for name in PICTURES)
    pictures = {Path(x).name for page in PAGES for x in links(page.read_text()) if ".png" in x}
    assert pictures <= {path.name for path in (ROOT / "docs/pictures").iterdir()}
    assert {picture_of(x, of) for of, some in PICTURES.items() for x in some} <= pictures


def test_commands_name_what_there_is() -> None:
    seen = 0
    for page in PAGES:
        text = page.read_text()
        lines = [x for code in blocks(text, "bash") for x in code.replace("\\\n", "").splitlines()]
        lines += re.findall(r"`((?:snakemake|python -m docs) [^`]*)`", text)
        for line in lines:
            words = shlex.split(line.replace("…", ""), comments=True)
            while words and "=" in words[0]:
                words = words[1:]
            if words[:1] == ["snakemake"]:
                check_snakemake(words[1:], page)
            elif words[:3] == ["python", "-m", "docs.numbers"]:
                check_numbers(words[3:])
            seen += 1
    assert seen > 30


def check_snakemake(words: list[str], page: Path) -> None:
    """Configurations, figures and targets that a command names are there."""
    for option, value in pairwise(words):
        if option == "--configfile" and value.startswith("config/"):
            assert (ROOT / value).is_file(), value
        if option == "--profile":
            assert (ROOT / value / "config.yaml").is_file(), value
    first = words[0] if words else ""
    if re.fullmatch(r"[a-z]+_(figures|tables)", first):
        assert first in TARGETS, f"{page}: {first}"
    for name in re.findall(r"results/figures/(\w+)\.png", " ".join(words)):
        assert name in {figure.name for figure in FIGURES}, f"{page}: {name}"
    for name in re.findall(r"results/tables/(\w+)\.parquet", " ".join(words)):
        assert name in {table.name for table in OF_RUNS}, f"{page}: {name}"


def check_numbers(words: list[str]) -> None:
    """Tables, configurations and benchmarks that `python -m docs.numbers` is asked for."""
    if "--only" in words:
        assert set(words[words.index("--only") + 1 :]) <= {table.name for table in WRITTEN}
    if "--config" in words:
        assert words[words.index("--config") + 1] in {table.config for table in WRITTEN}
    if "--bench" in words:
        assert (ROOT / "benchmarks" / words[words.index("--bench") + 1]).is_file()


def test_settings_on_pages_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/power_grid.txt").write_text("1 2\n2 3\n")
    monkeypatch.chdir(tmp_path)
    examples = blocks((ROOT / "docs/how-to/settings.md").read_text(), "yaml")
    for example in examples:
        config = read_config(overlaid(DEFAULT, yaml.safe_load(example)))
        assert config != read_config(DEFAULT)
    assert len(examples) == 2
