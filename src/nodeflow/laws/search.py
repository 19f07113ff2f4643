"""Which forms fit: thousands of them, each by least squares in a metric that is computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.basis import Basis
from nodeflow.laws.candidates import (
    Candidate,
    assembled,
    distinct,
    mixed,
    ranked,
    simplest,
)
from nodeflow.laws.families import starts
from nodeflow.laws.form import FUNCTIONS, Form, Function, Term
from nodeflow.laws.metric import Metric
from nodeflow.laws.polish import polish_all

__all__ = ["search"]

Array = NDArray[np.float64]

_INTERACTIONS, _POLISHED, _KEPT = 48, 12, 10

_ZERO = 1e-6
"""Coefficient of a first term of h_alt that is none."""


def search(metric: Metric, noise: float, count: int) -> list[Candidate]:
    """The forms of the shortest description, in their order.

    First interactions, with any f; then f for the best of these; then all parameters of the best.

    Args:
        metric: of losses.
        noise: standard deviation of the observations.
        count: how many observations there are.
    """
    basis = metric.basis
    choices = {name: _Choices.of(name, basis, dense=name == "f") for name in FUNCTIONS}
    free = metric.without_f()
    interactions = _interactions(free, choices["h_ego"], choices["h_alt"], basis)
    starting = mixed(ranked(interactions, noise, count), simplest(interactions, count))
    pairs = polish_all(free, starting[:_INTERACTIONS], 12, noise, count)
    alone = Candidate(Form((), (), ()), np.empty(0), 0.0)
    whole = _with_f(metric, choices["f"], alone, noise, count)
    for x in ranked(pairs, noise, count)[:_POLISHED]:
        whole += _with_f(metric, choices["f"], x, noise, count)
    whole = distinct(ranked(whole, noise, count))[: 3 * _POLISHED]
    whole = polish_all(metric, whole, 30, noise, count)
    return distinct(ranked(whole, noise, count))


@dataclass(frozen=True, eq=False)
class _Choices:
    """All families of a function with all starts, as sums of single vectors."""

    vectors: Array
    """(S, K) of single terms."""
    inner: tuple[tuple[float, ...], ...]
    sets: tuple[tuple[Function, tuple[int, ...]], ...]
    """Family, and which vectors it consists of."""

    @classmethod
    def of(cls, name: str, basis: Basis, dense: bool) -> _Choices:
        place: dict[tuple[str, tuple[float, ...], str], int] = {}
        sets = []
        for function in basis.families(name):
            options = []
            for term in function:
                options.append(
                    [
                        place.setdefault((term.atom, inner, term.by), len(place))
                        for inner in starts(term, basis.scale, dense)
                    ]
                )
            sets += [(function, chosen) for chosen in product(*options)]
        count = basis.counts[FUNCTIONS.index(name)]
        vectors = np.stack(
            [basis.of_term(Term(atom, inner, by), inner)[:count] for atom, inner, by in place]
        )
        return cls(vectors, tuple(inner for _, inner, _ in place), tuple(sets))

    @cached_property
    def by_length(self) -> dict[int, list[int]]:
        """Which sets have so many terms."""
        by_count: dict[int, list[int]] = {}
        for i, (_, chosen) in enumerate(self.sets):
            by_count.setdefault(len(chosen), []).append(i)
        return by_count


def _interactions(free: Metric, ego: _Choices, alt: _Choices, basis: Basis) -> list[Candidate]:
    """The best start of every pair of families, each coefficient of each product free."""
    _, k_e, k_a = basis.counts
    gram = (free.root.T @ free.root).reshape(k_e, k_a, k_e, k_a)
    right = (free.root.T @ free.target).reshape(k_e, k_a)
    total = free.constant + float(free.target @ free.target)
    half = np.tensordot(ego.vectors, gram, (1, 0))  # (S_e, K_a, K_e, K_a)
    best: dict[tuple[Function, Function], _Start] = {}
    for function, chosen in ego.sets:
        es = list(chosen)
        middle = np.einsum("iakb,jk->ijab", half[es], ego.vectors[es])
        products = alt.vectors @ middle @ alt.vectors.T  # (i, j, S_a, S_a)
        linear = ego.vectors[es] @ right @ alt.vectors.T  # (i, S_a)
        for length, members in alt.by_length.items():
            index = np.array([alt.sets[i][1] for i in members])
            m, e = len(members), len(es)
            left = products[:, :, index[:, :, None], index[:, None, :]]  # (i, j, m, l, l)
            left = left.transpose(2, 0, 3, 1, 4).reshape(m, e * length, e * length)
            b = linear[:, index].transpose(1, 0, 2).reshape(m, e * length)
            solution, gain = _solve(left, b)
            for row, i in enumerate(members):
                loss = total - float(gain[row])
                key = (function, alt.sets[i][0])
                if key not in best or loss < best[key].loss:
                    best[key] = _Start(loss, es, i, solution[row].reshape(e, length))
    return [
        _of_rank_one(Form((), function, other), start, ego, alt)
        for (function, other), start in best.items()
    ]


@dataclass(frozen=True, eq=False)
class _Start:
    """The best start of a pair of families: single vectors of both, coefficients of products."""

    loss: float
    ego: list[int]
    alt: int
    products: Array


def _of_rank_one(form: Form, start: _Start, ego: _Choices, alt: _Choices) -> Candidate:
    """Coefficients of products, as those of two functions, in the gauge of `form`."""
    u, s, v = np.linalg.svd(start.products)
    first = v[0, 0] if abs(v[0, 0]) > _ZERO else _ZERO
    parts = {
        "h_ego": (u[:, 0] * s[0] * first, [ego.inner[j] for j in start.ego]),
        "h_alt": (v[0] / first, [alt.inner[j] for j in alt.sets[start.alt][1]]),
    }
    return Candidate(form, assembled(form, parts), start.loss)


def _solve(left: Array, right: Array) -> tuple[Array, Array]:
    """Small least-squares problems from normal equations: solutions and how much they explain."""
    scale = np.sqrt(np.maximum(np.einsum("mii->mi", left), 1e-300))
    scaled = left / (scale[:, :, None] * scale[:, None, :])
    scaled += 1e-11 * np.eye(left.shape[-1])
    solution = np.linalg.solve(scaled, (right / scale)[..., None])[..., 0]
    return solution / scale, (solution * (right / scale)).sum(-1)


def _with_f(
    metric: Metric, choices: _Choices, interaction: Candidate, noise: float, count: int
) -> list[Candidate]:
    """The best families of f for an interaction, whose strength stays free."""
    basis = metric.basis
    k = basis.counts[0]
    v = basis.vector(interaction.form, interaction.parameters)
    vectors = np.zeros((len(choices.vectors) + 1, len(v)))
    vectors[0] = v
    vectors[1:, :k] = choices.vectors
    rooted = vectors @ metric.root.T
    gram, right = rooted @ rooted.T, rooted @ metric.target
    total = metric.constant + float(metric.target @ metric.target)
    best: dict[Function, tuple[float, Candidate]] = {}
    for length, members in choices.by_length.items():
        index = np.zeros((len(members), length + 1), dtype=np.int64)
        if length:
            index[:, 1:] = np.array([choices.sets[i][1] for i in members]) + 1
        solution, gain = _solve(gram[index[:, :, None], index[:, None, :]], right[index])
        for row, i in enumerate(members):
            function = choices.sets[i][0]
            loss = total - float(gain[row])
            if function in best and best[function][0] <= loss:
                continue
            form = Form(function, interaction.form.h_ego, interaction.form.h_alt)
            own = assembled(
                Form(function, (), ()),
                {"f": (solution[row, 1:], [choices.inner[j] for j in choices.sets[i][1]])},
            )
            rest = interaction.parameters.copy()
            for place, slot in enumerate(interaction.form.slots):
                if slot.function == "h_ego" and slot.inner is None:
                    rest[place] *= solution[row, 0]
            best[function] = loss, Candidate(form, np.concatenate([own, rest]), loss)
    return ranked([x for _, x in best.values()], noise, count)[:_KEPT]
