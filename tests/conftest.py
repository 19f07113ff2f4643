"""One thread per test process: two of them share the machine."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from hypothesis import settings  # noqa: E402 (what it imports reads the variables above)

# No test asserts how long something takes: on a busy machine a deadline is a coin toss.
settings.register_profile("nodeflow", deadline=None)
settings.load_profile("nodeflow")
