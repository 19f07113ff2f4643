"""Method "ddpm": denoising diffusion on codes, the baseline that flows are compared with."""

from __future__ import annotations

from typing import Any

from nodeflow.flow.over_codes import OverCodes
from nodeflow.flow.settings import DIFFUSION_STEPS, FlowSettings, VelocitySettings

__all__ = ["METHOD"]


class Ddpm(OverCodes):
    """From noise to codes by ancestral sampling; see `nodeflow.flow.diffusion`."""

    about = "is denoising diffusion on the same codes, a baseline"
    title = "diffusion over codes"
    settings = FlowSettings(
        method="ddpm",
        process="diffusion",
        velocity=VelocitySettings(kind="paper", hidden=512, time_features=64),
    )
    fixed = OverCodes.fixed | {"source_std"}
    solvers = ("ddpm",)
    colours = ("#5E3C99", "#B2ABD2")

    def steps(self, settings: Any) -> int | None:
        """As many as there are noise levels."""
        return DIFFUSION_STEPS


METHOD = Ddpm()
