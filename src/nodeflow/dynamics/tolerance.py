"""How precisely trajectories are integrated: those of a system, and of what was learned of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

__all__ = ["Tolerance"]

_PER_ERROR, _COARSEST = 1 / 30, 1e-4
"""A model is integrated to a thirtieth of its own error, but never more coarsely than in the paper.
"""


@dataclass(frozen=True)
class Tolerance:
    """How precisely a trajectory is integrated, and when its integration is given up.

    Attributes:
        rtol: relative tolerance of the local errors.
        atol: absolute tolerance of the local errors.
        max_steps: limit of steps of a trajectory.
    """

    rtol: float
    atol: float
    max_steps: int

    def for_error(self, error: float) -> Tolerance:
        """As precisely as a neural ODE is integrated for its errors to be its own.

        SELU has kinks, and the steps of an integrator that crosses them grow with the square root
        of the tolerance only: to 1e-6 a model takes up to 3.5 times as many as the smooth true
        system. But a model that is off by 1e-3 is not known better for being integrated to 1e-6.

        Args:
            error: mean absolute error on the training data, of the model or, where it was
                generated, of those that it was learned from; NaN if there is none.

        Returns:
            A thirtieth of the error, not below the tolerances of the true system.
        """
        share = min(error * _PER_ERROR, _COARSEST) if math.isfinite(error) else _COARSEST
        return replace(self, rtol=max(self.rtol, share), atol=max(self.atol, share))
