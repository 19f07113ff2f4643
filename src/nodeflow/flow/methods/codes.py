"""Method "codes": flow matching on principal coordinates, ours."""

from __future__ import annotations

from nodeflow.flow.over_codes import OverCodes
from nodeflow.flow.settings import FlowSettings

__all__ = ["METHOD"]


class Codes(OverCodes):
    """From a Gaussian straight to the members' codes; the velocity starts as a Gaussian's."""

    about = (
        "is flow matching: a straight path from a Gaussian to codes, the members' principal "
        "components"
    )
    title = "flow over codes"
    settings = FlowSettings(method="codes")
    colours = ("#2166AC", "#92C5DE")


METHOD = Codes()
