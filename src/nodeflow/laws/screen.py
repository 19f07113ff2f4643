"""Which forms fit: thousands of them, each by least squares in a metric that is computed once.

All atoms, at all their inner parameters, lie close to a space of some thirty functions of x. The
vector field is linear in f and bilinear in h_ego and h_alt, so with a basis of that space every law
is a vector v of a few hundred numbers, and its loss a quadratic form |z − Z v|². Z is computed
once, from the weak form (integrals of the velocity over windows of time against the changes of
states) or along reference trajectories (`along`), and then a form costs milliseconds, inner
parameters included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as entry
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nodeflow.laws.along import Along, Grid
from nodeflow.laws.atoms import ATOMS, Scale
from nodeflow.laws.data import Group
from nodeflow.laws.families import families, monomial, starts
from nodeflow.laws.form import FUNCTIONS, Form, Function, Term
from nodeflow.laws.formulas import atom_of

__all__ = [
    "Basis",
    "Candidate",
    "Metric",
    "climb",
    "closest_polynomial",
    "description",
    "metric_along",
    "metric_weak",
    "polished",
    "promising",
    "ranked",
    "search",
    "simplest",
]

Array = NDArray[np.float64]

_COUNTS = 32, 16, 28
"""Basis functions of f, h_ego and h_alt."""
_MONOMIALS = 4
_SMALLEST = 1e-7
"""Of principal components, in units of the largest: the least that is worth a basis function."""

_WINDOW = 6
"""Pieces of time in a window of the weak form."""

_INTERACTIONS, _POLISHED, _KEPT, _CYCLES = 48, 12, 10, 3

_BIASED = 30.0

_TRIED, _HOPELESS = 3, 300.0
"""After so many steps a form is left as it is if all that its steps promise leaves its loss so many
nats above the smallest."""

_SURE, _NEARLY = 3, 100.0
"""Forms that are refined in any case, and nats by which the description of others may be longer."""

_ZERO = 1e-6
"""Coefficient of a first term of h_alt that is none."""

_NEGLIGIBLE, _RANGE = 0.1, (1e-13, 1e-9)
"""A direction of v that changes the loss by less than so many variances of the noise is left out;
and bounds of its share in the whole.
"""


@dataclass(frozen=True, eq=False)
class Basis:
    """Functions of a state, in the order of how much of the atoms they make up.

    The four monomials, then the principal components of what is left of all atoms at all inner
    parameters that a search starts from, and some between and beyond.

    Attributes:
        grid: (X,) states at which functions are compared.
        size: unit of states in which monomials are of order one.
        scale: sizes of the states.
        signed: some are negative.
        covariates: of the nodes; f has also the monomials times each of them.
        counts: how many of the functions serve for f, h_ego and h_alt.
        terms: the atoms with their inner parameters.
        mix: (4 + terms, K): the basis from monomials and atoms.
        onto: (K, X): coefficients of a function from its values on the grid.
        known: those of terms that have been needed.
        near: starts of functions that have been needed.
    """

    grid: Array
    size: float
    scale: Scale
    signed: bool
    covariates: tuple[str, ...]
    counts: tuple[int, int, int]
    terms: tuple[tuple[str, tuple[float, ...]], ...]
    mix: Array
    onto: Array
    known: dict[tuple[str, tuple[float, ...], str], Array] = entry(default_factory=dict)
    near: dict[Function, _Near] = entry(default_factory=dict)

    @classmethod
    def of(
        cls, states: Array, scale: Scale, signed: bool, covariates: tuple[str, ...] = ()
    ) -> Basis:
        """For laws along these states."""
        flat = states.ravel()
        low, high = float(flat.min()), float(flat.max())
        if not signed:
            low, flat = max(low, 0.0), np.maximum(flat, 0.0)
        grid = np.concatenate(
            [np.quantile(flat, np.linspace(0, 1, 200)), np.linspace(low, high, 100)]
        )
        size = float(np.sqrt(np.square(flat).mean()))
        grid = np.unique(np.maximum(grid, 1e-9 * size) if not signed else grid)
        terms = tuple(
            sorted(
                {
                    (term.atom, inner)
                    for name in FUNCTIONS
                    for function in families(name, signed)
                    for term in function
                    if None in term.fixed
                    for inner in starts(term, scale, dense=True)
                }
            )
        )
        values = _values(terms, grid, size)
        norms = np.sqrt(np.square(values).mean(0))
        values = values / norms
        q, r = np.linalg.qr(values[:, :4])
        share = q.T @ values[:, 4:]
        u, sizes, v = np.linalg.svd(values[:, 4:] - q @ share, full_matrices=False)
        count = min(max(_COUNTS) - 4, int((sizes > _SMALLEST * sizes[0]).sum()))
        components = v[:count].T / sizes[:count]
        inverse = np.linalg.inv(r)
        mix = np.block(
            [[inverse, -inverse @ share @ components], [np.zeros((len(terms), 4)), components]]
        )
        onto = np.concatenate([q, u[:, :count]], 1).T
        f, ego, alt = (min(k, len(onto)) for k in _COUNTS)
        counts = f + _MONOMIALS * len(covariates), ego, alt
        return cls(grid, size, scale, signed, covariates, counts, terms, mix / norms[:, None], onto)

    def families(self, name: str) -> tuple[Function, ...]:
        """The families of a function."""
        return families(name, self.signed, self.covariates)

    def values(self, x: Array) -> Array:
        """The basis functions at states, (…, K)."""
        return np.asarray(_values(self.terms, x, self.size) @ self.mix)

    def vector(self, form: Form, parameters: Array) -> Array:
        """The vector v of a law."""
        f, ego, alt = (self.function(form, name, parameters)[0] for name in FUNCTIONS)
        return np.concatenate([f, np.outer(ego, alt).ravel()])

    def function(self, form: Form, name: str, parameters: Array) -> tuple[Array, Array]:
        """Coefficients of a function, and their derivatives by its parameters, (P, K)."""
        total, rows = self.whole(form, name, parameters)
        count = self.counts[FUNCTIONS.index(name)]
        return total[:count], rows[:, :count]

    def whole(self, form: Form, name: str, parameters: Array) -> tuple[Array, Array]:
        """The same with all functions of the basis, and the monomials times covariates."""
        count = len(self.onto) + _MONOMIALS * len(self.covariates)
        total, rows = np.zeros(count), []
        terms: Function = getattr(form, name)
        for i, (atom, coefficient, inner) in enumerate(form.split(name, parameters)):
            free = terms[i].free
            if free:
                columns = [atom_of(atom).value(self.grid, *inner)]
                columns += [atom_of(atom).by_inner[j](self.grid, *inner) for j in free]
                vectors = np.zeros((len(columns), count))
                vectors[:, : len(self.onto)] = np.stack(columns) @ self.onto.T
            else:
                vectors = self.of_term(terms[i], inner)[None]
            total += coefficient * vectors[0]
            if name != "h_alt" or i > 0:
                rows.append(vectors[0])
            rows += [coefficient * x for x in vectors[1:]]
        return total, np.array(rows).reshape(len(rows), count)

    def nearest(self, terms: Function, wanted: Array) -> _Terms:
        """Coefficients and inner parameters, of all starts, of what is closest to a function.

        Args:
            terms: of the function.
            wanted: coefficients of `whole`.
        """
        if terms not in self.near:
            inner = list(product(*(list(starts(t, self.scale, dense=True)) for t in terms)))
            columns = np.stack(
                [
                    np.stack([self.of_term(t, i) for t, i in zip(terms, x, strict=True)], -1)
                    for x in inner
                ]
            )
            self.near[terms] = _Near(
                inner, columns, np.asarray(np.linalg.pinv(columns, rcond=1e-10), np.float64)
            )
        near = self.near[terms]
        solutions = near.inverse @ wanted
        away = np.einsum("sxt,st->sx", near.columns, solutions) - wanted
        closest = int(np.argmin(np.square(away).sum(1)))
        return solutions[closest], near.inner[closest]

    def of_term(self, term: Term, inner: tuple[float, ...]) -> Array:
        """A term as a vector (K,) of coefficients of `whole`, computed once."""
        key = term.atom, inner, term.by
        if key not in self.known:
            own = len(self.onto)
            self.known[key] = found = np.zeros(own + _MONOMIALS * len(self.covariates))
            if term.by:
                first = own + _MONOMIALS * self.covariates.index(term.by)
                degree = _degree(term)
                found[first + degree] = self.size**degree
            else:
                found[:own] = self.onto @ atom_of(term.atom).value(self.grid, *inner)
        return self.known[key]


@dataclass(frozen=True, eq=False)
class _Near:
    """The starts of a function: inner parameters, terms as vectors, least squares."""

    inner: list[tuple[tuple[float, ...], ...]]
    columns: Array
    """(S, K, T)."""
    inverse: Array
    """(S, T, K)."""


def _degree(term: Term) -> int:
    """Of a monomial."""
    known = {"one": 0, "square": 2}
    return known[term.atom] if term.atom in known else round(term.fixed[0] or 0)


def _values(terms: Sequence[tuple[str, tuple[float, ...]]], x: Array, size: float) -> Array:
    """The monomials up to degree 3 and atoms at states, (…, 4 + terms)."""
    found = np.empty((*x.shape, _MONOMIALS + len(terms)))
    for degree in range(_MONOMIALS):
        found[..., degree] = (x / size) ** degree
    for place, (atom, inner) in enumerate(terms, _MONOMIALS):
        found[..., place] = atom_of(atom).value(x, *inner)
    return found


@dataclass(frozen=True, eq=False)
class Metric:
    """The loss of laws: `constant` + |root v − target|².

    Attributes:
        basis: in which v is.
        constant: smallest loss of any v.
        root: (R, C), rootᵀ root = matrix, but for directions that no loss tells apart.
        target: (R,), rootᵀ target = right.
    """

    basis: Basis
    constant: float
    root: Array
    target: Array

    @classmethod
    def of(cls, basis: Basis, matrix: Array, right: Array, total: float, noise: float) -> Metric:
        """From the products ZᵀZ, Zᵀz and zᵀz, and the noise of the observations."""
        scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
        least = np.clip(_NEGLIGIBLE * noise**2 / max(total, 1e-300), *_RANGE)
        kept = values > least * values[-1]
        sizes = np.sqrt(values[kept])
        root = (vectors[:, kept] * sizes).T * scale
        target = vectors[:, kept].T @ (right / scale) / sizes
        return cls(basis, max(total - float(target @ target), 0.0), root, target)

    @cached_property
    def _blocks(self) -> tuple[Array, Array, Array]:
        """`root` by columns of f, (R, K_f), and of products, (R, K_e, K_a) and (R, K_a, K_e)."""
        _, k_e, k_a = self.basis.counts
        own, products = np.split(self.root, [self.root.shape[1] - k_e * k_a], 1)
        by_ego = products.reshape(-1, k_e, k_a)
        return (
            np.ascontiguousarray(own), np.ascontiguousarray(by_ego),
            np.ascontiguousarray(by_ego.transpose(0, 2, 1)),
        )  # fmt: skip

    def residual(self, form: Form, parameters: Array) -> tuple[Array, Array]:
        """The vector root v − target of a law, and its derivatives by the parameters, (R, P)."""
        own, by_ego, by_alt = self._blocks
        found, jacobian = -self.target, np.zeros((len(self.target), len(parameters)))
        if form.f:
            f, d_f = self.basis.function(form, "f", parameters)
            found += own @ f
            jacobian[:, form.pieces["f"]] = own @ d_f.T
        if form.h_ego:
            ego, d_ego = self.basis.function(form, "h_ego", parameters)
            alt, d_alt = self.basis.function(form, "h_alt", parameters)
            # One function of the product at a time: no vector of all products is needed.
            with_alt = (by_ego.reshape(-1, len(alt)) @ alt).reshape(len(found), -1)
            found += with_alt @ ego
            jacobian[:, form.pieces["h_ego"]] = with_alt @ d_ego.T
            if len(d_alt):
                with_ego = (by_alt.reshape(-1, len(ego)) @ ego).reshape(len(found), -1)
                jacobian[:, form.pieces["h_alt"]] = with_ego @ d_alt.T
        return found, jacobian

    def without_f(self) -> Metric:
        """The metric of interactions, with the best f of the basis for each."""
        k = self.basis.counts[0]
        q, _ = np.linalg.qr(self.root[:, :k])
        complement = np.linalg.qr(q, mode="complete")[0][:, q.shape[1] :].T
        return Metric(
            self.basis, self.constant, complement @ self.root[:, k:], complement @ self.target
        )


def metric_weak(
    groups: Sequence[Group],
    grids: Sequence[Grid],
    paths: Sequence[Array],
    basis: Basis,
    noise: float,
) -> Metric:
    """The weak form: changes of smoothed states over windows against integrals of the velocity."""

    def windows(pieces: Array) -> Array:
        total = np.cumsum(np.concatenate([np.zeros_like(pieces[:1]), pieces]), 0)
        w = min(_WINDOW, len(pieces))
        return np.asarray(total[w :: max(w // 3, 1)] - total[: -w : max(w // 3, 1)])

    count = sum((basis.counts[0], basis.counts[1] * basis.counts[2]))
    matrix, right, total = np.zeros((count, count)), np.zeros(count), 0.0
    for group, grid, path in zip(groups, grids, paths, strict=True):
        for states in path:
            pieces = _pieces(basis, grid, group, states)
            z = windows(pieces).reshape(-1, count)
            y = windows(np.diff(states[grid.ends], axis=0)).ravel()
            matrix += z.T @ z
            right += z.T @ y
            total += float(y @ y)
    return Metric.of(basis, matrix, right, total, noise)


def metric_along(
    alongs: Sequence[Along], basis: Basis, form: Form, parameters: Array, noise: float
) -> Metric:
    """Trajectories, to first order around those of a reference law."""
    v = basis.vector(form, parameters)
    matrix, right, total = np.zeros((len(v), len(v))), np.zeros(len(v)), 0.0
    for along in alongs:
        residual = along.residual(along.model)
        for m in range(len(along.path)):
            one = slice(m, m + 1)
            pieces = _pieces(basis, along.grid, along.group, along.path[m])
            z = along.projected(along.responses(pieces[None], one), one)
            y = along.projected(residual[one], one)[:, 0]
            matrix += z.T @ z
            right += z.T @ y
            total += float(y @ y)
    # As if the reference were v itself: what the basis cannot say of it then cancels.
    total += float(2.0 * right @ v + v @ matrix @ v)
    return Metric.of(basis, matrix, right + matrix @ v, total, noise)


def _pieces(basis: Basis, grid: Grid, group: Group, states: Array) -> Array:
    """Integrals over pieces of all columns of one trajectory, (K, n, C)."""
    values = basis.values(states)
    f, ego, alt = (values[..., :count] for count in basis.counts)
    if basis.covariates:
        monomials = _values((), states, basis.size)
        scaled = [group.covariates[name][:, None] * monomials for name in basis.covariates]
        f = np.concatenate([f, *scaled], -1)
    q, n, k = alt.shape
    received = (group.adjacency @ alt.transpose(1, 0, 2).reshape(n, -1)).reshape(n, q, k)
    products = ego[..., None] * received.transpose(1, 0, 2)[:, :, None]
    columns = np.concatenate([f, products.reshape(q, n, -1)], -1)
    return np.asarray(grid.quadrature @ columns.reshape(q, -1)).reshape(-1, n, columns.shape[-1])


@dataclass(frozen=True, eq=False)
class Candidate:
    """A form with parameters and its loss in some metric."""

    form: Form
    parameters: Array
    loss: float


def description(form: Form, count: int) -> float:
    """Nats that it takes to say which form it is and what its parameters are.

    Each parameter costs ½ ln n (Rissanen 1978; Schwarz 1978), each term the choice of its atom,
    each exponent that is no whole number the choice of a fraction, each term with a covariate the
    choice of that, and each node in the tree of a formula the choice of what it is.
    """
    terms = [term for name in FUNCTIONS for term in getattr(form, name)]
    fractions = sum(
        fixed is not None and fixed != round(fixed) for term in terms for fixed in term.fixed
    )
    return float(
        0.5 * np.log(count) * len(form.slots)
        + np.log(len(ATOMS) + 3) * len(terms)
        + np.log(12.0) * fractions
        + np.log(12.0) * sum(atom_of(term.atom).nodes for term in terms)
        + np.log(4.0) * sum(bool(term.by) for term in terms)
    )


# --- the search -----------------------------------------------------------------------------------


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
    starting = _mixed(ranked(interactions, noise, count), simplest(interactions, count))
    pairs = _polish_all(free, starting[:_INTERACTIONS], 12, noise, count)
    alone = Candidate(Form((), (), ()), np.empty(0), 0.0)
    whole = _with_f(metric, choices["f"], alone, noise, count)
    for x in ranked(pairs, noise, count)[:_POLISHED]:
        whole += _with_f(metric, choices["f"], x, noise, count)
    whole = _distinct(ranked(whole, noise, count))[: 3 * _POLISHED]
    whole = _polish_all(metric, whole, 30, noise, count)
    return _distinct(ranked(whole, noise, count))


def polished(metric: Metric, laws: Sequence[tuple[Form, Array]]) -> list[Candidate]:
    """Known laws with the parameters that are best in this metric."""
    return [_polish(metric, form, p, 10) for form, p in laws]


def promising(found: Sequence[Candidate], noise: float, count: int, most: int) -> list[Candidate]:
    """The first of forms in their order, without those that are far from the first.

    Args:
        found: forms by length of description.
        noise: standard deviation of the observations.
        count: how many observations there are.
        most: at most so many.
    """
    variance = _variance(found, noise, count)
    lengths = [0.5 * x.loss / variance + description(x.form, count) for x in found[:most]]
    return [x for i, x in enumerate(found[:most]) if i < _SURE or lengths[i] < lengths[0] + _NEARLY]


def simplest(found: Sequence[Candidate], count: int) -> list[Candidate]:
    """Forms in another order: as if the smallest loss were a bias of thirty times its variance.

    Smoothed states are biased where they change fast, and rich forms explain the bias.
    """
    variance = _BIASED * min(x.loss for x in found) / count
    return sorted(found, key=lambda x: 0.5 * x.loss / variance + description(x.form, count))


def _mixed(one: Sequence[Candidate], other: Sequence[Candidate]) -> list[Candidate]:
    """The first of both orders, then the second of both, and so on."""
    return _distinct([x for pair in zip(one, other, strict=True) for x in pair])


def _distinct(found: Sequence[Candidate]) -> list[Candidate]:
    seen, kept = set(), []
    for x in found:
        if x.form not in seen:
            seen.add(x.form)
            kept.append(x)
    return kept


_Terms = tuple[Array, Sequence[tuple[float, ...]]]
"""Coefficients of the terms of a function, and their inner parameters."""


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
        found: dict[int, list[int]] = {}
        for i, (_, chosen) in enumerate(self.sets):
            found.setdefault(len(chosen), []).append(i)
        return found


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
    return Candidate(form, _assembled(form, parts), start.loss)


def _assembled(form: Form, parts: Mapping[str, _Terms]) -> Array:
    """The vector of parameters from coefficients and inner parameters of the terms."""
    values = []
    for slot in form.slots:
        coefficients, inner = parts[slot.function]
        values.append(
            coefficients[slot.term] if slot.inner is None else inner[slot.term][slot.inner]
        )
    return np.array(values)


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
            own = _assembled(
                Form(function, (), ()),
                {"f": (solution[row, 1:], [choices.inner[j] for j in choices.sets[i][1]])},
            )
            rest = interaction.parameters.copy()
            for place, slot in enumerate(interaction.form.slots):
                if slot.function == "h_ego" and slot.inner is None:
                    rest[place] *= solution[row, 0]
            best[function] = loss, Candidate(form, np.concatenate([own, rest]), loss)
    return ranked([x for _, x in best.values()], noise, count)[:_KEPT]


def _polish(
    metric: Metric, form: Form, parameters: Array, steps: int, limit: float = np.inf
) -> Candidate:
    """Levenberg–Marquardt on all parameters of a form."""
    low, high = form.bounds(metric.basis.scale)
    with np.errstate(over="ignore", invalid="ignore"):  # formulas may leave all bounds
        found, loss = levenberg(
            lambda p: metric.residual(form, p), np.clip(parameters, low, high), low, high, steps,
            limit - metric.constant,
        )  # fmt: skip
    return Candidate(form, found, loss + metric.constant)


def _polish_all(
    metric: Metric, found: Sequence[Candidate], steps: int, noise: float, count: int
) -> list[Candidate]:
    """All of these, where smoothed states may have biased the losses."""
    polished: list[Candidate] = []
    for x in found:
        limit = _hopeless(polished, noise, count, _BIASED) if polished else np.inf
        polished.append(_polish(metric, x.form, x.parameters, steps, limit))
    return polished


def _hopeless(found: Sequence[Candidate], noise: float, count: int, biased: float = 1.0) -> float:
    """A loss that is too large for any description to be among the short ones."""
    nats = biased * _HOPELESS * _variance(found, noise, count)
    return min(x.loss for x in found) + 2.0 * nats


def levenberg(
    at: Callable[[Array], tuple[Array, Array]],
    start: Array,
    low: Array,
    high: Array,
    steps: int,
    limit: float = np.inf,
) -> tuple[Array, float]:
    """Levenberg–Marquardt within bounds: parameters and sum of squares.

    Args:
        at: residuals and their derivatives.
        start: parameters to start from.
        low: lower bounds.
        high: upper bounds.
        steps: at most so many.
        limit: a sum of squares that is of no interest: what promises no less is left as it is.
    """
    p = start
    residual, jacobian = at(p)
    loss = float(residual @ residual)
    damping = 1e-4
    for number in range(steps):
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ residual
        diagonal = np.maximum(np.diag(normal), 1e-300)
        scale = np.sqrt(diagonal)
        scaled = normal / np.outer(scale, scale)
        if number >= _TRIED and loss > limit:
            right = gradient / scale
            promised = right @ np.linalg.solve(scaled + 1e-9 * np.eye(len(p)), right)
            if loss - promised > limit:
                break
        better = False
        while damping < 1e6:
            step = np.linalg.solve(scaled + damping * np.eye(len(p)), gradient / scale) / scale
            trial = np.clip(p - step, low, high)
            r, j = at(trial)
            new = float(r @ r)
            if new < loss:
                better = True
                break
            damping *= 8.0
        if not better:
            break
        gain = 1.0 - new / max(loss, 1e-300)
        p, residual, jacobian, loss = trial, r, j, new
        damping = max(damping / 10.0, 1e-12)
        if gain < 1e-4:
            break
    return p, loss


def climb(metric: Metric, found: Sequence[Candidate], noise: float, count: int) -> list[Candidate]:
    """From the best form on: one function at a time takes the family that fits best.

    Args:
        metric: of losses.
        found: where it starts: the best of these.
        noise: standard deviation of the observations.
        count: how many observations there are.

    Returns:
        All forms that were tried, by length of description.
    """
    basis = metric.basis
    tried = {x.form: x for x in found}
    best, settled = ranked(found, noise, count)[0], 0
    least = min(found, key=lambda x: x.loss)
    limit = _hopeless([least], noise, count)
    for name in _CYCLES * FUNCTIONS:
        settled += 1
        if getattr(best.form, name):
            for function in basis.families(name):
                form = replace(best.form, **{name: function})
                if function and form not in tried:
                    start = _nearest(form, name, best, basis)
                    tried[form] = x = _polish(metric, form, start, 15, limit)
                    if x.loss < least.loss:
                        least = x
                        limit = _hopeless([least], noise, count)
            first = ranked(list(tried.values()), noise, count)[0]
            if first.form != best.form:
                best, settled = first, 0
        if settled == len(FUNCTIONS):
            break
    return ranked(list(tried.values()), noise, count)


def ranked(found: Sequence[Candidate], noise: float, count: int) -> list[Candidate]:
    """By length of description, with the smallest loss for noise where it is larger."""
    variance = _variance(found, noise, count)
    return sorted(found, key=lambda x: 0.5 * x.loss / variance + description(x.form, count))


def _variance(found: Sequence[Candidate], noise: float, count: int) -> float:
    """Of the noise, with the smallest loss for it where that is larger."""
    return max(noise**2, min(x.loss for x in found) / count)


def _nearest(form: Form, name: str, best: Candidate, basis: Basis) -> Array:
    """Parameters of a form whose one other function is close to that of the best."""
    wanted, _ = basis.whole(best.form, name, best.parameters)
    coefficients, inner_values = basis.nearest(getattr(form, name), wanted)
    parts: dict[str, _Terms] = {n: _parts(best, n) for n in FUNCTIONS}
    parts[name] = coefficients, inner_values
    if name == "h_alt":
        first = coefficients[0] if abs(coefficients[0]) > 1e-9 else 1e-9
        parts["h_alt"] = coefficients / first, inner_values
        ego, inner_ego = parts["h_ego"]
        parts["h_ego"] = ego * first, inner_ego
    return _assembled(form, parts)


def closest_polynomial(
    metric: Metric, best: Candidate, degrees: tuple[tuple[int, ...], ...]
) -> Candidate:
    """The law whose functions are polynomials of these degrees, from what is close to a law."""
    x = best
    for name, chosen in zip(FUNCTIONS, degrees, strict=True):
        function = tuple(monomial(d, metric.basis.signed) for d in chosen)
        form = replace(x.form, **{name: function})
        x = replace(x, form=form, parameters=_nearest(form, name, x, metric.basis))
    return _polish(metric, x.form, x.parameters, 30)


def _parts(x: Candidate, name: str) -> _Terms:
    terms = x.form.split(name, x.parameters)
    return np.array([c for _, c, _ in terms]), [inner for _, _, inner in terms]
