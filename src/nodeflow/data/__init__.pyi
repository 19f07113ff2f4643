from .gaps import fill_gaps, observed_part
from .series import Run, Series, SeriesProblem, read_series, series_table

__all__ = [
    "Run",
    "Series",
    "SeriesProblem",
    "fill_gaps",
    "observed_part",
    "read_series",
    "series_table",
]
