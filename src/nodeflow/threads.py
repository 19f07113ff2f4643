"""How many threads the library takes: what was asked for, and never more than the process may use.

Called on its own, in a notebook say, torch and BLAS would share every small product among all
cores. That is slower than one thread on an idle machine, and many times slower on a busy one, where
threads spin while they wait for each other. So a public function that is given little computes with
one thread, unless `set_threads` was called, as every job of the workflow does.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import lru_cache, wraps
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

__all__ = ["SMALL", "allowed_threads", "one_thread", "one_thread_if_small", "set_threads"]

P = ParamSpec("P")
R = TypeVar("R")

SMALL = 2**22
"""A problem that is given fewer numbers than this is small: 16 MiB in single precision."""

_OBJECTS = 10_000

_CGROUPS = Path("/sys/fs/cgroup")

_lock = threading.Lock()
_asked = False
_limits: list[int] = []
"""Of the calls that are under way."""
_before: dict[str, int] = {}
"""Threads of each pool, by the path of its library, when the first of them came."""


def allowed_threads() -> int:
    """How many threads this process can run at once: its CPUs, or its share of their time if less.

    What `taskset`, SLURM or a cpuset leaves (where the system says so; macOS does not), and the
    quota of its control groups, as containers have it.
    """
    cpus = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cpus = len(os.sched_getaffinity(0))
    return max(1, min(cpus, _quota(Path("/proc/self/cgroup"), _CGROUPS, cpus)))


def _quota(own: Path, root: Path, otherwise: int) -> int:
    """CPUs' worth of time that the control groups of this process allow, rounded up.

    Args:
        own: file that names its groups, one a hierarchy: `number:controllers:/path`.
        root: folder where hierarchies are mounted.
        otherwise: the answer where there is no quota.
    """
    least = otherwise
    try:
        groups = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        return least
    for _, controllers, path in groups:
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        inside = Path(path.lstrip("/"))
        # In a container the path may be that of the host, and the group itself be the root.
        for folder in {base, *(base / part for part in (inside, *inside.parents))}:
            least = min(least, _quota_of(folder, otherwise))
    return least


def _quota_of(folder: Path, otherwise: int) -> int:
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        if quota == "max" or int(quota) <= 0:
            return otherwise
        return ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return otherwise


def set_threads(threads: int) -> None:
    """Compute with so many threads from now on, in small problems too, or with those allowed.

    Concerns BLAS, OpenMP and, where they are loaded, torch and numba.
    """
    global _asked
    from threadpoolctl import threadpool_limits

    threads = max(1, min(threads, allowed_threads()))
    _asked = True
    if "numba" in sys.modules:
        import numba

        # It raises above what it was started with, and NUMBA_NUM_THREADS may say less. First,
        # because its number becomes that of OpenMP, which torch shares.
        settings: Any = numba.config
        numba.set_num_threads(min(threads, settings.NUMBA_NUM_THREADS))
    threadpool_limits(threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)


def one_thread_if_small(function: Callable[P, R]) -> Callable[P, R]:
    """A function that computes with one thread if all it is given holds fewer than `SMALL` numbers.

    Whatever was set before holds again afterwards. With more numbers it takes the threads that are
    set, or those that are allowed if they are fewer.
    """

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        if _asked:
            return function(*args, **kwargs)
        small = _numbers((args, kwargs), SMALL) < SMALL
        with _at_most(1 if small else allowed_threads()):
            return function(*args, **kwargs)

    return limited


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute the body with one thread, whatever was asked for."""
    with _at_most(1):
        yield


@contextmanager
def _at_most(threads: int) -> Iterator[None]:
    """At most so many threads in the body, and afterwards as many as before."""
    with _torch_at_most(threads), _pools_at_most(threads):
        yield


@contextmanager
def _torch_at_most(threads: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    before = 0 if torch is None else torch.get_num_threads()
    if torch is None or before <= threads:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _pools_at_most(threads: int) -> Iterator[None]:
    """Pools are shared by all Python threads: the lowest limit holds, the last to leave restores.

    So calls side by side do not restore each other's limits.
    """
    with _lock:
        pools = _pools(len(sys.modules))
        if not _limits:
            _before.update({x["filepath"]: x["num_threads"] for x in pools.info()})
        _limits.append(threads)
        _limit_pools(pools)
    try:
        yield
    finally:
        with _lock:
            _limits.remove(threads)
            _limit_pools(pools)
            if not _limits:
                _before.clear()


def _limit_pools(pools: ThreadpoolController) -> None:
    lowest = min(_limits, default=sys.maxsize)
    pools.limit(limits={path: min(lowest, count) for path, count in _before.items()})


@lru_cache(maxsize=1)
def _pools(_loaded: int) -> ThreadpoolController:
    """The pools of all that is loaded; to look for them takes milliseconds: only after imports."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _numbers(given: Any, enough: int) -> int:
    """How many numbers the arrays, tensors, tables and graphs hold that lie in what is given.

    Counting ends at `enough`, or after so many objects that it would take long. Iterators are left
    alone.
    """
    count, waiting, seen = 0, [given], set[int]()
    while waiting and count < enough and len(seen) < _OBJECTS:
        x = waiting.pop()
        if id(x) in seen or x is None or isinstance(x, str | bytes | int | float | type):
            continue
        seen.add(id(x))
        if isinstance(x, Mapping):
            waiting += x.values()
        elif isinstance(x, list | tuple | set):
            if x and isinstance(next(iter(x)), int | float):
                count += len(x)
            else:
                waiting += x
        elif callable(getattr(x, "numel", None)):
            count += x.numel()
        elif callable(getattr(x, "number_of_edges", None)):
            count += x.number_of_edges()
        elif is_dataclass(x):
            waiting += [getattr(x, field.name) for field in fields(x)]
        elif isinstance(getattr(x, "size", None), int):
            count += x.size
        elif hasattr(x, "__dict__"):
            waiting += vars(x).values()
    return count
