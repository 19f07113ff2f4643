"""Names that graphs are asked for by, without what makes them."""

__all__ = ["NULLS"]

NULLS = ("configuration", "erdos_renyi")
"""Null models; `nodeflow.graphs.networks.NULL_MODELS` draws them."""
