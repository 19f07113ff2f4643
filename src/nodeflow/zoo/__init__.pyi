from .architectures import (
    INITIALIZATIONS,
    Architecture,
    ArchitectureProblem,
    classifier,
    mlp,
    mlp_like,
)
from .loss import cross_entropies
from .metrics import ZOO_METRICS
from .predict import evaluate, predict, predict_labels
from .store import ZOO_BLOCK, Block, BlockProblem, read_block, read_blocks, write_block
from .train import (
    OPTIMIZERS,
    TrainedBlock,
    TrainProblem,
    TrainSettings,
    initial_parameters,
    train_block,
)

__all__ = [
    "INITIALIZATIONS",
    "OPTIMIZERS",
    "ZOO_BLOCK",
    "ZOO_METRICS",
    "Architecture",
    "ArchitectureProblem",
    "Block",
    "BlockProblem",
    "TrainProblem",
    "TrainSettings",
    "TrainedBlock",
    "classifier",
    "cross_entropies",
    "evaluate",
    "initial_parameters",
    "mlp",
    "mlp_like",
    "predict",
    "predict_labels",
    "read_block",
    "read_blocks",
    "train_block",
    "write_block",
]
