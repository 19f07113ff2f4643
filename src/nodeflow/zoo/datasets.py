"""The data sets of `nodeflow.datasets`, which Snakemake imports without loading torch."""

from nodeflow.datasets import (
    DATASETS,
    DEBIAN_FASHION_MNIST,
    DataProblem,
    Dataset,
    dataset_available,
    load_dataset,
)

__all__ = [
    "DATASETS",
    "DEBIAN_FASHION_MNIST",
    "DataProblem",
    "Dataset",
    "dataset_available",
    "load_dataset",
]
