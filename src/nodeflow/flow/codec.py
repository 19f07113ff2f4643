"""From stacked network parameters to flat rows, from rows to short codes, and back.

A codec is fitted on the training members of a zoo only. The flow model learns a distribution of
codes; a sampled code is decoded to a row and the row is cut back into named parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from nodeflow.flow.settings import CodecProblem, CodecSettings
from nodeflow.tensors import Shapes, all_finite, arrange
from nodeflow.threads import one_thread_if_small

__all__ = [
    "Codec",
    "CodecProblem",
    "CodecSettings",
    "PcaCodec",
    "RawCodec",
    "Shapes",
    "SpanCodec",
    "codec_from_tensors",
    "codec_to_tensors",
    "finite_rows",
    "fit_codec",
    "flatten",
    "scale_of",
    "unflatten",
]

_BLOCK = 64


def flatten(
    parameters: Mapping[str, Tensor], shapes: Shapes, what: str = "the networks"
) -> np.ndarray:
    """Stacked parameters as one row per network.

    Args:
        parameters: name → tensor (K, *shape), in any order.
        shapes: name → shape of one network's tensor; its order is the order within a row.
        what: they are, for the text of an error.

    Returns:
        Array (K, D) in the parameters' own precision, at least float32.

    Raises:
        TensorProblem: the parameters do not have these shapes; see `nodeflow.tensors.arrange`.
    """
    tensors = arrange(parameters, shapes, what=what)
    rows = [tensor.cpu().reshape(len(tensor), -1).numpy() for tensor in tensors.values()]
    return np.concatenate(rows, axis=1)


def finite_rows(parameters: Mapping[str, Tensor], shapes: Shapes, what: str) -> np.ndarray:
    """As `flatten`, of networks whose values are all finite.

    Raises:
        TensorProblem: also where one is not.
    """
    tensors = arrange(parameters, shapes, what=what)
    all_finite(tensors, what)
    return flatten(tensors, shapes, what)


def unflatten(rows: np.ndarray, shapes: Shapes) -> dict[str, Tensor]:
    """Cut rows (K, D) back into stacked parameters (K, *shape); the inverse of `flatten`.

    Raises:
        CodecProblem: the rows are not as long as the shapes ask.
    """
    sizes = [math.prod(shape) for shape in shapes.values()]
    if rows.shape[1] != sum(sizes):
        raise CodecProblem(
            f"rows have {rows.shape[1]} numbers; the architecture needs {sum(sizes)} parameters."
        )
    pieces = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
    return {
        name: torch.from_numpy(piece.reshape(len(rows), *shape))
        for (name, shape), piece in zip(shapes.items(), pieces, strict=True)
    }


# --- codecs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RawCodec:
    """Every parameter is a coordinate: code = (row − mean) / scale.

    Attributes:
        mean: (D,); zeros unless standardized.
        scale: (D,); ones unless standardized.
    """

    kind: ClassVar[str] = "raw"
    mean: np.ndarray
    scale: np.ndarray

    @property
    def size(self) -> int:
        """Length k of a code, here D."""
        return len(self.scale)

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Codes (K, D) of rows (K, D), in float64."""
        codes: np.ndarray = (rows.astype(np.float64) - self.mean) / self.scale
        return codes

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Rows (K, D) of codes (K, D), in float64."""
        rows: np.ndarray = codes.astype(np.float64) * self.scale + self.mean
        return rows


class _Principal:
    """What codes along principal directions have in common."""

    scale: np.ndarray
    spectrum: np.ndarray

    @property
    def size(self) -> int:
        """Length k of a code."""
        return len(self.scale)

    @property
    def kept(self) -> float:
        """Share of the training members' total variance that the codes keep."""
        return float(self.spectrum[: self.size].sum() / self.spectrum.sum())


@dataclass(frozen=True)
class PcaCodec(_Principal):
    """Principal coordinates: code = (row − mean) · basisᵀ / scale.

    Attributes:
        mean: (D,) mean of the training members.
        basis: (k, D) orthonormal rows, by falling variance.
        scale: (k,); ones unless standardized.
        spectrum: variances along all directions that the members span, falling; the first k are
            those of the codes.
    """

    kind: ClassVar[str] = "pca"
    mean: np.ndarray
    basis: np.ndarray
    scale: np.ndarray
    spectrum: np.ndarray

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Codes (K, k) of rows (K, D), in float64; rows outside the span are projected onto it."""
        codes: np.ndarray = (rows.astype(np.float64) - self.mean) @ self.basis.T / self.scale
        return codes

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Rows (K, D) of codes (K, k), in float64; a non-finite code gives a non-finite row.

        A row depends on its code alone, to the last bit: products are taken in blocks of one size,
        because those of other sizes round differently.
        """
        rows = np.empty((len(codes), len(self.mean)))
        block = np.zeros((_BLOCK, self.size))
        for start in range(0, len(codes), _BLOCK):
            some = codes[start : start + _BLOCK]
            block[: len(some)] = some
            with np.errstate(invalid="ignore", over="ignore"):
                decoded = (block * self.scale) @ self.basis + self.mean
            rows[start : start + _BLOCK] = decoded[: len(some)]
        return rows


@dataclass(frozen=True)
class SpanCodec(_Principal):
    """Principal coordinates of networks that are not in memory: what members mix to each direction.

    `nodeflow.flow.gram` makes it, and decodes with it.

    Attributes:
        coefficients: (N, r); direction j is the sum of coefficients[i, j] · (member i − mean),
            divided by its length.
        scale: (k,); ones unless standardized.
        spectrum: (r,) variances along all directions that the members span, falling.
    """

    kind: ClassVar[str] = "span"
    coefficients: np.ndarray
    scale: np.ndarray
    spectrum: np.ndarray


Codec = RawCodec | PcaCodec


@one_thread_if_small
def fit_codec(rows: np.ndarray, settings: CodecSettings) -> Codec:
    """Fit a codec on the training members.

    The principal coordinates come from an exact eigendecomposition in float64, of the K × K Gram
    matrix or of the D × D covariance, whichever is smaller; no random projection, no batches. Each
    direction's sign makes its largest entry positive, so equal members give equal codes.

    Args:
        rows: (K, D) flat parameters of the training members, K ≥ 2.
        settings: kind, "raw" or "pca", rank and scale.

    Raises:
        CodecProblem: non-finite rows, fewer than two members, or a rank above what they span.
    """
    if settings.kind == "span":
        raise CodecProblem(
            'a codec of kind "span" is fitted to files; use fit_flow, or kind "pca".'
        )
    rows = rows.astype(np.float64)
    if len(rows) < 2 or not np.isfinite(rows).all():
        raise CodecProblem(
            "a codec needs at least two members with finite parameters; "
            "leave failed members out of the training set."
        )
    mean = rows.mean(axis=0)
    if settings.kind == "raw":
        variance = rows.var(axis=0, ddof=1)
        if settings.standardize == "none":
            return RawCodec(np.zeros_like(mean), np.ones_like(mean))
        return RawCodec(mean, _scale(variance, settings.standardize))
    spectrum, basis = _principal(rows - mean)
    scale = scale_of(spectrum, settings)
    return PcaCodec(mean, basis[: len(scale)], scale, spectrum)


def scale_of(spectrum: np.ndarray, settings: CodecSettings) -> np.ndarray:
    """The scale (k,) of the principal coordinates to keep, by all their variances (r,).

    Raises:
        CodecProblem: a rank above r.
    """
    rank = len(spectrum) if settings.rank is None else settings.rank
    if rank > len(spectrum):
        raise CodecProblem(
            f"codec rank is {rank}, but the members span {len(spectrum)} directions; "
            f"choose a rank of at most {len(spectrum)}, or more members."
        )
    return _scale(spectrum[:rank], settings.standardize)


def _principal(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variances (r,), falling, and orthonormal directions (r, D) that the rows (K, D) span."""
    members, size = centred.shape
    if members <= size:
        squares, left = np.linalg.eigh(centred @ centred.T)
    else:
        squares, directions = np.linalg.eigh(centred.T @ centred)
    largest = squares[-1]
    if largest <= 0:
        raise CodecProblem("all members are the same network; a codec needs members that differ.")
    order = np.flatnonzero(squares > largest * max(members, size) * np.finfo(np.float64).eps)[::-1]
    order = order[: members - 1]
    if members <= size:
        basis = left[:, order].T @ centred / np.sqrt(squares[order])[:, None]
    else:
        basis = directions[:, order].T
    peaks = np.take_along_axis(basis, np.abs(basis).argmax(axis=1)[:, None], axis=1)
    return squares[order] / (members - 1), basis * np.sign(peaks)


def _scale(variance: np.ndarray, standardize: str) -> np.ndarray:
    if standardize == "global":
        return np.full_like(variance, math.sqrt(variance.mean()))
    return np.ones_like(variance)


def codec_to_tensors(codec: Codec | SpanCodec) -> dict[str, np.ndarray]:
    """The codec's arrays, to be stored beside the flow's."""
    return {name: getattr(codec, name) for name in _TENSORS[codec.kind]}


def codec_from_tensors(kind: str, tensors: Mapping[str, np.ndarray]) -> Codec | SpanCodec:
    """The inverse of `codec_to_tensors`, for a codec of a kind."""
    codecs: dict[str, type[Codec | SpanCodec]] = {
        codec.kind: codec for codec in (RawCodec, PcaCodec, SpanCodec)
    }
    return codecs[kind](**{name: tensors[name] for name in _TENSORS[kind]})


_TENSORS = {
    "raw": ("mean", "scale"),
    "pca": ("mean", "basis", "scale", "spectrum"),
    "span": ("coefficients", "scale", "spectrum"),
}
