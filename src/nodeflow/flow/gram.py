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
        weights: shape (N, r), orthonormal columns: direction j is Σ weights[i, j] · (network i −
            mean), divided by its length. The largest weight of each column is positive.
    """

    spectrum: np.ndarray
    weights: np.ndarray

    @property
    def codes(self) -> np.ndarray:
        """Codes (N, r) of the networks themselves, in units of weights."""
        codes: np.ndarray = self.weights * np.sqrt(self.spectrum * (len(self.weights) - 1))
        return codes

    def kept(self, rank: int) -> float:
        """Share of the total variance that the first `rank` directions hold."""
        return float(self.spectrum[:rank].sum() / self.spectrum.sum())


def gram_pca(columns: Columns) -> GramPca:
    """Principal components from one pass, in float64; memory is that of one array of the pass.

    Raises:
        CodecProblem: fewer than two networks, equal networks, or ones that are not finite.
    """
    gram: np.ndarray | None = None
    for part in columns():
        centred = part.astype(np.float64)
        centred -= centred.mean(0)
        product = centred @ centred.T
        gram = product if gram is None else gram + product
    if gram is None or len(gram) < 2 or not np.isfinite(gram).all():
        raise CodecProblem(
            "principal components need at least two networks, all of them finite; "
            "leave failed members out."
        )
    squares, vectors = np.linalg.eigh(gram)
    least = squares[-1] * len(gram) * np.finfo(np.float64).eps
    order = np.flatnonzero(squares > max(least, 0.0))[::-1][: len(gram) - 1]
    if len(order) == 0:
        raise CodecProblem("all members are the same network; a codec needs members that differ.")
    weights = vectors[:, order]
    peaks = np.take_along_axis(weights, np.abs(weights).argmax(0)[None], 0)
    return GramPca(squares[order] / (len(gram) - 1), weights * np.sign(peaks))


def decode_columns(columns: Columns, pca: GramPca, codes: np.ndarray) -> Iterator[np.ndarray]:
    """The networks that codes stand for, from one pass over the networks that the PCA is of.

    Args:
        columns: as it was given to `gram_pca`.
        pca: what it gave.
        codes: shape (M, k), k at most r, in units of weights.

    Yields:
        float64 arrays (M, c): the same parameters as those of the pass.
    """
    rank = codes.shape[1]
    lengths = np.sqrt(pca.spectrum[:rank] * (len(pca.weights) - 1))
    mix = (codes / lengths) @ pca.weights[:, :rank].T
    for part in columns():
        exact = part.astype(np.float64)
        mean = exact.mean(0)
        yield mix @ (exact - mean) + mean
