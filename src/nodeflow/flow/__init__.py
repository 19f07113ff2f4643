"""Flow matching over network weights: codecs, velocity fields, training, sampling, files."""

from nodeflow.flow.codec import Codec, CodecSettings, fit_codec, flatten, unflatten
from nodeflow.flow.descent import Descent, fit_descent
from nodeflow.flow.fit import Origin, fit_any_flow
from nodeflow.flow.sample import AnyFlow, Samples, SampleSettings, sample, sample_seeds
from nodeflow.flow.settings import (
    METHODS,
    DescentSettings,
    FlowSettings,
    flow_settings,
    settings_of,
)
from nodeflow.flow.store import (
    FLOW_HISTORY,
    read_flow,
    read_samples,
    write_flow,
    write_samples,
)
from nodeflow.flow.train import Flow, fit_flow, train_velocity
from nodeflow.flow.velocity import VelocitySettings

__all__ = [
    "FLOW_HISTORY",
    "METHODS",
    "AnyFlow",
    "Codec",
    "CodecSettings",
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
    "fit_descent",
    "fit_flow",
    "flatten",
    "flow_settings",
    "read_flow",
    "read_samples",
    "sample",
    "sample_seeds",
    "settings_of",
    "train_velocity",
    "unflatten",
    "write_flow",
    "write_samples",
]
