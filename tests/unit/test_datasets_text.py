import csv
from pathlib import Path

import numpy as np
import pytest

from nodeflow.datasets import (
    FILES,
    FORMS,
    VOCABULARIES,
    DataProblem,
    dataset_available,
    load_dataset,
)
from nodeflow.datasets.text import vocabulary_of


def test_the_most_frequent_tokens_have_numbers_and_ties_go_by_the_alphabet() -> None:
    found = vocabulary_of(["B a, a! c", "A b. d"], 6)
    assert found == {"a": 3, "b": 4, "!": 5}


def write_fortunes(folder: Path) -> dict[str, list[str]]:
    written = {}
    for number, topic in enumerate(FILES["fortunes"]):
        texts = [f"{topic} number {k}\n\tsaid topic{number} twice topic{number}" for k in range(30)]
        (folder / topic).write_text("\n%\n".join([*texts, "everywhere the same"]) + "\n%\n")
        written[topic] = texts
    return written


def test_fortunes_are_texts_with_topics(tmp_path: Path) -> None:
    assert not dataset_available("fortunes", tmp_path)
    written = write_fortunes(tmp_path)
    data = load_dataset("fortunes", tmp_path)
    item, classes = FORMS["fortunes"]
    y = np.concatenate([data.train_y, data.validation_y, data.test_y])
    x = np.concatenate([data.train_x, data.validation_x, data.test_x])
    assert len(y) == sum(map(len, written.values())) + 1, "a text that is repeated counts once"
    assert data.classes == classes == len(set(y)) and x.shape[1:] == item
    assert (x[:, 0] == 1).all() and x.max() < VOCABULARIES["fortunes"] and x.dtype == np.float32
    for topic in range(classes):
        shared = set.intersection(*(set(row) for row, t in zip(x, y, strict=True) if t == topic))
        if topic > 0:  # the text that stands everywhere counts for the first
            assert len(shared - {0, 1, 2}) >= 4, "number, said, twice and the topic's own word"
    assert (data.train_x[data.train_y > 0] != 2).all(1).mean() > 0.9, "few words are unknown"


def test_damaged_fortunes_are_one_line(tmp_path: Path) -> None:
    write_fortunes(tmp_path)
    (tmp_path / "science").write_text("one text")
    with pytest.raises(DataProblem, match="science holds fewer"):
        load_dataset("fortunes", tmp_path)
    (tmp_path / "science").write_bytes(b"\xff\xfe" * 100)
    with pytest.raises(DataProblem, match="science cannot be read"):
        load_dataset("fortunes", tmp_path)
    (tmp_path / "science").unlink()
    with pytest.raises(DataProblem, match=r"apt-get install fortunes.*zoo\.downloads"):
        load_dataset("fortunes", tmp_path)


def write_reviews(path: Path, rows: list[tuple[int, str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)


def test_yelp_reviews_are_read_with_their_quotes_and_line_breaks(tmp_path: Path) -> None:
    rows = [(1 + k % 5, f'Review {k}: "good", they say\\nSecond line') for k in range(26)]
    write_reviews(tmp_path / "train.csv", rows)
    write_reviews(tmp_path / "test.csv", [(5, "good unheard review"), (1, "")])
    data = load_dataset("yelp", tmp_path)
    assert (len(data.train_y), len(data.validation_y), len(data.test_y)) == (24, 2, 2)
    assert data.classes == 1 and data.train_y.dtype == np.float32
    assert list(data.test_y) == [1, 0] and np.allclose(data.train_y[:5], [0, 0.25, 0.5, 0.75, 1])
    numbers = vocabulary_of([text.replace("\\n", " ") for _, text in rows[:24]], 30_522)
    assert list(data.test_x[0, :5]) == [1, numbers["good"], 2, numbers["review"], 0]
    assert list(data.test_x[1, :2]) == [1, 0]
    words = ["review", "0", ":", '"', "good", '"', ",", "they", "say", "second", "line"]
    assert list(data.train_x[0, 1:13]) == [*(numbers[word] for word in words), 0]


def test_damaged_reviews_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match=r"train\.csv, test\.csv"):
        load_dataset("yelp", tmp_path)
    write_reviews(tmp_path / "train.csv", [(3, "text")] * 30)
    (tmp_path / "test.csv").write_text('"3","a whole review"\n"4","half a rev')
    with pytest.raises(DataProblem, match=r"test\.csv cannot be read at row 2"):
        load_dataset("yelp", tmp_path)
    for rows in ('"6","text"\n', '"3"\n', '"","text"\n', "<html>\n"):
        (tmp_path / "test.csv").write_text(rows)
        with pytest.raises(DataProblem, match=r"test\.csv.*stars"):
            load_dataset("yelp", tmp_path)


def test_reviews_that_were_cut_between_two_rows_are_one_line(tmp_path: Path) -> None:
    for train, test, file, found, expected in (
        (25, 2, "train", 25, 26),
        (26, 3, "train", 26, 39),
        (39, 2, "test", 2, 3),
    ):
        for name, count in (("train", train), ("test", test)):
            write_reviews(tmp_path / f"{name}.csv", [(3, "text")] * count)
        words = rf"{file}\.csv holds {found} reviews, and {expected} go with .*fetch it anew"
        with pytest.raises(DataProblem, match=words):
            load_dataset("yelp", tmp_path)


def test_california_is_what_scikit_learn_makes_of_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = rng.uniform(1, 100, (20_640, 9))
    table[:, 8] = 100 * rng.permutation(20_640)  # no two alike, so that items can be told by them
    np.savetxt(tmp_path / "cal_housing.data", table, delimiter=",", fmt="%.6f")
    data = load_dataset("california", tmp_path)
    y = np.concatenate([data.train_y, data.validation_y, data.test_y])
    assert np.allclose(np.sort(y), np.sort(table[:, 8]) / 1e5, rtol=1e-6) and data.classes == 1
    assert np.allclose(data.train_x.mean(0), 0, atol=1e-6)
    # Average rooms and average occupancy, up to the scale, of the item with the largest value.
    raw = np.stack([table[:, 3] / table[:, 6], table[:, 5] / table[:, 6]], 1)
    order = np.argsort(table[:, 8])
    x = np.concatenate([data.train_x, data.validation_x, data.test_x])[np.argsort(y)]
    for column, feature in zip((2, 5), raw.T, strict=True):
        assert np.corrcoef(x[:, column], feature[order])[0, 1] > 1 - 1e-6
    lines = (tmp_path / "cal_housing.data").read_text().splitlines(keepends=True)
    for text in ("", "a,b,c\n", "1,2,3\n" * 20_640, "".join(lines[:-1])):
        (tmp_path / "cal_housing.data").write_text(text)
        with pytest.raises(DataProblem, match=r"cal_housing\.data"):
            load_dataset("california", tmp_path)
