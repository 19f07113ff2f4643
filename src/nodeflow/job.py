"""What every job does first: open its log, take its threads, and end in one line when it must."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from nodeflow.problems import Problem
from nodeflow.threads import set_threads

if TYPE_CHECKING:
    import torch

__all__ = ["Progress", "choose_device", "job"]

log = logging.getLogger("nodeflow")

_SECONDS = 10.0
"""Between two lines of progress."""


@contextmanager
def job(log_file: str, threads: int = 1) -> Iterator[None]:
    """Run the body as one job.

    Log records go to `log_file` and to standard error. A `Problem` ends the process with exit code
    1 and its one line; any other exception leaves its traceback in the log as well.

    Args:
        log_file: path of the log; written anew.
        threads: how many threads torch, BLAS and numba may use.
    """
    Path(log_file).parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.FileHandler(log_file, mode="w", encoding="utf-8"),
        logging.StreamHandler(),
    ]
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    log.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a log on a full disk must not hide what the job has to say
    set_threads(threads)
    start = time.perf_counter()
    try:
        yield
    except Problem as problem:
        log.error("%s", problem)
        sys.exit(1)
    except Exception:
        log.exception("This job failed in a way that nodeflow did not foresee; please report it:")
        sys.exit(1)
    log.info("done in %.1f s", time.perf_counter() - start)


def choose_device(name: str) -> torch.device:
    """The torch device of a configured name; "auto" takes a GPU where there is one.

    Raises:
        Problem: the device is not on this machine.
    """
    import torch

    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.mps.is_available()}
    if name == "auto":
        name = next(x for x in ("cuda", "mps", "cpu") if present[x])
    if not present[name]:
        raise Problem(f"device: {name} is not on this machine; set device to auto or cpu.")
    return torch.device(name)


class Progress:
    """Progress of a long loop: a line in the log every few seconds, a bar on a terminal.

    Args:
        total: number of steps.
        label: what is going on, e.g. "train SIS".
    """

    def __init__(self, total: int, label: str) -> None:
        self.total, self.label = total, label
        self._start = self._last = time.perf_counter()
        self._bar = tqdm(
            total=total, desc=label, leave=False, disable=not sys.stderr.isatty() or _in_a_job()
        )

    def update(self, step: int, **values: float) -> None:
        """Say that `step` steps are done; `values` (loss, accuracy …) stand in the line."""
        now = time.perf_counter()
        self._bar.update(step - self._bar.n)
        if now - self._last < _SECONDS and step < self.total:
            return
        self._last = now
        rate = step / max(now - self._start, 1e-9)
        facts = "".join(f", {name} {value:.4g}" for name, value in values.items())
        left = (self.total - step) / max(rate, 1e-9)
        log.info(
            "%s: step %d of %d%s, %.3g steps/s, %.0f s left",
            self.label, step, self.total, facts, rate, left,
        )  # fmt: skip
        if step >= self.total:
            self._bar.close()


def _in_a_job() -> bool:
    return any(isinstance(handler, logging.FileHandler) for handler in logging.root.handlers)
