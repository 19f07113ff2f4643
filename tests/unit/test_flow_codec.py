from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from nodeflow.flow.codec import (
    CodecProblem,
    CodecSettings,
    PcaCodec,
    SpanCodec,
    codec_from_tensors,
    codec_to_tensors,
    fit_codec,
    flatten,
    unflatten,
)
from nodeflow.tensors import TensorProblem

SHAPES = {"a.weight": (3, 2), "a.bias": (3,), "b.weight": (2, 3), "c": (1, 2, 2)}
D = sum(math.prod(shape) for shape in SHAPES.values())


def rows_of(members: int, size: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(members, size)) * rng.uniform(0.1, 3, size) + rng.normal(size=size)


@given(members=st.integers(1, 5), seed=st.integers(0, 99))
def test_unflatten_is_the_inverse_of_flatten(members: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    stacked = {n: torch.randn(members, *s, generator=generator) for n, s in SHAPES.items()}
    rows = flatten(stacked, SHAPES)
    assert rows.shape == (members, D)
    back = unflatten(rows, SHAPES)
    assert list(back) == list(SHAPES)
    assert all(torch.equal(back[name], stacked[name]) for name in SHAPES)
    assert rows[0, 7] == stacked["a.bias"][0, 1]


def test_flatten_and_unflatten_refuse_what_does_not_fit() -> None:
    stacked = unflatten(rows_of(3, D), SHAPES)
    with pytest.raises(TensorProblem, match="missing"):
        flatten({"a.weight": stacked["a.weight"]}, SHAPES)
    with pytest.raises(TensorProblem, match="shape"):
        flatten(stacked | {"a.bias": stacked["a.bias"][:, :2]}, SHAPES)
    with pytest.raises(TensorProblem, match="different lengths"):
        flatten(stacked | {"a.bias": stacked["a.bias"][:2]}, SHAPES)
    with pytest.raises(CodecProblem, match="needs 19"):
        unflatten(np.zeros((2, D + 1)), SHAPES)


@pytest.mark.parametrize("standardize", ["none", "global"])
@pytest.mark.parametrize(("members", "size"), [(7, 40), (60, 9)])
def test_full_rank_codes_lose_nothing(members: int, size: int, standardize: str) -> None:
    rows = rows_of(members, size)
    for kind in ("pca", "raw"):
        codec = fit_codec(rows, CodecSettings(kind, None, standardize))
        assert np.abs(codec.decode(codec.encode(rows)) - rows).max() < 1e-12
        expected = min(members - 1, size) if kind == "pca" else size
        assert codec.size == expected
        if isinstance(codec, PcaCodec):
            assert codec.kept == 1


@pytest.mark.parametrize(("members", "size"), [(20, 50), (80, 12)])
def test_principal_coordinates_agree_with_scikit_learn(members: int, size: int) -> None:
    rows, rank = rows_of(members, size), 6
    codec = fit_codec(rows, CodecSettings("pca", rank, "none"))
    pca = PCA(rank, svd_solver="full").fit(rows)
    assert isinstance(codec, PcaCodec)
    assert codec.spectrum[:rank] == pytest.approx(pca.explained_variance_, rel=1e-10)
    assert codec.kept == pytest.approx(pca.explained_variance_ratio_.sum(), rel=1e-10)
    signs = np.sign((codec.basis * pca.components_).sum(axis=1))
    assert np.abs(codec.basis - signs[:, None] * pca.components_).max() < 1e-9
    assert np.abs(codec.encode(rows) - signs * pca.transform(rows)).max() < 1e-9
    new = rows_of(5, size, seed=1)
    assert (
        np.abs(codec.decode(codec.encode(new)) - pca.inverse_transform(pca.transform(new))).max()
        < 1e-9
    )


def test_no_orthogonal_basis_of_the_same_rank_loses_less() -> None:
    rows = rows_of(15, 30)
    codec = fit_codec(rows, CodecSettings("pca", 4, "none"))
    assert isinstance(codec, PcaCodec)
    lost = ((codec.decode(codec.encode(rows)) - rows) ** 2).sum()
    assert lost == pytest.approx(codec.spectrum[4:].sum() * 14, rel=1e-10)
    rng = np.random.default_rng(3)
    centred = rows - rows.mean(axis=0)
    for _ in range(20):
        other, _ = np.linalg.qr(codec.basis.T + 0.05 * rng.normal(size=(30, 4)))
        assert ((centred - centred @ other @ other.T) ** 2).sum() > lost


def test_codes_have_the_variance_that_standardize_promises() -> None:
    rows = rows_of(40, 25)
    for kind in ("pca", "raw"):
        whole = fit_codec(rows, CodecSettings(kind, None, "global")).encode(rows)
        assert whole.var(axis=0, ddof=1).mean() == pytest.approx(1)
        assert np.abs(whole.mean(axis=0)).max() < 1e-12
    plain = fit_codec(rows, CodecSettings("pca", None, "none")).encode(rows)
    distances = np.linalg.norm(plain[:, None] - plain[None], axis=2)
    assert distances == pytest.approx(np.linalg.norm(rows[:, None] - rows[None], axis=2))


def test_repeated_members_span_fewer_directions() -> None:
    distinct = rows_of(6, 30)
    rows = np.concatenate([distinct, distinct[:3]])
    codec = fit_codec(rows, CodecSettings("pca", None, "global"))
    assert codec.size == 5
    assert np.abs(codec.decode(codec.encode(rows)) - rows).max() < 1e-12
    with pytest.raises(CodecProblem, match="span 5 directions"):
        fit_codec(rows, CodecSettings("pca", 6))
    with pytest.raises(CodecProblem, match="same network"):
        fit_codec(np.repeat(distinct[:1], 4, axis=0), CodecSettings("pca"))
    with pytest.raises(CodecProblem, match="finite"):
        fit_codec(np.where(distinct == distinct[0, 0], np.nan, distinct), CodecSettings("pca"))


@settings(max_examples=20)
@given(order=st.permutations(range(8)))
def test_the_order_of_members_does_not_change_the_codes(order: list[int]) -> None:
    rows = rows_of(8, 20)
    first = fit_codec(rows, CodecSettings("pca", 5)).encode(rows)
    again = fit_codec(rows[order], CodecSettings("pca", 5)).encode(rows[order])
    assert np.abs(first[order] - again).max() < 1e-9


def test_a_constant_parameter_survives_standardizing() -> None:
    rows = rows_of(10, 6)
    rows[:, 2] = 0.25
    codec = fit_codec(rows, CodecSettings("raw", None, "global"))
    codes = codec.encode(rows)
    assert np.isfinite(codes).all() and (codes[:, 2] == 0).all()
    assert (codec.decode(codes)[:, 2] == 0.25).all()


@pytest.mark.parametrize("kind", ["raw", "pca"])
def test_stored_codecs_are_the_same(kind: str) -> None:
    rows = rows_of(10, 6)
    codec = fit_codec(rows, CodecSettings(kind))
    again = codec_from_tensors(kind, codec_to_tensors(codec))
    assert not isinstance(again, SpanCodec)
    assert (again.encode(rows) == codec.encode(rows)).all()


def test_settings_refuse_nonsense() -> None:
    for wrong in [("svd", None, "none"), ("raw", 3, "none"), ("pca", 0, "none"), ("pca", 1, "x")]:
        with pytest.raises(CodecProblem):
            CodecSettings(*wrong)


def test_a_decoded_row_depends_on_its_code_alone() -> None:
    rng = np.random.default_rng(0)
    codec = fit_codec(rng.normal(size=(40, 301)), CodecSettings())
    codes = rng.normal(size=(150, codec.size))
    whole = codec.decode(codes)
    for some in (slice(0, 1), slice(60, 70), slice(149, 150), [3, 140, 77]):
        assert (codec.decode(codes[some]) == whole[some]).all()
