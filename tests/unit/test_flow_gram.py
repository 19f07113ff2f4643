from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from nodeflow.flow.codec import CodecProblem
from nodeflow.flow.gram import Columns, GramPca, decode_columns, gram_pca
from nodeflow.tables import FileProblem
from nodeflow.zoo.store import Block, open_blocks, write_block
from tests.unit.memory import growth

ROWS = np.random.default_rng(0).normal(1, [3.0] * 100 + [0.5] * 207, (30, 307))


def columns_of(rows: np.ndarray, size: int = 50) -> Columns:
    def columns() -> Iterator[np.ndarray]:
        for start in range(0, rows.shape[1], size):
            yield rows[:, start : start + size]

    return columns


def decoded_by(pca: GramPca, codes: np.ndarray, size: int = 50) -> np.ndarray:
    parts = decode_columns(columns_of(ROWS, size), pca.spectrum, pca.coefficients, codes)
    return np.concatenate(list(parts), 1)


def test_components_are_those_of_scikit_learn() -> None:
    found, expected = gram_pca(columns_of(ROWS)), PCA(svd_solver="full").fit(ROWS)
    assert np.allclose(found.spectrum, expected.explained_variance_[:29], rtol=1e-12)
    codes = expected.transform(ROWS)[:, :29]
    signs = np.sign((codes * found.codes).sum(0))
    assert np.allclose(found.codes, codes * signs, atol=1e-10)
    assert np.isclose(found.kept(5), expected.explained_variance_ratio_[:5].sum(), rtol=1e-12)
    decoded = np.concatenate(
        list(
            decode_columns(columns_of(ROWS), found.spectrum, found.coefficients, found.codes[:, :7])
        ),
        1,
    )
    short = codes * (np.arange(29) < 7)
    assert np.allclose(decoded, short @ expected.components_[:29] + expected.mean_, atol=1e-10)


def test_all_components_lose_nothing_and_the_width_of_a_pass_does_not_matter() -> None:
    found = gram_pca(columns_of(ROWS, 11))
    decoded = np.concatenate(
        list(decode_columns(columns_of(ROWS, 64), found.spectrum, found.coefficients, found.codes)),
        1,
    )
    assert np.allclose(decoded, ROWS, atol=1e-10)
    other = gram_pca(columns_of(ROWS, 307))
    assert np.allclose(found.codes, other.codes, atol=1e-9)


def test_what_has_no_components_is_one_line() -> None:
    for rows in (ROWS[:1], ROWS[:, :0], np.where(ROWS[3, 5] == ROWS, np.nan, ROWS)):
        with pytest.raises(CodecProblem, match="at least two networks"):
            gram_pca(columns_of(rows))
    with pytest.raises(CodecProblem, match="same network"):
        gram_pca(columns_of(np.repeat(ROWS[:1], 4, 0)))


def test_columns_of_blocks_are_the_flattened_networks_in_order(tmp_path: Path) -> None:
    weight, bias = torch.randn(6, 5, 3), torch.randn(6, 5)
    statistics = {"norm.running_mean": torch.zeros(6, 5)}
    block = Block(np.arange(6), {"weight": weight, "bias": bias}, statistics)
    paths = [tmp_path / "b1", tmp_path / "b0"]
    for path, members in zip(paths, ([4, 5], [0, 1, 2, 3]), strict=True):
        write_block(path, block.take(members), {"zoo": "test"})
    flat = torch.cat([weight.flatten(1), bias], 1).numpy()
    for size in (1, 7, 100):
        parts = list(open_blocks(paths).columns(size))
        assert max(part.shape[1] for part in parts) <= max(size, 3)
        assert np.array_equal(np.concatenate(parts, 1), flat)
    some = open_blocks(paths, [{"zoo": "test"}] * 2).split(3)[0]
    assert np.array_equal(np.concatenate(list(some.columns()), 1), flat[:3])
    with pytest.raises(FileProblem, match="other"):
        open_blocks(paths, [{"zoo": "other"}] * 2)


@pytest.mark.slow
def test_ten_million_parameters_of_a_hundred_networks_take_little_memory(tmp_path: Path) -> None:
    """Four gigabytes of weights, of which a pass holds some megabytes."""
    size, networks, step = 10_000_000, 100, 50_000

    def columns() -> Iterator[np.ndarray]:
        for start in range(0, size, step):
            part = np.random.default_rng(start).standard_normal((networks, step), np.float32)
            yield part * (3.0 if start < size // 2 else 1.0)

    def work() -> None:
        pca = gram_pca(columns)
        first = next(iter(columns()))
        decoded = next(decode_columns(columns, pca.spectrum, pca.coefficients, pca.codes))
        assert np.allclose(decoded, first, atol=1e-9)
        assert np.isclose(pca.spectrum.sum(), 5 * size, rtol=1e-3)

    assert growth(work) < 1_000_000  # KiB
