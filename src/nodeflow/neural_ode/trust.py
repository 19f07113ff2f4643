"""When not to trust a forecast: what training covered, flags where it is left, and bands.

A neural ODE dx_i/dt = f(x_i) + h_ego(x_i) Σ_j A_ij h_alt(x_j) is three functions of one state each.
Degrees, weights and sizes enter through the sum alone, which is part of its form. So what training
data cover is, for each function, a set of states (`Seen`), and a forecast extrapolates where one of
the functions is evaluated at other states (`flags`). Flags say where the evidence ends; how far a
forecast may be off is said by the bands of an ensemble of models (`bands`), whose width is set by
forecasts of runs that the models were not trained on (`calibrate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from nodeflow.neural_ode.seen import Floats, TrustProblem

__all__ = ["LEVELS", "Bands", "Calibration", "bands", "calibrate", "checked_levels"]


LEVELS = (0.5, 0.9)
"""Probabilities of the bands, unless others are asked for."""


@dataclass(frozen=True)
class Calibration:
    """How much wider than Student's the bands of an ensemble have to be; made by `calibrate`.

    Attributes:
        levels: probabilities, rising.
        stretch: by what the half width of each band is multiplied.
        runs: how many runs it was taken from; 0 if there were none, and then all factors are 1.
    """

    levels: tuple[float, ...]
    stretch: tuple[float, ...]
    runs: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Calibration:
        """What `to_dict` made.

        Raises:
            TrustProblem: it is something else.
        """
        try:
            levels, stretch = (tuple(map(float, given[name])) for name in ("levels", "stretch"))
            return cls(levels, stretch, int(given["runs"]))
        except (KeyError, TypeError, ValueError) as error:
            raise TrustProblem(
                "A calibration is levels, as many factors, stretch, and the number of runs; write "
                "it with Calibration.to_dict."
            ) from error


@dataclass(frozen=True)
class Bands:
    """What an ensemble of M models predicts for n nodes at T times.

    Attributes:
        levels: L probabilities.
        mean: (T, n), of the models that did not fail; the middle of the bands.
        median: (T, n), of the same.
        low: (L, T, n) lower edges; NaN if fewer than two models are left.
        high: (L, T, n) upper edges.
        failed: which models failed, and were left out.
        left: how many were not.
    """

    levels: tuple[float, ...]
    mean: Floats
    median: Floats
    low: Floats
    high: Floats
    failed: tuple[int, ...]
    left: int

    @property
    def enough(self) -> bool:
        """Whether enough models are left for bands; if not, distrust all nodes."""
        return self.left > 1


def bands(
    predictions: ArrayLike,
    levels: Sequence[float] = LEVELS,
    *,
    calibration: Calibration | None = None,
    noise: float = 0.0,
) -> Bands:
    """Mean and bands of what the models of an ensemble predict for one run.

    With M models the band of level p is m ± c t s √(1 + 1/M), of their mean m, their standard
    deviation s (of M − 1), and the quantile (1 + p)/2 of Student's t with M − 1 degrees of freedom.
    With c = 1 this is the predictive interval of normal theory: it covers with probability p
    whatever is drawn as the models were, for any M ≥ 2, where quantiles of so few models cover too
    little. What models share, such as an error of their common data, is not in their spread; a
    calibration replaces 1 by the c that covers held-out runs.

    A model that is not finite anywhere in the run is left out of all of it: models that fail tend
    to be off before they do, and bands that change hands on the way would narrow there.

    Args:
        predictions: (M, T, n); NaN or infinite where a model failed.
        levels: probabilities between 0 and 1.
        calibration: from `calibrate`, for these levels and this noise.
        noise: standard deviation of what is added to a state where it is observed; its square adds
            to s² (1 + 1/M), so that bands cover observations. 0 for bands of the states themselves.

    Raises:
        TrustProblem: other shapes, or a level that is no probability or not calibrated.
    """
    given = _predictions(predictions)
    wanted = checked_levels(levels)
    stretch = np.ones(len(wanted))
    if calibration is not None:
        factors = dict(zip(calibration.levels, calibration.stretch, strict=True))
        missing = [p for p in wanted if p not in factors]
        if missing:
            raise TrustProblem(
                f"The calibration is for the levels {', '.join(map(str, calibration.levels))}, "
                f"not for {missing[0]}; ask for those, or calibrate that level, too."
            )
        stretch = np.array([factors[p] for p in wanted])
    good = np.isfinite(given).all(axis=(1, 2))
    failed, left = tuple(np.flatnonzero(~good).tolist()), int(good.sum())
    shape = given.shape[1:]
    if not left:
        nothing = np.full(shape, np.nan)
        edges = np.full((len(wanted), *shape), np.nan)
        return Bands(wanted, nothing, nothing, edges, edges, failed, left)
    kept = given[good]
    mean = kept.mean(axis=0)
    half = (stretch * _student(wanted, left))[:, None, None] * _scale(kept, noise)
    return Bands(wanted, mean, np.median(kept, axis=0), mean - half, mean + half, failed, left)


def calibrate(
    predictions: Sequence[ArrayLike],
    truths: Sequence[ArrayLike],
    levels: Sequence[float] = LEVELS,
    *,
    noise: float = 0.0,
) -> Calibration:
    """How much wider than Student's bands have to be to cover runs that models did not learn from.

    This is conformal prediction: each distance of a held-out state from the mean is divided by the
    half width of its band, and the quantile p of these quotients is the factor. States of one run
    go wrong together, so runs count as one each, however many nodes and times they have, and the
    quantile is raised to p (1 + 1/K) for K runs (pooling with the correction for groups, Lee,
    Barber and Willett 2023, arXiv:2306.06342). Then at least the share p of the states of a further
    run is covered on average, if it comes from where these come from. That takes K ≥ p / (1 − p)
    runs, 9 for 90 %; with fewer, the largest quotient is taken.

    Every run may be predicted by other models, e.g. those of an ensemble that were trained on other
    runs or graphs (Barber et al. 2021, Ann. Stat. 49, 486); of runs with fewer than two nothing is
    learned. The first time of a run is passed over, since its states are given.

    Args:
        predictions: of K runs, arrays (M, T, n); models that fail are left out as in `bands`.
        truths: of the same runs, arrays (T, n); NaN where nothing was observed.
        levels: probabilities between 0 and 1.
        noise: of the observations, as in `bands`.

    Raises:
        TrustProblem: shapes that do not fit each other, or a level that is no probability.
    """
    wanted = checked_levels(levels)
    if len(predictions) != len(truths):
        raise TrustProblem(
            f"{len(predictions)} predictions came with {len(truths)} true runs; give one each."
        )
    quotients = [
        _quotients(_predictions(x), np.asarray(y, dtype=np.float64), wanted, noise)
        for x, y in zip(predictions, truths, strict=True)
    ]
    useful = [x for x in quotients if x.shape[1]]
    if not useful:
        return Calibration(wanted, (1.0,) * len(wanted), 0)
    weights = np.concatenate([np.full(x.shape[1], 1 / x.shape[1]) for x in useful]) / len(useful)
    pooled = np.concatenate(useful, axis=1)
    raised = 1 + 1 / len(useful)
    stretch = tuple(
        _quantile(row, weights, min(p * raised, 1.0)) for p, row in zip(wanted, pooled, strict=True)
    )
    return Calibration(wanted, stretch, len(useful))


def _quotients(
    predictions: Floats, truth: Floats, levels: tuple[float, ...], noise: float
) -> Floats:
    """Distances from the mean over half widths, (L, observed states); none without two models."""
    if truth.shape != predictions.shape[1:]:
        raise TrustProblem(
            f"Predictions of shape {predictions.shape} need true states of shape "
            f"{predictions.shape[1:]}, not {truth.shape}."
        )
    kept = predictions[np.isfinite(predictions).all(axis=(1, 2))][:, 1:]
    observed = np.isfinite(truth[1:])
    if len(kept) < 2 or not observed.any():
        return np.empty((len(levels), 0))
    distance = np.abs(truth[1:] - kept.mean(axis=0))[observed]
    scale = _scale(kept, noise)[observed]
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.where(distance > 0, distance / scale, 0.0)
    return quotient / _student(levels, len(kept))[:, None]


def _quantile(values: Floats, weights: Floats, p: float) -> float:
    """The smallest value up to which the weights, whose sum is 1, add up to p."""
    order = np.argsort(values)
    place = int(np.searchsorted(np.cumsum(weights[order]), p * (1 - 1e-12)))
    return float(values[order[min(place, len(values) - 1)]])


def _scale(kept: Floats, noise: float) -> Floats:
    """Standard error of a further model's prediction and of noise; NaN for a single model."""
    if len(kept) < 2:
        return np.full(kept.shape[1:], np.nan)
    spread = kept.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(kept))
    scale: Floats = np.hypot(spread, noise)
    return scale


def _student(levels: tuple[float, ...], count: int) -> Floats:
    """Half widths of central intervals of Student's t of `count` models."""
    quantiles: Floats = stdtrit(max(count - 1, 1), (1 + np.array(levels)) / 2)
    return quantiles


def _predictions(given: ArrayLike) -> Floats:
    predictions = np.asarray(given, dtype=np.float64)
    if predictions.ndim != 3:
        raise TrustProblem(
            "Predictions of one run have the shape (models, times, nodes), not "
            f"{predictions.shape}."
        )
    return predictions


def checked_levels(given: Sequence[float]) -> tuple[float, ...]:
    """Levels of bands as given.

    Raises:
        TrustProblem: they do not rise, or one is no probability.
    """
    levels = tuple(float(p) for p in given)
    bad = [p for p in levels if not 0 < p < 1]
    if bad or list(levels) != sorted(set(levels)):
        raise TrustProblem(
            f"Levels of bands are rising probabilities between 0 and 1, not {list(levels)}."
        )
    return levels
