from .architecture import INITIALIZATIONS, Architecture
from .architectures import MODULES, build
from .exports import write_checkpoints
from .files import CheckpointProblem
from .imports import Imported, import_checkpoints
from .loss import cross_entropies
from .perceptrons import classifier, mlp
from .predict import evaluate, predict, predict_labels, recalibrated
from .schemas import ZOO_BLOCK, ZOO_METRICS
from .settings import PUBLISHED, ArchitectureProblem
from .shorter import train_shorter
from .state_dicts import from_state_dicts
from .store import (
    Block,
    open_blocks,
    read_about,
    read_block,
    read_blocks,
    write_block,
)
from .torch_modules import from_module
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
    "MODULES",
    "OPTIMIZERS",
    "PUBLISHED",
    "ZOO_BLOCK",
    "ZOO_METRICS",
    "Architecture",
    "ArchitectureProblem",
    "Block",
    "CheckpointProblem",
    "Imported",
    "TrainProblem",
    "TrainSettings",
    "TrainedBlock",
    "build",
    "classifier",
    "cross_entropies",
    "evaluate",
    "from_module",
    "from_state_dicts",
    "import_checkpoints",
    "initial_parameters",
    "mlp",
    "open_blocks",
    "predict",
    "predict_labels",
    "read_about",
    "read_block",
    "read_blocks",
    "recalibrated",
    "train_block",
    "train_shorter",
    "write_block",
    "write_checkpoints",
]
