"""Yelp: how many stars a review gives."""

from __future__ import annotations

from nodeflow.datasets import text
from nodeflow.datasets.known import Known

__all__ = ["DATASET"]

DATASET = Known(
    item=(text.YELP_LENGTH,),
    classes=1,
    load=text.yelp,
    files=text.YELP_FILES,
    vocabulary=text.YELP_VOCABULARY,
)
