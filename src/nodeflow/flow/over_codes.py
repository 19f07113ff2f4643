"""What the methods that learn a field over codes of networks have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodeflow.flow.method import Fitting, Generator, LearnedZoo, Method, Written

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OverCodes"]


class OverCodes(Method):
    """One codec, and a field over its codes: a velocity, or the noise on them."""

    fixed = frozenset(
        ("method", "velocity", "process", "path_noise", "final_learning_rate", "betas")
    )

    def rank(self, settings: Any) -> int | None:
        """The codec's."""
        rank: int | None = settings.codec.rank
        return rank

    def streams(self, settings: Any) -> bool:
        """With a codec of kind "span"."""
        return bool(settings.codec.kind == "span")

    def fit(self, zoos: Mapping[str, LearnedZoo], how: Fitting) -> tuple[Generator, pd.DataFrame]:
        """See `Method`; origins are not asked for."""
        from nodeflow.flow.train import fit_over_codes

        return fit_over_codes(zoos, how)

    def read(self, written: Written) -> Generator:
        """See `Method`."""
        from nodeflow.flow.sample import Flow

        return Flow.of(written)
