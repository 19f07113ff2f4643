"""Names that graphs are asked for by, without what makes them."""

__all__ = ["NULLS", "SAMPLERS"]

SAMPLERS = ("geometric", "exact")
"""How S¹ graphs are drawn: "exact" looks at all pairs, "geometric" has the same distribution."""

NULLS = ("configuration", "erdos_renyi")
"""Null models; `nodeflow.graphs.networks.NULL_MODELS` draws them."""
