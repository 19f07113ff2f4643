"""Texts as rows of tokens, and two data sets of them.

A token is a word or a mark, in small letters. The vocabulary is that of the training texts: the
most frequent ones, of equally frequent ones those that come first in the alphabet. Every text
begins with the token that a network reads its answer from, and is cut or filled up to one length.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from nodeflow.datasets.dataset import DataProblem, Dataset, check_proportions, damaged, thirds

__all__ = [
    "DEBIAN_FORTUNES",
    "FORTUNES_FILES",
    "FORTUNES_VOCABULARY",
    "YELP_FILES",
    "YELP_VOCABULARY",
    "fortunes",
    "vocabulary_of",
    "yelp",
]

DEBIAN_FORTUNES = Path("/usr/share/games/fortunes")
"""Where Debian's package fortunes puts its files."""

FORTUNES_FILES = (
    "people",
    "definitions",
    "computers",
    "songs-poems",
    "politics",
    "work",
    "science",
)
"""The collections of more than 600 texts with a topic of their own; a text's class is its place."""

FORTUNES_VOCABULARY = 1024
FORTUNES_LENGTH = 32

YELP_FILES = ("train.csv", "test.csv")
YELP_VOCABULARY = 30_522
YELP_LENGTH = 128
_YELP_TRAINING, _YELP_VALIDATION, _YELP_TEST = 100_000, 8_000, 20_000
_YELP_TRAIN_TO_TEST = 13
_STARS = 5

_FILLER, _START, _UNKNOWN = range(3)
_WORD = re.compile(r"\w+|[^\w\s]")


def vocabulary_of(texts: Sequence[str], size: int) -> dict[str, int]:
    """Numbers of the most frequent tokens, so that with the three special ones there are `size`."""
    counts = Counter(word for text in texts for word in _words(text))
    order = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: number for number, word in enumerate(order[: size - 3], 3)}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _tokens(texts: Sequence[str], numbers: dict[str, int], length: int) -> np.ndarray:
    rows = np.full((len(texts), length), _FILLER, dtype=np.float32)
    rows[:, 0] = _START
    for row, text in zip(rows, texts, strict=True):
        tokens = [numbers.get(word, _UNKNOWN) for word in _words(text)[: length - 1]]
        row[1 : 1 + len(tokens)] = tokens
    return rows


def fortunes(folder: Path) -> Dataset:
    """Topics of the short texts in the collections of the program fortune.

    Each file holds texts with a line "%" between them. A text that stands in several places counts
    once, where it comes first.
    """
    topics: dict[str, int] = {}
    for topic, file in enumerate(FORTUNES_FILES):
        try:
            content = (folder / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise damaged(folder / file, f"cannot be read ({error})") from error
        entries = [" ".join(text.split()) for text in re.split(r"^%$", content, flags=re.MULTILINE)]
        if sum(map(bool, entries)) < 10:
            raise damaged(folder / file, "holds fewer than 10 texts with lines % between them")
        for text in filter(None, entries):
            topics.setdefault(text, topic)
    texts = list(topics)
    places = np.arange(len(texts))[:, None]
    split = thirds("fortunes", places, np.array(list(topics.values())), len(FORTUNES_FILES))
    parts = [
        [texts[int(index)] for index in part[:, 0]]
        for part in (split.train_x, split.validation_x, split.test_x)
    ]
    numbers = vocabulary_of(parts[0], FORTUNES_VOCABULARY)
    train, validation, test = (_tokens(part, numbers, FORTUNES_LENGTH) for part in parts)
    return Dataset(
        "fortunes",
        train,
        split.train_y,
        validation,
        split.validation_y,
        test,
        split.test_y,
        len(FORTUNES_FILES),
    )


def yelp(folder: Path) -> Dataset:
    """The stars of Yelp reviews (Zhang, Zhao & LeCun 2015), 1 to 5 as a number from 0 to 1.

    As in Gupta et al. 2026 (arXiv:2601.05052) the first 100,000 training reviews are learned from
    and the first 20,000 test reviews are the test; unlike there, the 8,000 validation reviews are
    the next ones of the training reviews, and tokens are words.
    """
    paths = [folder / file for file in YELP_FILES]
    reviews = [_every_review(path) for path in paths]
    most = (_YELP_TRAINING + _YELP_VALIDATION, _YELP_TEST)
    train, test = (list(islice(of_class, m)) for of_class, m in zip(reviews, most, strict=True))
    if len(train) < most[0] or len(test) < most[1]:
        whole = [
            len(part) + sum(1 for _ in rest)
            for part, rest in zip((train, test), reviews, strict=True)
        ]
        # The test file first: where neither has the right number, it is the one to name.
        counts = dict(zip(reversed(paths), reversed(whole), strict=True))
        check_proportions(counts, {paths[0]: _YELP_TRAIN_TO_TEST, paths[1]: 1}, "reviews")
    count = min(_YELP_TRAINING, len(train) * _YELP_TRAINING // (_YELP_TRAINING + _YELP_VALIDATION))
    if count == 0 or count == len(train) or not test:
        raise DataProblem(f"{folder}: yelp needs at least 2 training reviews and a test review.")
    numbers = vocabulary_of([text for _, text in train[:count]], YELP_VOCABULARY)
    tokens, stars = [], []
    for part in (train[:count], train[count:], test):
        tokens.append(_tokens([text for _, text in part], numbers, YELP_LENGTH))
        stars.append(np.array([score for score, _ in part], dtype=np.float32))
    return Dataset("yelp", tokens[0], stars[0], tokens[1], stars[1], tokens[2], stars[2], classes=1)


def _every_review(path: Path) -> Iterator[tuple[float, str]]:
    r"""Stars from 0 to 1 and text of each row: "stars","text", line breaks being written \n."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, strict=True)  # a file that ends within a review is cut short
        try:
            for row in rows:
                if len(row) != 2 or row[0] not in set("12345"):
                    raise damaged(path, f'holds a row that is no "stars","text": {row[:1]}')
                yield (int(row[0]) - 1) / (_STARS - 1), row[1].replace("\\n", " ")
        except (csv.Error, UnicodeDecodeError) as error:
            raise damaged(path, f"cannot be read at row {rows.line_num} ({error})") from error
