from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from nodeflow.datasets import DataProblem, dataset_available, load_dataset

FILES = {
    "cifar10": [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"],
    "cifar100": ["train.bin", "test.bin"],
}


def rows_of(name: str, folder: Path, images: int = 6) -> list[np.ndarray]:
    """Write files in the true format, each of some images; returns their rows."""
    rng = np.random.default_rng(0)
    written = []
    for file in FILES[name]:
        count = 5 * images if file == "train.bin" else images
        rows = rng.integers(0, 256, (count, 3072 + len(name) - 6), dtype=np.uint8)
        rows[:, 0] %= 10 if name == "cifar10" else 20
        if name == "cifar100":
            rows[:, 1] %= 100
        (folder / file).write_bytes(rows.tobytes())
        written.append(rows)
    return written


@pytest.mark.parametrize("name", FILES)
def test_the_binary_version_is_read(name: str, tmp_path: Path) -> None:
    assert not dataset_available(name) and not dataset_available(name, tmp_path)
    *train, test = rows_of(name, tmp_path)
    labels = test.shape[1] - 3072
    data, rows = load_dataset(name, tmp_path), np.concatenate(train)
    x, y = np.concatenate([data.train_x, data.validation_x]), rows[:, labels - 1]
    assert len(data.validation_y) == len(rows) // 6 and x.dtype == np.float32
    assert np.array_equal(np.round(x * 255), rows[:, labels:])
    assert np.array_equal(np.concatenate([data.train_y, data.validation_y]), y)
    assert np.array_equal(np.round(data.test_x * 255), test[:, labels:])
    assert np.array_equal(data.test_y, test[:, labels - 1])
    assert data.classes == (10 if name == "cifar10" else 100)


@pytest.mark.parametrize("name", FILES)
def test_missing_and_damaged_files_are_one_line(name: str, tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        with pytest.raises(
            DataProblem, match=f"{FILES[name][0]}.*zoo.folders.*zoo.downloads, or leave"
        ):
            load_dataset(name, folder)
    rows_of(name, tmp_path)
    last = tmp_path / FILES[name][-1]
    whole = last.read_bytes()
    for content, message in (
        (whole[:-1], "whole number of rows"),
        (b"", "whole number of rows"),
        (b"\xff" * len(whole), "label above"),
    ):
        last.write_bytes(content)
        with pytest.raises(DataProblem, match=message):
            load_dataset(name, tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_between_two_rows_is_one_line(name: str, tmp_path: Path) -> None:
    whole = rows_of(name, tmp_path)
    for file, rows in zip(FILES[name], whole, strict=True):
        rows[:-1].tofile(tmp_path / file)
        words = f"{file} holds {len(rows) - 1} rows, and {len(rows)} go with .*fetch it anew"
        with pytest.raises(DataProblem, match=words):
            load_dataset(name, tmp_path)
        rows.tofile(tmp_path / file)
    load_dataset(name, tmp_path)


def write_stl10(folder: Path, train: int = 12, test: int = 4) -> dict[str, np.ndarray]:
    """Files as published: channels, then columns, then rows of each image; labels from 1."""
    rng = np.random.default_rng(1)
    images = {
        half: rng.integers(0, 256, (count, 3, 96, 96), dtype=np.uint8)  # channel, row, column
        for half, count in (("train", train), ("test", test))
    }
    for half, pixels in images.items():
        pixels.transpose(0, 1, 3, 2).tofile(folder / f"{half}_X.bin")
        (1 + np.arange(len(pixels), dtype=np.uint8) % 10).tofile(folder / f"{half}_y.bin")
    return images


def test_stl10_is_read_upright_and_made_smaller_by_means(tmp_path: Path) -> None:
    images = write_stl10(tmp_path)
    data = load_dataset("stl10", tmp_path)
    found = np.concatenate([data.train_x, data.validation_x]).reshape(-1, 3, 32, 32)
    row, column = 7, 20
    patch = images["train"][5, 2, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
    assert found[5, 2, row, column] == pytest.approx(patch.mean() / 255, rel=1e-6)
    assert len(data.validation_y) == 2 and data.test_x.shape == (4, 3072)
    assert list(data.test_y) == [0, 1, 2, 3] and data.train_x.dtype == np.float32
    (tmp_path / "test_y.bin").write_bytes(b"\x00\x01\x02\x03")
    with pytest.raises(DataProblem, match="label of 1 to 10"):
        load_dataset("stl10", tmp_path)
    (tmp_path / "train_X.bin").write_bytes(b"\x00" * 100)
    with pytest.raises(DataProblem, match="whole number"):
        load_dataset("stl10", tmp_path)


@pytest.mark.parametrize("compressed", [True, False])
def test_svhn_is_read_from_matlab_files(tmp_path: Path, compressed: bool) -> None:
    rng = np.random.default_rng(2)
    arrays = {}
    for file, count in (("train_32x32.mat", 13), ("test_32x32.mat", 5)):
        x = rng.integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        y = (1 + np.arange(count, dtype=np.uint8) % 10)[:, None]
        savemat(tmp_path / file, {"X": x, "y": y}, do_compression=compressed)
        arrays[file] = x
    data = load_dataset("svhn", tmp_path)
    assert list(data.test_y) == [1, 2, 3, 4, 5] and 0 in data.train_y, "label 10 is the digit 0"
    image = data.test_x[3].reshape(3, 32, 32)
    assert np.array_equal(
        np.round(image * 255), arrays["test_32x32.mat"][:, :, :, 3].transpose(2, 0, 1)
    )
    whole = (tmp_path / "test_32x32.mat").read_bytes()
    for content, message in (
        (whole[: len(whole) // 2], "Matlab file|holds"),
        (b"MATLAB 5.0" + b"\x80\x04\x95" * 100, "Matlab file"),
    ):
        (tmp_path / "test_32x32.mat").write_bytes(content)
        with pytest.raises(DataProblem, match=message):
            load_dataset("svhn", tmp_path)
    savemat(tmp_path / "test_32x32.mat", {"X": np.zeros((32, 32, 3, 2)), "y": np.ones((2, 1))})
    with pytest.raises(DataProblem, match="32×32×3×n bytes"):
        load_dataset("svhn", tmp_path)
