"""How much memory a piece of work takes at its peak.

`resource.getrusage` cannot say it: its peak is that of the whole process so far, and a process
starts with the peak of the one that started it. Nor can the resident memory: it counts pages of
mapped files, which the kernel takes back when it needs them and brings in as many at once as it
likes. So the memory that is not of files is looked at while the work goes on.
"""

import threading
from collections.abc import Callable
from pathlib import Path

_STATUS = Path("/proc/self/status")
_EVERY = 0.002


def growth(work: Callable[[], object]) -> int:
    """KiB by which the memory of this process grows at most while it works."""
    before, done = _kib(), threading.Event()
    peak = before

    def watch() -> None:
        nonlocal peak
        while not done.wait(_EVERY):
            peak = max(peak, _kib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        made = work()
        peak = max(peak, _kib())
        del made
    finally:
        done.set()
        watcher.join()
    return peak - before


def _kib() -> int:
    lines = _STATUS.read_text().splitlines()
    return int(next(x for x in lines if x.startswith("RssAnon:")).split()[1])
