from .codec import Codec, CodecSettings, fit_codec, flatten, unflatten
from .conditional import Condition, fit_conditional_flow
from .descent import Descent, fit_descent
from .files import fit_from_files, sample_to_file
from .fit import Origin, fit_any_flow, fit_conditional
from .history import FLOW_HISTORY
from .sample import AnyFlow, Samples, SampleSettings, sample, sample_seeds
from .settings import METHODS, DescentSettings, FlowSettings, flow_settings, settings_of
from .store import open_samples, read_flow, read_samples, write_flow, write_samples
from .train import Flow, fit_flow, train_velocity
from .velocity import VelocitySettings

__all__ = [
    "FLOW_HISTORY",
    "METHODS",
    "AnyFlow",
    "Codec",
    "CodecSettings",
    "Condition",
    "Descent",
    "DescentSettings",
    "Flow",
    "FlowSettings",
    "Origin",
    "SampleSettings",
    "Samples",
    "VelocitySettings",
    "fit_any_flow",
    "fit_codec",
    "fit_conditional",
    "fit_conditional_flow",
    "fit_descent",
    "fit_flow",
    "fit_from_files",
    "flatten",
    "flow_settings",
    "open_samples",
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
