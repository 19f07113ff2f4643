"""What the files and tables of zoos hold."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Kind, Schema, gathered

__all__ = [
    "COLLECTED_EPOCHS",
    "COLLECTED_IMPORTS",
    "COLLECTED_MEMBERS",
    "ZOO",
    "ZOO_BLOCK",
    "ZOO_EPOCHS",
    "ZOO_IMPORT",
    "ZOO_METRICS",
]

ZOO_BLOCK = Kind("zoo block", 4)

ZOO_METRICS = Schema(
    "zoo metrics",
    1,
    columns={
        "member": pa.int64(),
        "seed": pa.int64(),
        "initialization": pa.string(),
        "epoch": pa.int64(),
        "train_accuracy": pa.float64(),
        "train_loss": pa.float64(),
        "validation_accuracy": pa.float64(),
        "validation_loss": pa.float64(),
        "test_accuracy": pa.float64(),
        "test_loss": pa.float64(),
        "status": pa.string(),
        "reason": pa.string(),
    },
    about={
        "member": "number of the network in its zoo",
        "seed": "seed from which its initialization and its order of items follow",
        "initialization": "how its weights started",
        "epoch": "epoch after which its weights were kept, from 1; 0 if the training failed",
        "train_accuracy": "share of training items classified correctly; of numbers, R²",
        "train_loss": "mean cross-entropy of the training items, nats; of numbers, squared error",
        "validation_accuracy": "share of validation items classified correctly",
        "validation_loss": "mean cross-entropy of the validation items, nats",
        "test_accuracy": "share of test items classified correctly",
        "test_loss": "mean cross-entropy of the test items, nats",
        "status": "ok, or failed: then the network is not in its block",
        "reason": "why it failed; empty if it did not",
    },
)

ZOO_EPOCHS = Schema(
    "zoo epochs",
    1,
    {
        "epochs": pa.int64(),
        "member": pa.int64(),
        "accuracy": pa.float64(),
        "loss": pa.float64(),
    },
    {
        "epochs": "how long the network was trained; the zoo's own number of epochs is the largest",
        "member": "number of the network in its zoo",
        "accuracy": "share of test items classified correctly; of numbers, R²",
        "loss": "mean cross-entropy of the test items, nats; of numbers, squared error",
    },
)

ZOO_IMPORT = Schema(
    "zoo import",
    1,
    {
        "member": pa.int64(),
        "file": pa.string(),
        "dtype": pa.string(),
        "nearest": pa.float64(),
        "status": pa.string(),
        "reason": pa.string(),
    },
    {
        "member": "number of the checkpoint, and of its network in the zoo",
        "file": "the checkpoint",
        "dtype": "types of its numbers; empty if it was not read so far",
        "nearest": "Euclidean distance of the weights to the nearest other network of the block, "
        "in units of the median between two; far below 1 for checkpoints of one run",
        "status": "ok, or left out: then the network is not in its block",
        "reason": "why it was left out; empty if it was not",
    },
)

ZOO = Schema("zoo", 1, {"zoo": pa.string()}, {"zoo": "name of the zoo"})

COLLECTED_MEMBERS = gathered("members of all zoos", ZOO_METRICS, ZOO)
COLLECTED_EPOCHS = gathered("zoos by epochs", ZOO_EPOCHS, ZOO)
COLLECTED_IMPORTS = gathered("checkpoints of all zoos from elsewhere", ZOO_IMPORT, ZOO)
