"""Groups of nodes by degree: on a logarithmic scale, and those of the highest degrees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["degree_bins", "hubs"]


def degree_bins(degrees: ArrayLike, per_decade: int = 6) -> NDArray[np.float64]:
    """The centre of the logarithmic bin of every degree.

    Bin b holds the degrees with ⌊per_decade · log₁₀ k⌋ = b, so bins do not depend on the sample;
    its centre is the geometric mean of the smallest and the largest whole number in it. Isolated
    nodes have a bin of their own, with centre 0.

    Args:
        degrees: whole numbers ≥ 0, any shape.
        per_decade: bins in a factor of ten.

    Returns:
        Centres, of the shape of `degrees`.
    """
    degrees = np.asarray(degrees)
    # The small shift keeps whole powers of ten, whose logarithm may round down, in their own bin.
    index = np.floor(per_decade * np.log10(np.maximum(degrees, 1)) + 1e-9)
    low = np.ceil(10 ** (index / per_decade) - 1e-6)
    high = np.maximum(np.ceil(10 ** ((index + 1) / per_decade) - 1e-6) - 1, low)
    return np.where(degrees > 0, np.sqrt(low * high), 0.0)


def hubs(degrees: ArrayLike) -> NDArray[np.int64]:
    """The nodes of a graph that count as hubs: the hundredth with the highest degrees.

    Rounded down, but at least one; of equal degrees, the nodes with the smaller numbers.

    Args:
        degrees: (n,) of all nodes.

    Returns:
        (max(1, ⌊n / 100⌋),) their numbers, highest degree first.
    """
    degrees = np.asarray(degrees)
    count = max(1, len(degrees) // 100)
    return np.argsort(-degrees, kind="stable")[:count]
