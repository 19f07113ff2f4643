"""The two things that the library writes itself, beside the plain thing that could replace each.

    OMP_NUM_THREADS=1 python benchmarks/bench_plain.py

*Tables.* The functions of a neural ODE (SELU, hidden layers of 16) are looked up at states as they
occur: most inside the states seen in training, some far outside. Beside `neural_ode.table` stand
tables of equal pieces over the range seen: straight lines, compiled as ours are and by
`numpy.interp`, and cubic splines (`scipy.interpolate.CubicSpline`), with as many pieces as errors
within 1e-6 · (1 + |value|) at the states take, doubled until they are (at most 2^20), and the
networks themselves outside of the range.

*Optimizers.* A process that takes 200 steps of Adam on one matrix, with `nodeflow.optimizers` and
with `torch.optim`, and 2,000 steps of either in this process.

Each figure is the processor time of the fastest of several turns; ratios are of turns one after the
other in the same run.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nodeflow.compiled import njit
from nodeflow.neural_ode.field import scalar_nets
from nodeflow.neural_ode.model import initial_parameters
from nodeflow.neural_ode.table import Scalar, tabulate
from nodeflow.optimizers import Adam
from nodeflow.seeds import torch_generator

Array = NDArray[np.float64]
TOLERANCE, MOST = 1e-6, 2**20
STEPS = """
import torch
{0}
x = torch.ones(50, 50, requires_grad=True)
optimizer = {1}
for _ in range(200):
    x.grad = torch.ones_like(x)
    {2}
"""


def turns(parts: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Processor seconds of the fastest turn of each part, the parts in turn."""
    best = dict.fromkeys(parts, np.inf)
    for _ in range(repeats):
        for name, part in parts.items():
            begin = time.process_time()
            part()
            best[name] = min(best[name], time.process_time() - begin)
    return best


@njit(error_model="numpy")
def _equal_lines(x: Array, low: float, per_piece: float, lines: Array, out: Array) -> None:
    """Values of three functions from equal pieces, whatever is outside at the nearest one."""
    f, h_ego, h_alt = out[0], out[1], out[2]
    last = len(lines) - 1
    for i in range(len(x)):
        j = min(max(int((x[i] - low) * per_piece), 0), last)
        f[i] = lines[j, 0] + lines[j, 1] * x[i]
        h_ego[i] = lines[j, 2] + lines[j, 3] * x[i]
        h_alt[i] = lines[j, 4] + lines[j, 5] * x[i]


class Plain:
    """Networks as tables of equal pieces over a range, and as themselves outside of it."""

    def __init__(self, nets: Sequence[Scalar], low: float, high: float, kind: str) -> None:
        self.nets, self.low, self.high, self.kind, self.pieces = nets, low, high, kind, 256
        self.fit()

    def fit(self) -> None:
        """Tabulate with the present number of pieces."""
        self.knots = np.linspace(self.low, self.high, self.pieces + 1)
        self.values = [net(self.knots) for net in self.nets]
        if self.kind == "splines":
            self.splines = [CubicSpline(self.knots, y) for y in self.values]
        slopes = [np.diff(y) / np.diff(self.knots) for y in self.values]
        self.lines = np.column_stack(
            [
                part
                for y, slope in zip(self.values, slopes, strict=True)
                for part in (y[:-1] - slope * self.knots[:-1], slope)
            ]
        )

    def refine(self, x: Array, true: Array) -> float:
        """Double the pieces until the error is small enough; returns the largest error left."""
        while True:
            error = float((np.abs(self(x) - true) / (1 + np.abs(true))).max())
            if error <= TOLERANCE or self.pieces >= MOST:
                return error
            self.pieces *= 2
            self.fit()

    def __call__(self, x: Array) -> Array:
        """Values of all networks, (3, len(x))."""
        if self.kind == "compiled lines":
            out = np.empty((3, len(x)))
            _equal_lines(x, self.low, self.pieces / (self.high - self.low), self.lines, out)
        elif self.kind == "lines":
            out = np.stack([np.interp(x, self.knots, y) for y in self.values])
        else:
            out = np.stack([spline(x) for spline in self.splines])
        outside = (x < self.low) | (x > self.high)
        if outside.any():
            for row, net in zip(out, self.nets, strict=True):
                row[outside] = net(x[outside])
        return out


def tables(states: int, repeats: int) -> None:
    """Cost, size and error of each table, for all states inside the range and for some outside."""
    drawn = initial_parameters([torch_generator(1, "bench")], widths=(1, 16, 16, 1), scale=1.0)
    nets = list(scalar_nets({name: x.numpy() for name, x in drawn.items()}).values())
    random = np.random.default_rng(1)
    for outside in (0.0, 0.02, 0.2):
        x = random.uniform(0.0, 1.0, states)
        x[random.random(states) < outside] *= 50.0
        true = np.stack([net(x) for net in nets])
        begin = time.process_time()
        ours = tabulate(nets, 0.0, 1.0, tolerance=TOLERANCE)
        spent = time.process_time() - begin
        error = float((np.abs(ours.values(x) - true) / (1 + np.abs(true))).max())
        parts: dict[str, Callable[[], object]] = {"ours": partial(ours.values, x)}
        lines = [f"ours: {len(ours.lines)} lines, made in {spent:.3f} s, error {error:.1e}"]
        for kind in ("compiled lines", "lines", "splines"):
            begin = time.process_time()
            plain = Plain(nets, 0.0, 1.0, kind)
            error = plain.refine(x, true)
            spent = time.process_time() - begin
            parts[kind] = partial(plain, x)
            lines.append(f"{kind}: {plain.pieces} pieces, made in {spent:.3f} s, error {error:.1e}")
        parts["networks"] = partial(_each, nets, x)
        seconds = turns(parts, repeats)
        ratios = ", ".join(f"{k} {v / seconds['ours']:.1f}" for k, v in seconds.items())
        print(
            f"{states} states, {outside:.0%} outside: ours {1e9 * seconds['ours'] / states:.1f} ns"
        )
        print(f"  times as long as ours: {ratios}; " + "; ".join(lines), flush=True)


def _each(nets: Sequence[Scalar], x: Array) -> list[Array]:
    return [net(x) for net in nets]


def _process(code: str) -> Callable[[], None]:
    def run() -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    return run


def optimizers(repeats: int) -> None:
    """A short job with each optimizer, and many steps."""
    ours = STEPS.format("from nodeflow.optimizers import Adam", "Adam([x])", "optimizer.step(1e-3)")
    plain = STEPS.format("", "torch.optim.Adam([x], lr=1e-3, fused=True)", "optimizer.step()")
    best = {"ours": np.inf, "torch.optim": np.inf}
    for _ in range(repeats):
        for name, code in (("ours", ours), ("torch.optim", plain)):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            _process(code)()
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best[name] = min(best[name], spent)
    print(
        f"a process of 200 steps: ours {best['ours']:.2f} s, torch.optim "
        f"{best['torch.optim']:.2f} s, {best['torch.optim'] - best['ours']:.2f} s more"
    )
    a, b = (torch.ones(200, 200, requires_grad=True) for _ in range(2))
    a.grad, b.grad = torch.ones_like(a), torch.ones_like(b)
    one, other = Adam([a]), torch.optim.Adam([b], lr=1e-3, fused=True)

    def stepped() -> None:
        for _ in range(2000):
            one.step(1e-3)

    def plainly() -> None:
        for _ in range(2000):
            other.step()

    seconds = turns({"ours": stepped, "torch.optim": plainly}, repeats)
    assert torch.equal(a, b), "both take the same steps"
    print(
        f"a step: ours {1e6 * seconds['ours'] / 2000:.0f} µs, torch.optim "
        f"{seconds['torch.optim'] / seconds['ours']:.2f} times as long"
    )


def main() -> None:
    """One line a comparison."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--states", type=int, default=20_000)
    options.add_argument("--repeats", type=int, default=5)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    tables(chosen.states, chosen.repeats)
    optimizers(chosen.repeats)


if __name__ == "__main__":
    main()
