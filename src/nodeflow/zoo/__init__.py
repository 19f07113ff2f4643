"""Zoos: data sets, architectures, and many small networks trained at once."""

from nodeflow.datasets import (
    DATASETS,
    DataProblem,
    Dataset,
    dataset_available,
    load_dataset,
)
from nodeflow.zoo.architectures import (
    INITIALIZATIONS,
    Architecture,
    ArchitectureProblem,
    classifier,
    mlp,
    mlp_like,
)
from nodeflow.zoo.loss import cross_entropies
from nodeflow.zoo.predict import evaluate, predict, predict_labels
from nodeflow.zoo.store import (
    ZOO_BLOCK,
    ZOO_METRICS,
    Block,
    BlockProblem,
    read_block,
    read_blocks,
    write_block,
)
from nodeflow.zoo.train import (
    OPTIMIZERS,
    TrainedBlock,
    TrainProblem,
    TrainSettings,
    train_block,
)

__all__ = [
    "DATASETS",
    "INITIALIZATIONS",
    "OPTIMIZERS",
    "ZOO_BLOCK",
    "ZOO_METRICS",
    "Architecture",
    "ArchitectureProblem",
    "Block",
    "BlockProblem",
    "DataProblem",
    "Dataset",
    "TrainProblem",
    "TrainSettings",
    "TrainedBlock",
    "classifier",
    "cross_entropies",
    "dataset_available",
    "evaluate",
    "initial_parameters",
    "load_dataset",
    "mlp",
    "mlp_like",
    "predict",
    "predict_labels",
    "read_block",
    "read_blocks",
    "train_block",
    "write_block",
]
