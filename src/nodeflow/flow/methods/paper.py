"""Method "paper": flow matching as Gupta et al. 2026 (arXiv:2601.05052) do it for MLPs."""

from __future__ import annotations

from nodeflow.flow.over_codes import OverCodes
from nodeflow.flow.settings import CodecSettings, FlowSettings, VelocitySettings

__all__ = ["METHOD"]


class Paper(OverCodes):
    """From a narrow Gaussian straight to the members' weights, by a network of the weights."""

    about = "is flow matching as in arXiv:2601.05052, on weights or codes"
    title = "published flow"
    settings = FlowSettings(
        method="paper",
        codec=CodecSettings(kind="raw", rank=None, standardize="none"),
        velocity=VelocitySettings(kind="paper", hidden=512, time_features=64, dropout=0.1),
        source_std=0.01,
        path_noise=0.001,
        steps=30_000,
        batch=8,
        learning_rate=5e-4,
        betas=(0.9, 0.95),
        ema=0.0,
    )
    colours = ("#E66101", "#FDB863")


METHOD = Paper()
