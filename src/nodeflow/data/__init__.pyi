from .baselines import BASELINES, Forecast
from .check import data_notes
from .gaps import fill_gaps, observed_part
from .held_out import HeldOut, hold_out
from .observed import Note, Observed, Source, read_observed
from .series import Run, Series, read_series, series_table
from .series_files import SeriesProblem
from .splits import forecast_errors, split_runs, split_time

__all__ = [
    "BASELINES",
    "Forecast",
    "HeldOut",
    "Note",
    "Observed",
    "Run",
    "Series",
    "SeriesProblem",
    "Source",
    "data_notes",
    "fill_gaps",
    "forecast_errors",
    "hold_out",
    "observed_part",
    "read_observed",
    "read_series",
    "series_table",
    "split_runs",
    "split_time",
]
