"""With --no-skips a test that skips fails, however it skips."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.fixture
def tool():
    pytest.skip("no tool")

def test_a(tool): pass

@pytest.mark.skipif(True, reason="no daemon answers")
def test_b(): pass

def test_c(): pass

@pytest.mark.xfail
def test_d(): assert False
"""


@pytest.mark.parametrize(
    ("options", "summary"),
    [([], "1 passed, 2 skipped, 1 xfailed"), (["--no-skips"], "1 passed, 1 xfailed, 2 errors")],
)
def test_a_skip_is_a_failure_where_it_is_asked_for(
    tmp_path: Path, options: list[str], summary: str
) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert summary in answer.stdout
    assert ("no daemon answers" in answer.stdout) == bool(options)
