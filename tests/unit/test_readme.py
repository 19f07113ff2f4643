"""The README is short, its commands are those that run, its numbers those of the tables."""

import re
import shlex
import subprocess

import pytest

from tests.documents import ROOT, blocks, links

README = (ROOT / "README.md").read_text()
COMMANDS = [line for code in blocks(README, "bash") for line in code.splitlines()]


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(README.encode()) <= 8192
    assert len(README.splitlines()) <= 125


def test_the_two_commands_are_those_that_ci_runs() -> None:
    figures, tests, _ = COMMANDS
    script = (ROOT / ".ci/run").read_text()
    for command, beginning in ((figures, "figures="), (tests, "tests=")):
        [line] = [x for x in script.splitlines() if x.startswith(beginning)]
        found = subprocess.run(
            ["bash", "-c", f'{line}; echo "${beginning[:-1]}"'],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert found.stdout.strip() == command
        assert re.search(rf'^eval "\${{?{beginning[:-1]}\b', script, re.MULTILINE)


def test_the_third_command_is_that_of_the_tutorial() -> None:
    tutorial = blocks((ROOT / "docs/your-own-data.md").read_text(), "bash")[0]
    asked = shlex.split(tutorial)
    asked[1:3] = []  # -s nodeflow/Snakefile: in another folder than the checkout
    assert shlex.split(COMMANDS[2]) == asked


def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [example] = blocks(README, "python")
    assert len(example.splitlines()) <= 14
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "upper_90" in printed
    assert "trusted" in printed


def test_every_file_that_it_names_is_there() -> None:
    assert links(README)
    for name in links(README):
        assert (ROOT / name).exists(), name


def test_its_numbers_stand_in_the_tables() -> None:
    section = README.split("## What was found")[1].split("\n## ")[0]
    tables = "\n".join(path.read_text() for path in (ROOT / "docs/tables").glob("*.md"))
    numbers = re.findall(r"×\d[\d.,]*\d|×\d|\d+\.\d+(?! %)|\d+ %|\d+\.\d+(?= %)", section)
    assert len(numbers) > 4
    assert [x for x in numbers if x not in tables] == []
