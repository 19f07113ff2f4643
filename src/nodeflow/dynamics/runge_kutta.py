"""The two Runge-Kutta pairs of the integrator: coefficients, errors and dense output.

Both evaluate the field at six points a step: stages 1 … 5, and the new state, whose velocity starts
the next step.

- EXPLICIT: Dormand and Prince 1980, RK5(4)7M, with dense output of order 4 by Shampine 1986. The
  first step also has to pass an embedded formula of order 3, `FIRST_STEP_ERROR`.
- IMPLICIT: Kennedy and Carpenter, Appl. Numer. Math. 44, 139 (2003), ARK4(3)6L[2]SA. With d the
  diagonal of the Jacobian at the start of the step, d·x is integrated by the implicit method of
  the pair and all the rest by the explicit one. Each node then has a linear equation of its own, so
  a stage costs hardly more than an explicit one, and hubs, whose d is −(degree), do not limit the
  step. The order of the pair does not depend on what d is. Dense output: cubic Hermite.

Compiled loops of `nodeflow.dynamics.kernels` hold these numbers as constants, and numba compiles
anew where that file changes, not where this one does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ARK_EMBEDDED",
    "ARK_EXPLICIT",
    "ARK_IMPLICIT",
    "ARK_WEIGHTS",
    "BETWEEN",
    "DENSE",
    "ERROR",
    "EXPLICIT",
    "FIRST_STEP_ERROR",
    "GAMMA",
    "IMPLICIT",
    "STAGES",
]

EXPLICIT, IMPLICIT = range(2)

_DOPRI = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
_DOPRI_ERROR = np.array([-71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40])
FIRST_STEP_ERROR = np.array(
    [
        35 / 384 + 1 / 18,
        0,
        500 / 1113 - 50 / 63,
        125 / 192,
        -2187 / 6784,
        11 / 84,
        -11 / 42,
    ]
)
_DOPRI_DENSE = np.array(
    [
        [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0, 0, 0, 0],
        [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]
)

ARK_WEIGHTS = np.array([82889 / 524892, 0, 15625 / 83664, 69875 / 102672, -2260 / 8211, 1 / 4])
ARK_EMBEDDED = np.array(
    [
        4586570599 / 29645900160,
        0,
        178811875 / 945068544,
        814220225 / 1159782912,
        -3700637 / 11593932,
        61727 / 225920,
    ]
)
ARK_EXPLICIT = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 2, 0, 0, 0, 0, 0],
        [13861 / 62500, 6889 / 62500, 0, 0, 0, 0],
        [
            -116923316275 / 2393684061468,
            -2731218467317 / 15368042101831,
            9408046702089 / 11113171139209,
            0,
            0,
            0,
        ],
        [
            -451086348788 / 2902428689909,
            -2682348792572 / 7519795681897,
            12662868775082 / 11960479115383,
            3355817975965 / 11060851509271,
            0,
            0,
        ],
        [
            647845179188 / 3216320057751,
            73281519250 / 8382639484533,
            552539513391 / 3454668386233,
            3354512671639 / 8306763924573,
            4040 / 17871,
            0,
        ],
    ]
)
ARK_IMPLICIT = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 4, 1 / 4, 0, 0, 0, 0],
        [8611 / 62500, -1743 / 31250, 1 / 4, 0, 0, 0],
        [5012029 / 34652500, -654441 / 2922500, 174375 / 388108, 1 / 4, 0, 0],
        [
            15267082809 / 155376265600,
            -71443401 / 120774400,
            730878875 / 902184768,
            2285395 / 8070912,
            1 / 4,
            0,
        ],
        ARK_WEIGHTS,
    ]
)
GAMMA = 1 / 4


def _hermite(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Dense output from the two ends of a step and the slopes there, in powers of θ = 1 … 4.

    x(θ) = x + (3θ² − 2θ³)(x_new − x) + h (θ − 2θ² + θ³) k_0 + h (θ³ − θ²) k_5. The implicit slope
    of the last stage stands for the one at the new state: where an exact slope at a stiff node
    multiplies the error of its state by d, that one does not.
    """
    dense = np.zeros((7, 4))
    dense[:6] = np.outer(weights, [0, 3, -2, 0])
    dense[0] += [1, -2, 1, 0]
    dense[5] += [0, -1, 1, 0]
    return dense


# By method, with one more row or column for the new state and its velocity.
STAGES = np.stack([_DOPRI, np.vstack([ARK_EXPLICIT, ARK_WEIGHTS])])
ERROR = np.stack([_DOPRI_ERROR, np.append(ARK_WEIGHTS - ARK_EMBEDDED, 0.0)])
DENSE = np.stack([_DOPRI_DENSE, _hermite(ARK_WEIGHTS)])
BETWEEN = ARK_IMPLICIT - ARK_EXPLICIT
