from pathlib import Path

import numpy as np
import pytest

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
        rows = rng.integers(0, 256, (images, 3072 + len(name) - 6), dtype=np.uint8)
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
        with pytest.raises(DataProblem, match=f"{FILES[name][0]}.*name one, or leave"):
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
