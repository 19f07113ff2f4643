"""Groups of nodes by degree, on a logarithmic scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["degree_bins"]


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
