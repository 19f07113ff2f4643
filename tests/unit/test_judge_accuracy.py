from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss

from nodeflow.judge.accuracy import assess, assess_logits, calibration_error
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.predict import predict

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 50)


def test_accuracy_and_loss_agree_with_scikit_learn() -> None:
    logits = torch.tensor(RNG.normal(size=(6, 50, 4)) * 3)
    found, _ = assess_logits(logits, Y)
    chances = torch.softmax(logits, dim=2).numpy()
    for k in range(6):
        guess = chances[k].argmax(axis=1)
        assert found.accuracy[k] == pytest.approx(accuracy_score(Y, guess))
        assert found.loss[k] == pytest.approx(log_loss(Y, chances[k], labels=range(4)))
        assert (found.errors[k] == (guess != Y)).all()
        together = chances[: k + 1].mean(axis=0).argmax(axis=1)
        assert found.ensemble_accuracy[k] == pytest.approx(accuracy_score(Y, together))


def test_calibration_error_against_a_loop_over_bins() -> None:
    confidence, correct = RNG.uniform(0.2, 1, (3, 200)), RNG.random((3, 200)) < 0.6
    confidence[0, :3] = 1.0
    for k in range(3):
        expected = 0.0
        for low in np.arange(15) / 15:
            inside = (confidence[k] >= low) & (confidence[k] < low + 1 / 15)
            inside |= (confidence[k] == 1) & (low == 14 / 15)
            if inside.any():
                gap = confidence[k][inside].mean() - correct[k][inside].mean()
                expected += abs(gap) * inside.mean()
        assert calibration_error(confidence, correct)[k] == pytest.approx(expected)


def test_calibration_error_of_known_cases() -> None:
    half = np.tile([True, False], 50)
    confidence = np.stack([np.full(100, 0.5), np.full(100, 0.9), np.ones(100)])
    correct = np.stack([half, half, np.ones(100, bool)])
    assert calibration_error(confidence, correct) == pytest.approx([0, 0.4, 0], abs=1e-12)


def test_a_network_with_non_finite_logits_fails_alone() -> None:
    logits = torch.tensor(RNG.normal(size=(5, 50, 4)))
    clean, total = assess_logits(logits[[1, 3]], Y)
    broken = logits.clone()
    broken[0, 3, 1], broken[2] = math.inf, math.nan
    found, same_total = assess_logits(broken, Y)
    assert found.ok.tolist() == [False, True, False, True, True]
    for name in ("accuracy", "loss", "ece"):
        assert np.isnan(getattr(found, name)[[0, 2]]).all()
        assert (getattr(found, name)[[1, 3]] == getattr(clean, name)).all()
    assert not found.errors[[0, 2]].any()
    assert math.isnan(found.ensemble_accuracy[0])
    assert found.ensemble_accuracy[2] == found.ensemble_accuracy[1] == clean.ensemble_accuracy[0]
    assert found.ensemble_accuracy[3] == clean.ensemble_accuracy[1]
    assert torch.isfinite(same_total).all() and torch.isfinite(total).all()


@given(cut=st.integers(1, 5))
def test_assessing_in_parts_is_assessing_at_once(cut: int) -> None:
    logits = torch.tensor(np.random.default_rng(cut).normal(size=(6, 50, 4)))
    whole, _ = assess_logits(logits, Y)
    first, total = assess_logits(logits[:cut], Y)
    second, _ = assess_logits(logits[cut:], Y, total)
    for name in ("accuracy", "ece", "errors", "ensemble_accuracy"):
        parts = [getattr(part, name) for part in (first, second)]
        assert (np.concatenate(parts) == getattr(whole, name)).all()


def test_stacked_networks_are_assessed_one_by_one() -> None:
    architecture = mlp([3, 5, 4])
    generators = [torch.Generator().manual_seed(k) for k in range(70)]
    stacked = architecture.initialize(generators)
    x = RNG.normal(size=(50, 3)).astype(np.float32)
    found = assess(architecture, stacked, x, Y)
    assert found.errors.shape == (70, 50)
    logits = predict(architecture, stacked, x)
    assert (found.errors == (logits.argmax(2).numpy() != Y)).all()
    last = torch.softmax(logits.double(), 2).mean(0).argmax(1).numpy()
    assert found.ensemble_accuracy[-1] == pytest.approx((last == Y).mean())
