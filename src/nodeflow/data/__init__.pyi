from .baselines import BASELINES, Forecast
from .gaps import fill_gaps, observed_part
from .series import Run, Series, SeriesProblem, read_series, series_table
from .splits import forecast_errors, split_runs, split_time

__all__ = [
    "BASELINES",
    "Forecast",
    "Run",
    "Series",
    "SeriesProblem",
    "fill_gaps",
    "forecast_errors",
    "observed_part",
    "read_series",
    "series_table",
    "split_runs",
    "split_time",
]
