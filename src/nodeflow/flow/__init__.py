"""Flow matching over network weights: codecs, velocity fields, training, sampling, files."""

from nodeflow.flow.codec import Codec, CodecSettings, fit_codec, flatten, unflatten
from nodeflow.flow.sample import Samples, SampleSettings, sample, sample_seeds
from nodeflow.flow.settings import METHODS, FlowSettings, flow_settings
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
    "Codec",
    "CodecSettings",
    "Flow",
    "FlowSettings",
    "SampleSettings",
    "Samples",
    "VelocitySettings",
    "fit_codec",
    "fit_flow",
    "flatten",
    "flow_settings",
    "read_flow",
    "read_samples",
    "sample",
    "sample_seeds",
    "train_velocity",
    "unflatten",
    "write_flow",
    "write_samples",
]
