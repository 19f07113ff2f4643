"""How much memory a piece of work takes at its peak.

`resource.getrusage` cannot say it: its peak is that of the whole process so far, and a process
starts with the peak of the one that started it. Pages of files that are mapped are not counted:
they are the system's, which keeps more or less of them as it has room, and takes them back at will.
So another process looks, every millisecond, at what is anonymous.
"""

import os
import subprocess
import sys
from collections.abc import Callable

_WATCH = """
import select, sys

def taken():
    with open(f"/proc/{sys.argv[1]}/status") as status:
        return next(int(x.split()[1]) for x in status if x.startswith("RssAnon:"))

first = most = taken()
print(flush=True)
while not select.select([sys.stdin], [], [], 0.001)[0]:
    most = max(most, taken())
print(max(most, taken()) - first)
"""


def growth(work: Callable[[], object]) -> int:
    """KiB by which the memory of this process grows at most while it works."""
    watching = [sys.executable, "-c", _WATCH, str(os.getpid())]
    with subprocess.Popen(
        watching, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdin is not None and watcher.stdout is not None
        watcher.stdout.readline()
        work()
        watcher.stdin.close()
        return int(watcher.stdout.read())
