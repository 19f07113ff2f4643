"""Zoo and canonicalization against plain loops, in one run.

    python benchmarks/bench_canonical.py [--data digits] [--members 100] [--threads 2] ...

Trains a zoo, aligns all members to the first one with `nodeflow.canonical` and with a plain loop of
Git Re-Basin (Ainsworth, Hayase & Srinivasa 2023, arXiv:2209.04836: one network at a time, from
identity, groups in random order, every score matrix anew, in single precision), and measures
distances and loss barriers. Both have the same number of threads. Times of what is compared are
wall seconds, the best of several repetitions taken in turn, so that a busy machine disturbs ratios
little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec

import numpy as np
import pandas as pd
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from nodeflow.canonical.align import align_block
from nodeflow.canonical.assignment import assign
from nodeflow.canonical.barrier import loss_barrier
from nodeflow.canonical.derive import derive_symmetry
from nodeflow.canonical.heights import barrier_heights
from nodeflow.canonical.matching import Matching, MatchSettings, match
from nodeflow.canonical.scaling import balance
from nodeflow.canonical.scores import similarity
from nodeflow.canonical.symmetry import Symmetry, mlp_symmetry, permute
from nodeflow.canonical.universe import align_universe
from nodeflow.datasets import load_dataset
from nodeflow.seeds import torch_generator
from nodeflow.threads import set_threads
from nodeflow.zoo.architectures import build
from nodeflow.zoo.perceptrons import classifier
from nodeflow.zoo.predict import predict_labels
from nodeflow.zoo.train import TrainSettings, train_block


def plain_rebasin(
    networks: Mapping[str, Tensor], reference: Mapping[str, Tensor], symmetry: Symmetry
) -> dict[str, Tensor]:
    """Permutations of all networks by a loop over networks, sweeps and groups."""
    places = {group.name: group.places for group in symmetry.groups}
    axes = {name: symmetry.groups_of(name) for name in networks}
    count = len(next(iter(networks.values())))
    orders = {g.name: torch.zeros(count, g.size, dtype=torch.int64) for g in symmetry.groups}
    for k in range(count):
        rng = np.random.default_rng(42)
        order = {group.name: torch.arange(group.size) for group in symmetry.groups}
        for _ in range(100):
            progress = False
            for group in rng.permutation(list(order)):
                size = len(order[group])
                score = torch.zeros(size, size)
                for place in places[group]:
                    ours, theirs = reference[place.tensor], networks[place.tensor][k]
                    for axis, other in axes[place.tensor].items():
                        if axis != place.axis:
                            theirs = theirs.index_select(axis, order[other])
                    ours = ours.movedim(place.axis, 0).reshape(size, -1)
                    score += ours @ theirs.movedim(place.axis, 0).reshape(size, -1).T
                new = torch.from_numpy(linear_sum_assignment(score.numpy(), maximize=True)[1])
                rows = torch.arange(size)
                gain = score[rows, new].sum() - score[rows, order[group]].sum()
                progress |= bool(gain > 1e-12)
                order[group] = new
            if not progress:
                break
        for name, one in order.items():
            orders[name][k] = one
    return orders


def solvers(scores: np.ndarray, repetitions: int) -> list[tuple[str, float | str]]:
    """Milliseconds of one assignment by each solver that is there, over matrices (K, n, n)."""
    _, prices = assign(scores, scores.max(1))
    rng = np.random.default_rng(0)
    later = scores + 0.01 * scores.std() * rng.standard_normal(scores.shape)
    runs: dict[str, Callable[[], object]] = {
        "scipy": lambda: [linear_sum_assignment(one, maximize=True) for one in scores],
        "nodeflow, first sweep": lambda: assign(scores, scores.max(1)),
        "nodeflow, later sweep": lambda: assign(later, prices),
    }
    if find_spec("lap") is not None:
        import lap  # type: ignore[import-not-found,unused-ignore]  # of lapx

        for name in ("lapjv", "lapjvs", "lapjvr"):
            solve = getattr(lap, name, None)
            if solve is not None:
                runs[f"lapx {name}"] = partial(lambda f: [f(-one) for one in scores], solve)
    taken = best_of(repetitions, *runs.values())
    size = scores.shape[1]
    return [
        (f"assignment of {size}, {name}, ms", 1e3 * seconds / len(scores))
        for name, seconds in zip(runs, taken, strict=True)
    ]


def resnet18_pair(repetitions: int) -> list[tuple[str, float | str]]:
    """Seconds of the match of two ResNet-18 with random weights."""
    architecture = build({"kind": "resnet18"}, (3, 32, 32), 10)
    symmetry = derive_symmetry(architecture)
    pair = architecture.initialize([torch_generator(1, "pair", k) for k in range(2)])
    reference = {name: tensor[0] for name, tensor in pair.items()}
    other = {name: tensor[1:] for name, tensor in pair.items()}
    matchings: list[Matching] = []
    (seconds,) = best_of(
        repetitions,
        lambda: matchings.append(match(other, reference, symmetry, MatchSettings())),
    )
    return [
        ("one ResNet-18 pair, s", seconds),
        ("one ResNet-18 pair, sweeps", float(matchings[-1].sweeps[0])),
    ]


def best_of(repetitions: int, *runs: Callable[[], object]) -> list[float]:
    """Least seconds of each run; the runs take turns."""
    taken = np.full((repetitions, len(runs)), np.inf)
    for row in taken:
        for i, run in enumerate(runs):
            start = time.perf_counter()
            run()
            row[i] = time.perf_counter() - start
    return [float(seconds) for seconds in taken.min(0)]


def main() -> None:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--folder")
    parser.add_argument("--train-items", type=int)
    parser.add_argument("--hidden", type=int, nargs="+", default=[32, 32])
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--no-universe", action="store_true")
    parser.add_argument("--resnet18", action="store_true", help="match a pair of ResNet-18 too")
    options = parser.parse_args()

    set_threads(options.threads)
    dataset = load_dataset(options.data, options.folder)
    if options.train_items:
        dataset = dataset.first(options.train_items)
    architecture = classifier(dataset, options.hidden)
    settings = TrainSettings(epochs=options.epochs, batch_size=options.batch_size)
    train_block(architecture, dataset, range(2), TrainSettings(epochs=1), 1, "warm up")
    wall, cpu = time.perf_counter(), time.process_time()
    block = train_block(architecture, dataset, range(options.members), settings, 1, "bench")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rows: list[tuple[str, float | str]] = [
        ("architecture", f"{architecture.name}, D = {architecture.parameters}"),
        ("training items", len(dataset.train_y)),
        (f"training {options.members} members, CPU s", cpu),
        (f"training {options.members} members, wall s", wall),
        ("test accuracy, mean", block.metrics["test_accuracy"].mean()),
        ("test accuracy, sd", block.metrics["test_accuracy"].std()),
    ]
    start = time.process_time()
    predict_labels(architecture, block.parameters, dataset.test_x)
    rows.append((f"labels of {len(dataset.test_y)} test items, CPU s", time.process_time() - start))

    symmetry, plain = mlp_symmetry(architecture.shapes), MatchSettings()
    reference = block.only(int(block.members[0]))
    others = {name: tensor[1:] for name, tensor in block.parameters.items()}
    loop, batched, from_identity, whole = best_of(
        options.repetitions,
        lambda: plain_rebasin(others, reference, symmetry),
        lambda: match(others, reference, symmetry, plain),
        lambda: match(others, reference, symmetry, MatchSettings(start="identity")),
        lambda: align_block(others, reference, symmetry, plain),
    )
    by_loop = permute(others, symmetry, plain_rebasin(others, reference, symmetry))
    aligned = align_block(others, reference, symmetry, plain)
    in_double = match(
        {name: tensor.double() for name, tensor in others.items()},
        {name: tensor.double() for name, tensor in reference.items()},
        symmetry,
        plain,
    ).permutations
    alike = torch.stack([(in_double[n] == p).all(1) for n, p in aligned.permutations.items()])
    from_here = match(others, reference, symmetry, MatchSettings(start="identity")).history[-1]
    rows += [
        ("threads of each", options.threads),
        (f"plain loop, {len(block) - 1} members, s", loop),
        ("nodeflow match (signature), s", batched),
        ("nodeflow match (identity), s", from_identity),
        ("nodeflow align_block with report, s", whole),
        ("ratio plain loop / match", loop / batched),
        ("ratio plain loop / align_block", loop / whole),
        ("networks matched as in double precision", int(alike.all(0).sum())),
        ("objective, plain loop", float(similarity(by_loop, reference).mean())),
        ("objective, identity", float(from_here.mean())),
        ("objective, signature", float(aligned.report["objective_after"].mean())),
        ("L2 to reference before", float(aligned.report["distance_before"].mean())),
        ("L2 to reference after", float(aligned.report["distance_after"].mean())),
    ]

    sets = {"raw": others, "aligned": aligned.parameters}
    balanced = balance(block.parameters, symmetry).parameters
    balanced_others = {name: tensor[1:] for name, tensor in balanced.items()}
    first = {name: tensor[0] for name, tensor in balanced.items()}
    sets["balanced, aligned"] = align_block(balanced_others, first, symmetry, plain).parameters
    if not options.no_universe:
        start = time.process_time()
        universe = align_universe(block.parameters, symmetry, plain)
        rows += [
            (f"universe of {len(block)}, CPU s", time.process_time() - start),
            ("universe rounds", len(universe.history) - 1),
            ("mean pair similarity, reference", universe.history[0]),
            ("mean pair similarity, universe", universe.history[-1]),
        ]
        sets["universe"] = {name: tensor[1:] for name, tensor in universe.parameters.items()}
    ours, theirs = (
        x["layer0.weight"].double().numpy()
        for x in (sets["raw"], {n: t[None] for n, t in reference.items()})
    )
    rows += solvers(theirs @ ours[:24].transpose(0, 2, 1), options.repetitions)
    if options.resnet18:
        rows += resnet18_pair(min(3, options.repetitions))
    half = min(50, (len(block) - 1) // 2)
    for name, networks in sets.items():
        a = {key: tensor[:half] for key, tensor in networks.items()}
        b = {key: tensor[half : 2 * half] for key, tensor in networks.items()}
        path = loss_barrier(architecture, a, b, dataset.test_x, dataset.test_y, 11)
        heights = barrier_heights(path)
        for kind in ("loss_barrier", "accuracy_barrier"):
            values = heights[kind].to_numpy()
            rows.append(
                (
                    f"{kind} of {half} pairs, {name}",
                    f"{values.mean():.3f} ± {values.std(ddof=1) / len(values) ** 0.5:.3f} (se)",
                )
            )
    print(pd.DataFrame(rows, columns=["what", "value"]).to_string(index=False, header=False))


if __name__ == "__main__":
    main()
