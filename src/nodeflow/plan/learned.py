"""What is learned from the trajectories on training graphs, and goes through the same tests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from nodeflow.plan.paths import Row

__all__ = ["Learned"]


class Learned(ABC):
    """One kind of it: neural ODEs, laws, or neural ODEs with the tails of laws.

    Attributes:
        folder: of the results of their tests.
        title: what they are called.
        method: what tables of their tests call them.
        patterns: of their files.
        read: "module:function" in nodeflow that reads one, of each system its files, for tests.
        rates_itself: whether each says itself how far to trust it; else an ensemble of them does.
    """

    folder: ClassVar[str]
    title: ClassVar[str]
    method: ClassVar[str]
    patterns: ClassVar[tuple[str, ...]]
    read: ClassVar[str]
    rates_itself: ClassVar[bool] = False

    @property
    @abstractmethod
    def trainings(self) -> list[dict[str, Any]]:
        """Rows of system, variant, trained_beta, trained_gamma: all that are tested."""

    @abstractmethod
    def params(self, row: Row) -> dict[str, Any]:
        """What those of a system, a variant and a training cell are made with."""

    @abstractmethod
    def files(self, row: Row) -> dict[str, dict[str, Any]]:
        """The same by path, with what the same job makes besides."""
