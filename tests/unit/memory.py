"""How much memory a piece of work takes at its peak.

`resource.getrusage` cannot say it: its peak is that of the whole process so far, and a process
starts with the peak of the one that started it.
"""

from collections.abc import Callable
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def growth(work: Callable[[], object]) -> int:
    """KiB by which the memory of this process grows at most while it works."""
    _RESET.write_text("5")  # the peak is now what there is
    before = _kib("VmRSS:")
    work()
    return _kib("VmHWM:") - before


def _kib(name: str) -> int:
    return int(next(x for x in _STATUS.read_text().splitlines() if x.startswith(name)).split()[1])
