from .codec import Codec, CodecSettings, fit_codec, flatten, unflatten
from .descent import Descent
from .files import sample_to_file
from .fit import fit_flow
from .method import Condition, Generator, LearnedZoo, Method, Origin
from .methods import METHODS, looks, settings_of
from .methods.descent import DescentSettings
from .own import FittedCheckpoints, fit_checkpoints
from .sample import Flow, sample
from .samples import open_samples, read_samples, sample_seeds, write_samples
from .settings import FlowSettings, SampleSettings, VelocitySettings
from .store import read_flow, write_flow
from .train import train_velocity
from .training_schemas import FLOW_HISTORY
from .zoos import open_zoos

__all__ = [
    "FLOW_HISTORY",
    "METHODS",
    "Codec",
    "CodecSettings",
    "Condition",
    "Descent",
    "DescentSettings",
    "FittedCheckpoints",
    "Flow",
    "FlowSettings",
    "Generator",
    "LearnedZoo",
    "Method",
    "Origin",
    "SampleSettings",
    "VelocitySettings",
    "fit_checkpoints",
    "fit_codec",
    "fit_flow",
    "flatten",
    "looks",
    "open_samples",
    "open_zoos",
    "read_flow",
    "read_samples",
    "sample",
    "sample_seeds",
    "sample_to_file",
    "settings_of",
    "train_velocity",
    "unflatten",
    "write_flow",
    "write_samples",
]
