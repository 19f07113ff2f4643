"""Fortunes: which of Debian's collections a saying is from."""

from __future__ import annotations

from nodeflow.datasets import text
from nodeflow.datasets.known import Known

__all__ = ["DATASET"]

DATASET = Known(
    item=(text.FORTUNES_LENGTH,),
    classes=len(text.FORTUNES_FILES),
    load=text.fortunes,
    files=text.FORTUNES_FILES,
    vocabulary=text.FORTUNES_VOCABULARY,
    debian="fortunes",
    home=text.DEBIAN_FORTUNES,
)
