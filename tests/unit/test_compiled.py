"""Compiled functions are kept where that is possible and safe, and run where it is not."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from nodeflow import compiled

# A module that cannot be written beside, whose user has no home: a file of that name in its place.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import mine
print(mine.double(21), sum(mine.double.stats.cache_hits.values()), mine.double.stats.cache_path)
"""


MINE = "from nodeflow.compiled import njit\n\n\n@njit()\ndef double(x):\n    return 2 * x\n"


def test_functions_of_a_text_are_compiled_and_not_kept(tmp_path: Path) -> None:
    """numba could not load them again: they are of no module."""
    place = tmp_path / "text.md"
    place.write_text(MINE)
    for _ in range(2):
        names: dict[str, Any] = {"__name__": "text"}
        exec(compile(MINE, str(place), "exec"), names)
        assert names["double"](21) == 42
    assert [x.name for x in tmp_path.iterdir()] == ["text.md"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a module beside which nothing can be kept, not even by root."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/mine.py").write_text(MINE)
    (tmp_path / "code/__pycache__").write_text("no folder")
    (tmp_path / "temporary").mkdir()
    return tmp_path


def run(place: Path, **environment: str) -> list[str]:
    clean = {n: x for n, x in os.environ.items() if n not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    answer = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(place / "code")],
        env={**clean, "HOME": "/dev/null", "TMPDIR": str(place / "temporary"), **environment},
        cwd="/", capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split(maxsplit=2)


def test_without_a_place_of_numba_s_a_private_folder_serves_the_next_process(place: Path) -> None:
    assert run(place)[:2] == ["42", "0"]
    [folder] = (place / "temporary").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    again = run(place)
    assert again[:2] == ["42", "1"]
    assert again[2].strip().startswith(str(folder))


def test_the_folder_that_a_user_names_goes_first(place: Path) -> None:
    (place / "named").mkdir()
    assert run(place, NUMBA_CACHE_DIR=str(place / "named"))[2].startswith(str(place / "named"))
    assert not any((place / "temporary").iterdir())


def test_a_folder_that_others_may_write_is_not_used(place: Path) -> None:
    shared = compiled._folder(place)
    assert shared is not None
    shared.chmod(0o777)
    assert compiled._folder(place) is None
    shared.rmdir()
    (place / "elsewhere").mkdir(mode=0o700)
    shared.symlink_to(place / "elsewhere")
    assert compiled._folder(place) is None


def test_with_no_safe_place_at_all_it_still_computes(place: Path) -> None:
    folder = compiled._folder(place / "temporary")
    assert folder is not None
    folder.chmod(0o777)
    assert run(place)[:2] == ["42", "0"]
    assert not any(folder.iterdir())


def test_numba_s_own_setting_is_left_as_it_was() -> None:
    settings: Any = numba.config
    before = settings.CACHE_DIR
    assert compiled.njit()(abs_of)(-3) == 3
    assert before == settings.CACHE_DIR


def abs_of(x: int) -> int:
    return x if x > 0 else -x
