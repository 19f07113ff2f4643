from .dataset import DataProblem, Dataset
from .download import download
from .registry import (
    DATASETS,
    FILES,
    FORMS,
    SOURCES,
    VOCABULARIES,
    dataset_available,
    form,
    load_dataset,
)
from .sources import Source, read_sources
from .views import VIEWS

__all__ = [
    "DATASETS",
    "FILES",
    "FORMS",
    "SOURCES",
    "VIEWS",
    "VOCABULARIES",
    "DataProblem",
    "Dataset",
    "Source",
    "dataset_available",
    "download",
    "form",
    "load_dataset",
    "read_sources",
]
