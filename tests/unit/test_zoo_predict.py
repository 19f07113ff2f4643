import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from nodeflow.seeds import torch_generator
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.predict import evaluate, predict, predict_labels, recalibrated

ARCHITECTURE = mlp([5, 7, 3])


def networks(members: int) -> dict[str, torch.Tensor]:
    return ARCHITECTURE.initialize([torch_generator(k, "test") for k in range(members)])


def items(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(count, 5)).astype(np.float32), rng.integers(0, 3, count)


@settings(max_examples=20, deadline=None)
@given(members=st.integers(1, 9), count=st.integers(1, 40), batch=st.integers(1, 12))
def test_predictions_are_those_of_each_network_in_numpy(
    members: int, count: int, batch: int
) -> None:
    parameters, (x, _) = networks(members), items(count)
    logits = predict(ARCHITECTURE, parameters, x, batch=batch)
    assert logits.shape == (members, count, 3)
    for k in range(members):
        w0, b0, w1, b1 = (t[k].double().numpy() for t in parameters.values())
        expected = np.maximum(x @ w0.T + b0, 0) @ w1.T + b1
        assert np.allclose(logits[k], expected, atol=1e-5)
    labels = predict_labels(ARCHITECTURE, parameters, x, batch=batch)
    assert torch.equal(labels, logits.argmax(2))


def test_evaluation_agrees_with_scikit_learn_over_many_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules["nodeflow.zoo.predict"], "_ITEMS", 16)
    parameters, (x, y) = networks(5), items(53)
    loss, accuracy = evaluate(ARCHITECTURE, parameters, x, y, batch=2)
    logits = predict(ARCHITECTURE, parameters, x)
    for k in range(5):
        probabilities = torch.softmax(logits[k].double(), 1).numpy()
        assert np.isclose(loss[k], log_loss(y, probabilities, labels=[0, 1, 2]), atol=1e-6)
        assert accuracy[k] == np.mean(logits[k].argmax(1).numpy() == y)


def test_a_network_that_is_not_finite_has_a_loss_that_is_not() -> None:
    parameters, (x, y) = networks(3), items(10)
    parameters["layer1.bias"][1] = torch.nan
    loss, _ = evaluate(ARCHITECTURE, parameters, x, y)
    assert np.isfinite(loss).tolist() == [True, False, True]


def test_networks_without_statistics_have_none_to_measure() -> None:
    parameters, (x, _) = networks(2), items(4)
    assert recalibrated(ARCHITECTURE, parameters, x) == {}


def test_double_precision_stays_double() -> None:
    parameters, (x, _) = networks(2), items(4)
    double = {name: tensor.double() for name, tensor in parameters.items()}
    assert predict(ARCHITECTURE, double, x).dtype == torch.float64
