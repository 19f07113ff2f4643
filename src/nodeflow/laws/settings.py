"""What laws ask of data, for the configuration: this module loads nothing."""

from __future__ import annotations

__all__ = ["FEWEST_TIMES"]

FEWEST_TIMES = 8
"""Observation times that a law needs."""
