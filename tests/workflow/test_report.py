"""The HTML report in a real browser: every figure is shown, nothing goes wrong in its console."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nodeflow.plan.figure import QUESTIONS
from nodeflow.plan.figures import FIGURES

from .conftest import ROOT, Checkout

pytestmark = pytest.mark.slow

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

OWN = {figure.name for figure in FIGURES if figure.question == "own"} | {"own_page"}
ASKED_FOR = {
    "error_over_training",
    "workflow",
    "solvers",
    "conditional",
    "growth",
    "size_curves",
} | OWN
"""Captions without a figure in the smoke run: the introduction, and what is drawn if asked for."""

CAPTIONS = {path.stem for path in (ROOT / "workflow/report").glob("*.rst")} - ASKED_FOR

WATCH = """<script>
window.problems = [];
window.addEventListener("error", (event) => {
    window.problems.push(event.message || `not loaded: ${event.target.outerHTML.slice(0, 200)}`);
}, true);
console.error = (...words) => window.problems.push(words.join(" "));
</script>"""


@pytest.fixture(scope="module")
def report(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "copy"
    shutil.copytree(finished.folder, folder, copy_function=shutil.copy2)
    Checkout(folder).smoke("--report", "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def seen(report: Path) -> dict[str, Any]:
    """What a script that goes through the report in a browser found there."""
    if not BROWSER:
        pytest.skip("no Chromium on this machine")
    text = report.read_text()
    script = (ROOT / "tests/workflow/look_through_report.js").read_text()
    text = text.replace("<head>", f"<head>{WATCH}", 1)
    head, tail = text.rsplit("</body>", 1)
    page = report.with_name("watched.html")
    page.write_text(f"{head}<script>{script}</script></body>{tail}")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1600,1200"]
    command += [f"--user-data-dir={report.parent}/browser", "--virtual-time-budget=120000"]
    command += ["--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
    [found] = re.findall(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)
    answer: dict[str, Any] = json.loads(html.unescape(found))
    return answer


def test_the_report_holds_every_figure(report: Path) -> None:
    text = report.read_text()
    for name in CAPTIONS:
        assert f"results/figures/{name}.png" in text


def test_figures_stand_under_numbered_questions(report: Path) -> None:
    text = report.read_text()
    asked = [question.text for question in QUESTIONS.values() if question.research != "own"]
    assert all(question in text for question in asked)


def test_a_reader_sees_every_figure_with_its_words(seen: dict[str, Any]) -> None:
    assert {Path(path).stem for path in seen["figures"]} == CAPTIONS
    for path, figure in seen["figures"].items():
        assert figure["width"] > 400, path
        assert figure["shown"] > 100_000, path
        assert len(figure["description"].split()) > 25, path
    assert "hidden degree" in seen["introduction"]


def test_nothing_goes_wrong_in_the_console(seen: dict[str, Any]) -> None:
    assert seen["problems"] == []
