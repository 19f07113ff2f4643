"""Exact principal components of networks that do not fit into memory.

With N networks of D parameters, N far below D, everything follows from the N × N matrix of inner
products of the centred networks. It is a sum over parameters, so it is built from one pass over
columns: the same few parameters of all networks, centred on the spot. Codes follow without another
pass, and networks are decoded in one more, without ever holding the D × k basis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nodeflow.flow.codec import CodecProblem

__all__ = ["Columns", "GramPca", "decode_columns", "gram_pca"]

Columns = Callable[[], Iterator[np.ndarray]]
"""Begins a pass over the parameters of N networks: arrays (N, c) of c of them, in a fixed order."""


@dataclass(frozen=True)
class GramPca:
    """Principal components of N networks.

    Attributes:
        spectrum: variances along all r directions that the networks span, falling, float64.
        coefficients: shape (N, r), orthonormal columns: direction j is Σ coefficients[i, j] ·
            (network i − mean), divided by its length. The largest of each column is positive.
        others: codes (H, r) of networks that nothing was learned from, projected onto their span.
    """

    spectrum: np.ndarray
    coefficients: np.ndarray
    others: np.ndarray

    @property
    def codes(self) -> np.ndarray:
        """Codes (N, r) of the networks themselves, in units of weights."""
        codes: np.ndarray = self.coefficients * np.sqrt(
            self.spectrum * (len(self.coefficients) - 1)
        )
        return codes

    def kept(self, rank: int) -> float:
        """Share of the total variance that the first `rank` directions hold."""
        return float(self.spectrum[:rank].sum() / self.spectrum.sum())


def gram_pca(columns: Columns, learned: int | None = None) -> GramPca:
    """Principal components from one pass, in float64; memory is that of one array of the pass.

    Args:
        columns: the networks.
        learned: how many of them, from the first on, the components are of; by default all.

    Raises:
        CodecProblem: fewer than two networks, equal networks, or ones that are not finite.
    """
    products: np.ndarray | None = None
    for part in columns():
        centred = part.astype(np.float64)
        centred -= centred[:learned].mean(0)
        product = centred @ centred[:learned].T
        products = product if products is None else products + product
    gram = None if products is None else products[: products.shape[1]]
    if products is None or gram is None or len(gram) < 2 or not np.isfinite(products).all():
        raise CodecProblem(
            "principal components need at least two networks, all of them finite; "
            "leave failed members out."
        )
    squares, vectors = np.linalg.eigh(gram)
    least = squares[-1] * len(gram) * np.finfo(np.float64).eps
    order = np.flatnonzero(squares > max(least, 0.0))[::-1][: len(gram) - 1]
    if len(order) == 0:
        raise CodecProblem("all members are the same network; a codec needs members that differ.")
    coefficients = vectors[:, order]
    peaks = np.take_along_axis(coefficients, np.abs(coefficients).argmax(0)[None], 0)
    coefficients = coefficients * np.sign(peaks)
    others = products[len(gram) :] @ coefficients / np.sqrt(squares[order])
    return GramPca(squares[order] / (len(gram) - 1), coefficients, others)


def decode_columns(
    columns: Columns, spectrum: np.ndarray, coefficients: np.ndarray, codes: np.ndarray
) -> Iterator[np.ndarray]:
    """The networks that codes stand for, from one pass over the networks that the PCA is of.

    Args:
        columns: the N networks that were learned from, as they were given to `gram_pca`.
        spectrum: as `gram_pca` gave it.
        coefficients: likewise.
        codes: shape (M, k), k at most r, in units of weights.

    Yields:
        float64 arrays (M, c): the same parameters as those of the pass.
    """
    rank = codes.shape[1]
    lengths = np.sqrt(spectrum[:rank] * (len(coefficients) - 1))
    mix = (codes / lengths) @ coefficients[:, :rank].T
    for part in columns():
        exact = part.astype(np.float64)
        mean = exact.mean(0)
        yield mix @ (exact - mean) + mean
