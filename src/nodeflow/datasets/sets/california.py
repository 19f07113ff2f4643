"""California housing (Pace & Barry 1997): the median value of a house from eight features."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from nodeflow.datasets.dataset import Dataset, damaged, standardized, thirds
from nodeflow.datasets.known import Known
from nodeflow.datasets.sources import Source

__all__ = ["DATASET"]

_FILE = "cal_housing.data"

_BLOCK_GROUPS = 20_640


def _load(folder: Path) -> Dataset:
    """The features of scikit-learn's loader, standardized, and the value in units of 100,000 $.

    Features are median income, age of houses, rooms and bedrooms a household, people, people a
    household, latitude and longitude of each of 20,640 block groups. With another number of them
    the file was cut, or is another one.
    """
    path = folder / _FILE
    try:
        with warnings.catch_warnings(action="ignore"):  # of an empty file, which is refused below
            table = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise damaged(path, f"is no table of numbers ({str(error)[:100]})") from error
    if table.shape != (_BLOCK_GROUPS, 9) or not np.isfinite(table).all():
        what = f"holds {table.shape} numbers; there must be {_BLOCK_GROUPS} rows of 9 finite ones"
        raise damaged(path, what)
    longitude, latitude, age, rooms, bedrooms, people, households, income, value = table.T
    if not (households > 0).all():
        raise damaged(path, "holds a block group without households")
    features = [income, age, *(x / households for x in (rooms, bedrooms)), people]
    features += [people / households, latitude, longitude]
    return standardized(thirds("california", np.stack(features, 1), value / 1e5, classes=1))


DATASET = Known(
    item=(8,),
    classes=1,
    load=_load,
    files=(_FILE,),
    sources=(
        Source(
            "https://ndownloader.figshare.com/files/5976036",
            "aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
        ),
    ),
)
