from .dataset import DataProblem, Dataset
from .door import DATASETS, FILES, FORMS, VOCABULARIES, dataset_available, load_dataset
from .download import download
from .sources import SOURCES, Source, read_sources

__all__ = [
    "DATASETS",
    "FILES",
    "FORMS",
    "SOURCES",
    "VOCABULARIES",
    "DataProblem",
    "Dataset",
    "Source",
    "dataset_available",
    "download",
    "load_dataset",
    "read_sources",
]
