"""One thread per test process: two of them share the machine. And `--no-skips`."""

import os
from collections.abc import Generator

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest  # noqa: E402 (what these import reads the variables above)
from hypothesis import settings  # noqa: E402

# No test asserts how long something takes: on a busy machine a deadline is a coin toss.
settings.register_profile("nodeflow", deadline=None)
settings.load_profile("nodeflow")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="a skipped test fails: for machines that have all that tests skip for, as CI makes",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.config.getoption("--no-skips") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (with --no-skips a skip is a failure)"
    return report
