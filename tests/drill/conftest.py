"""The finished smoke run of the workflow tests, and what a run is compared by."""

import hashlib

from tests.workflow.conftest import COSTS, Checkout, copied, finished, fresh

__all__ = ["copied", "files_of", "finished", "fresh"]


def files_of(checkout: Checkout) -> dict[str, str]:
    """A digest of every result of a run; logs and what jobs cost are no results."""
    found = {}
    for path in sorted((checkout.folder / "results").rglob("*")):
        name = path.relative_to(checkout.folder).as_posix()
        cost = name.startswith(("results/logs", "results/benchmarks"))
        cost |= path.stem in {*COSTS, "speed"}
        if path.is_file() and not cost:
            found[name] = hashlib.blake2b(path.read_bytes()).hexdigest()
    return found
