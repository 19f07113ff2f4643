"""Items and modules of the user's own: functions and arrays, or a sentence on what is wrong."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodeflow.datasets import DataProblem
from nodeflow.datasets.given import given_data, item_of
from nodeflow.datasets.named import NamedProblem, call_named, named_file
from nodeflow.zoo.described import architecture_of, data_of
from nodeflow.zoo.predict import ItemProblem
from nodeflow.zoo.settings import ArchitectureProblem

X, Y = np.arange(48, dtype=np.float32).reshape(6, 2, 4), np.array([0, 1, 2, 0, 1, 2])

FORMS: dict[str, Callable[[], Any]] = {
    "by kind": lambda: {"x": X, "y": Y},
    "keras": lambda: {"x_train": X[:4], "y_train": Y[:4], "x_test": X, "y_test": Y},
    "medical": lambda: {
        "train_images": X[:4], "train_labels": Y[:4, None], "val_images": X[4:],
        "val_labels": Y[4:, None], "test_images": X, "test_labels": Y[:, None],
    },
    "with more": lambda: {"test_x": X, "test_y": Y, "names": np.arange(3), "mean": np.ones(2)},
    "bytes": lambda: {"x": X.astype(np.uint8), "y": Y.astype(np.uint8)},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_arrays_are_found_by_their_usual_names(form: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **FORMS[form]())
    data = given_data(str(tmp_path / "data.npz"), (2, 4))
    np.testing.assert_array_equal(data.test_x, X.reshape(6, 8))
    np.testing.assert_array_equal(data.test_y, Y)
    assert data.classes == 3
    assert len(data.train_y) == (4 if form in ("keras", "medical") else 0)
    assert item_of(str(tmp_path / "data.npz")) == (2, 4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that one works in, with modules of names that no other test uses."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str) -> str:
    """A module with this text; returns its name, which is new in every test."""
    name = f"own_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text(text)
    return name


def test_functions_give_arrays_too(folder: Path) -> None:
    name = written(
        folder,
        "import numpy, torch\n"
        "def two(): return torch.ones(5, 3), torch.arange(5)\n"
        "def four(): return numpy.ones((9, 3)), numpy.zeros(9), numpy.ones((5, 3)), numpy.ones(5)\n"
        "def named(): return {'x': numpy.ones((5, 3)), 'y': numpy.arange(5)}\n",
    )
    for function, train in (("two", 0), ("four", 9), ("named", 0)):
        data = given_data(f"{name}:{function}", None)
        assert data.test_x.shape == (5, 3)
        assert len(data.train_x) == train
    assert named_file(f"{name}:two") == folder / f"{name}.py"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"x": X}, "has no test_y"),
    "no items": ({"train_x": X, "train_y": Y}, "has no items to judge on, only train_x, train_y"),
    "another shape": ({"x": X[:, :1], "y": Y}, r"have shape \(1, 4\); the module reads \(2, 4\)"),
    "other labels": ({"x": X, "y": Y[:3]}, r"have shapes \(6, 2, 4\) and \(3,\)"),
    "one-hot": ({"x": X, "y": np.eye(3)[Y]}, r"shapes \(6, 2, 4\) and \(6, 3\)"),
    "numbers": ({"x": X, "y": Y + 0.5}, "no classes; give whole numbers"),
    "objects": ({"x": X, "y": np.array(list("abcabc"), object)}, "objects, not numbers"),
    "texts": ({"x": X, "y": np.array(list("abcabc"))}, "y of .* holds <U1"),
    "not finite": ({"x": X * np.nan, "y": Y}, "not finite"),
    "empty": ({"x": X[:0], "y": Y[:0]}, "at least one"),
}


@pytest.mark.parametrize("kind", BAD)
def test_arrays_that_do_not_fit_are_refused_with_their_file(kind: str, tmp_path: Path) -> None:
    arrays, words = BAD[kind]
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataProblem, match=words) as problem:
        given_data(str(tmp_path / "data.npz"), (2, 4))
    assert "data.npz" in str(problem.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="is not there"):
        given_data(str(tmp_path / "no.npz"), (2,))
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataProblem, match=r"bad.npz cannot be read"):
        given_data(str(tmp_path / "bad.npz"), (2,))


FUNCTIONS: dict[str, tuple[str, str]] = {
    "raises": ("def make():\n    raise ValueError('no weights')\n",
               r"failed in own_\d+.py, line 2: ValueError: no weights"),
    "needs arguments": ("def make(width): pass\n", "called without arguments"),
    "is not there": ("def other(): pass\n", "defines no make"),
    "is none": ("make = 3\n", "is int; name a function or a class"),
    "fails to import": ("import json\nraise RuntimeError('no GPU')\n", "line 2: RuntimeError: no"),
    "needs a module": ("import no_such_module\n", "needs the module no_such_module"),
    "cannot be read": ("def make(:\n", "SyntaxError"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_function_that_fails_is_named_with_the_reason(kind: str, folder: Path) -> None:
    text, words = FUNCTIONS[kind]
    name = written(folder, text)
    with pytest.raises(NamedProblem) as problem:
        call_named(f"{name}:make", "an nn.Module")
    said = str(problem.value)
    assert re.search(words, said), said
    assert said.startswith(f"{name}:make")
    assert "\n" not in said and said.endswith(".")


@pytest.mark.parametrize("name", ["mynet", "mynet.Net", "a/b:Net", "a:b c", ":Net", "a.py:Net:x"])
def test_names_have_one_form(name: str) -> None:
    for call in (named_file, lambda x: call_named(x, "it")):
        with pytest.raises(NamedProblem, match=r'write "package.module:function"'):
            call(name)


def test_a_module_that_is_not_there_is_refused_without_importing_any(folder: Path) -> None:
    name = written(folder, "raise SystemExit\n")
    assert named_file(f"{name}:Net") is not None
    for wrong in ("no_such_module_anywhere:Net", f"{name}.inner:Net"):
        with pytest.raises(NamedProblem, match="there is no module"):
            named_file(wrong)


def test_the_folder_comes_first_while_its_modules_are_looked_for_and_last_afterwards(
    folder: Path,
) -> None:
    import sys

    name = written(folder, "def make(): return 1\n")
    assert call_named(f"{name}:make", "a number") == 1
    assert sys.path[-1] == str(folder) and sys.path[0] != str(folder)


def test_data_and_modules_that_do_not_fit_each_other_are_refused(folder: Path) -> None:
    name = written(
        folder, "from torch import nn\ndef make(): return nn.Linear(8, 3)\ndef no(): return 3\n"
    )
    description = {"module": f"{name}:make", "item": None, "data": None, "tokens": 0}
    architecture = architecture_of(description)
    assert architecture.item == (8,)
    for x, y, words in (
        (X.reshape(6, 8), Y + 5, "label 5 of item 0 is no class of networks with 3 outputs"),
        (X[:, :, :3].reshape(6, 6), Y, r"the module reads \(8,\)"),
    ):
        np.savez("data.npz", x=x, y=y)
        with pytest.raises((ItemProblem, DataProblem), match=words) as problem:
            data_of({"own": "data.npz"}, None, architecture)
        assert "data.npz" in str(problem.value)
    assert data_of({"own": None}, None, architecture) is None
    with pytest.raises(ArchitectureProblem, match="gives int"):
        architecture_of({**description, "module": f"{name}:no"})
