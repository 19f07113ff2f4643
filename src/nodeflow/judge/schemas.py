"""What the judge's tables hold."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.flow.schemas import FLOWS
from nodeflow.tables import Schema, gathered

__all__ = [
    "CLAIMS",
    "COLLECTED_CONDITIONAL",
    "COLLECTED_CONDITIONAL_SUMMARY",
    "COLLECTED_DISTANCES",
    "COLLECTED_PANEL",
    "COLLECTED_SOLVERS",
    "COLLECTED_SUMMARY",
    "COLLECTED_TRANSFER",
    "CONDITIONAL",
    "CONDITIONAL_SUMMARY",
    "DISTANCES",
    "JUDGE_PANEL",
    "JUDGE_SUMMARY",
    "SOLVERS",
    "TRANSFER",
]

JUDGE_PANEL = Schema(
    "judge panel",
    2,
    columns={
        "set": pa.string(),
        "index": pa.int64(),
        "seed": pa.int64(),
        "accuracy": pa.float64(),
        "loss": pa.float64(),
        "ece": pa.float64(),
        "nearest": pa.float64(),
        "second": pa.float64(),
        "ratio": pa.float64(),
        "nearest_index": pa.int64(),
        "max_iou": pa.float64(),
        "spread": pa.float64(),
        "neighbour_p": pa.float64(),
        "ensemble_accuracy": pa.float64(),
        "status": pa.string(),
        "reason": pa.string(),
    },
    about={
        "set": "zoo, held-out, generated, or the name of a control",
        "index": "number of the network: in its zoo, or within the set",
        "seed": "seed it can be made from again; -1 for members of the zoo, whose table has theirs",
        "accuracy": "share of test items classified correctly; NaN if failed, as all below, or if "
        "there are no items",
        "loss": "mean cross-entropy of the test items, nats",
        "ece": "expected calibration error on the test items, 15 bins",
        "nearest": "Euclidean distance of the weights to the nearest training member but itself, "
        "each pair in its closest gauge if so asked for",
        "second": "the same to the second-nearest",
        "ratio": "nearest over second; a replica if below 1/3",
        "nearest_index": "number of the nearest training member in its zoo; -1 if failed",
        "max_iou": "largest overlap of the test errors with those of a training member but itself",
        "spread": "Euclidean distance of the weights as given to the mean of the set",
        "neighbour_p": "p-value of the nearest-neighbour two-sample test of the whole set against "
        "the held-out members, weights as given; NaN without them",
        "ensemble_accuracy": "test accuracy of the set's networks up to this one, probabilities "
        "averaged",
        "status": "ok, or failed",
        "reason": "why it failed, or what could not be measured of it; empty if neither",
    },
)

JUDGE_SUMMARY = Schema(
    "judge summary",
    2,
    columns={
        "set": pa.string(),
        "n": pa.int64(),
        "failed": pa.int64(),
        "accuracy": pa.float64(),
        "accuracy_low": pa.float64(),
        "accuracy_high": pa.float64(),
        "accuracy_std": pa.float64(),
        "loss": pa.float64(),
        "ece": pa.float64(),
        "nearest": pa.float64(),
        "nearest_relative": pa.float64(),
        "nearest_p": pa.float64(),
        "ratio": pa.float64(),
        "replica_share": pa.float64(),
        "distinct": pa.int64(),
        "rms_ratio": pa.float64(),
        "max_iou": pa.float64(),
        "max_iou_p": pa.float64(),
        "neighbour_p": pa.float64(),
        "ensemble_size": pa.int64(),
        "ensemble_accuracy": pa.float64(),
        "ensemble_gain": pa.float64(),
    },
    about={
        "set": "zoo, held-out, generated, or the name of a control",
        "n": "networks that could be judged; all columns below are of these",
        "failed": "networks that could not",
        "accuracy": "mean test accuracy",
        "accuracy_low": "lower end of its 95 % bootstrap interval",
        "accuracy_high": "upper end",
        "accuracy_std": "standard deviation of the test accuracy over networks",
        "loss": "mean test cross-entropy, nats",
        "ece": "mean expected calibration error",
        "nearest": "median distance to the nearest training member",
        "nearest_relative": "the same over that of the zoo, leave one out",
        "nearest_p": "p-value that distances are distributed like those of held-out members "
        "(Kolmogorov-Smirnov)",
        "ratio": "mean of nearest over second-nearest distance",
        "replica_share": "share of networks with that ratio below 1/3",
        "distinct": "how many training members are the nearest of some network",
        "rms_ratio": "rms distance to the set's mean over that of the zoo",
        "max_iou": "mean of the largest overlap of errors with a training member",
        "max_iou_p": "p-value that it is distributed like that of held-out members",
        "ensemble_size": "networks in the ensemble: as many as the smallest set has",
        "neighbour_p": "p-value that its networks mix with the held-out members as one set does "
        "(nearest-neighbour two-sample test, permutations)",
        "ensemble_accuracy": "test accuracy of the ensemble of the first that many networks",
        "ensemble_gain": "that less the mean accuracy",
    },
)

DISTANCES = Schema(
    "distances",
    1,
    columns={
        "set": pa.string(),
        "factor": pa.float64(),
        "n": pa.int64(),
        "failed": pa.int64(),
        "distance": pa.float64(),
        "accuracy": pa.float64(),
        "accuracy_low": pa.float64(),
        "accuracy_high": pa.float64(),
        "novel_share": pa.float64(),
        "performant_share": pa.float64(),
        "both_share": pa.float64(),
    },
    about={
        "set": "zoo, held-out, generated, or the name of a control",
        "factor": "how far networks are moved from their nearest training member, over the median "
        "distance of a member to its nearest; NaN for networks as they were made",
        "n": "networks that could be judged; all columns below are of these",
        "failed": "networks that could not",
        "distance": "median distance to the nearest training member after that, in the same unit; "
        "below the factor where another member is nearer then",
        "accuracy": "mean test accuracy",
        "accuracy_low": "lower end of its 95 % bootstrap interval",
        "accuracy_high": "upper end",
        "novel_share": "share of networks as far from every training member as 95 % of the members "
        "are from all others",
        "performant_share": "share of networks as accurate as 95 % of the held-out members, or of "
        "training members where there are none",
        "both_share": "share of networks that are both",
    },
)

TRANSFER = Schema(
    "transfer",
    1,
    columns={
        "task": pa.string(),
        "set": pa.string(),
        "index": pa.int64(),
        "epochs": pa.int64(),
        "accuracy": pa.float64(),
        "loss": pa.float64(),
    },
    about={
        "task": "the task: same, what was done to the items, or the name of another data set",
        "set": "held-out, generated, or initialization",
        "index": "number of the network within its set",
        "epochs": "passes over the task's training items before the test",
        "accuracy": "share of the task's test items classified correctly",
        "loss": "mean cross-entropy of the task's test items, nats",
    },
)

SOLVERS = Schema(
    "solvers",
    1,
    columns={
        "solver": pa.string(),
        "steps": pa.int64(),
        "evaluations": pa.int64(),
        "index": pa.int64(),
        "seed": pa.int64(),
        "accuracy": pa.float64(),
        "loss": pa.float64(),
        "status": pa.string(),
    },
    about={
        "solver": "integrator of the flow",
        "steps": "its equal steps from noise to network",
        "evaluations": "evaluations of the velocity for each network",
        "index": "number of the network among those of this solver and these steps",
        "seed": "seed it can be made from again",
        "accuracy": "share of test items classified correctly; NaN if failed",
        "loss": "mean cross-entropy of the test items, nats; NaN if failed",
        "status": "ok, or failed: parameters or logits are not finite",
    },
)

CONDITIONAL = Schema(
    "conditional judgement",
    2,
    columns={
        "set": pa.string(),
        "label": pa.string(),
        "guidance": pa.float64(),
        "index": pa.int64(),
        "seed": pa.int64(),
        "accuracy": pa.float64(),
        "loss": pa.float64(),
        "elsewhere": pa.float64(),
        "nearest": pa.float64(),
        "ratio": pa.float64(),
        "nearest_index": pa.int64(),
        "max_iou": pa.float64(),
        "status": pa.string(),
        "reason": pa.string(),
    },
    about={
        "set": "generated, or held-out members of the label's zoo",
        "label": "the zoo that was asked for",
        "guidance": "how much the label counts: 0 not at all, 1 as learned; NaN for members",
        "index": "number of the network among those of its set, label and guidance",
        "seed": "seed it can be made from again; -1 for members",
        "accuracy": "share of the label's test items classified correctly; NaN if failed, as below",
        "loss": "mean cross-entropy of the label's test items, nats",
        "elsewhere": "largest share of another label's test items classified correctly",
        "nearest": "distance of the weights to the label's nearest training member, each pair in "
        "its closest gauge",
        "ratio": "nearest over second-nearest distance; a replica if below 1/3",
        "nearest_index": "number of that member in its zoo; -1 if failed",
        "max_iou": "largest overlap of the test errors with those of the label's training members",
        "status": "ok, or failed",
        "reason": "why it failed, or what could not be measured of it; empty if neither",
    },
)

CONDITIONAL_SUMMARY = Schema(
    "conditional summary",
    1,
    columns={
        "set": pa.string(),
        "label": pa.string(),
        "guidance": pa.float64(),
        "n": pa.int64(),
        "failed": pa.int64(),
        "accuracy": pa.float64(),
        "accuracy_low": pa.float64(),
        "accuracy_high": pa.float64(),
        "loss": pa.float64(),
        "right": pa.float64(),
        "nearest_relative": pa.float64(),
        "nearest_p": pa.float64(),
        "replica_share": pa.float64(),
        "distinct": pa.int64(),
        "max_iou": pa.float64(),
        "max_iou_p": pa.float64(),
    },
    about={
        "set": "generated, or held-out members of the label's zoo",
        "label": "the zoo that was asked for",
        "guidance": "how much the label counts: 0 not at all, 1 as learned; NaN for members",
        "n": "networks that could be judged; all columns below are of these",
        "failed": "networks that could not",
        "accuracy": "mean accuracy on the label's test items",
        "accuracy_low": "lower end of its 95 % bootstrap interval",
        "accuracy_high": "upper end",
        "loss": "mean cross-entropy of the label's test items, nats",
        "right": "share of networks that are more accurate on the label's test items than on those "
        "of any other label",
        "nearest_relative": "median distance to the label's nearest training member over that of "
        "held-out members",
        "nearest_p": "p-value that distances are distributed like those of held-out members "
        "(Kolmogorov-Smirnov)",
        "replica_share": "share of networks whose nearest member is below 1/3 as far as the second",
        "distinct": "how many training members are the nearest of some network",
        "max_iou": "mean of the largest overlap of errors with a training member of the label",
        "max_iou_p": "p-value that it is distributed like that of held-out members",
    },
)

COLLECTED_PANEL = gathered("panels of all flows", JUDGE_PANEL, FLOWS)
COLLECTED_SUMMARY = gathered("summaries of all flows", JUDGE_SUMMARY, FLOWS)
COLLECTED_CONDITIONAL = gathered("conditional flows", CONDITIONAL, FLOWS)
COLLECTED_CONDITIONAL_SUMMARY = gathered(
    "summaries of conditional flows", CONDITIONAL_SUMMARY, FLOWS
)
COLLECTED_DISTANCES = gathered("all flows by distance", DISTANCES, FLOWS)
COLLECTED_SOLVERS = gathered("flows by solver", SOLVERS, FLOWS)
COLLECTED_TRANSFER = gathered("transfer of all flows", TRANSFER, FLOWS)

CLAIMS = Schema(
    "claims",
    1,
    {
        "claim": pa.string(),
        "system": pa.string(),
        "statistic": pa.string(),
        "value": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "threshold": pa.float64(),
        "verdict": pa.string(),
    },
    {
        "claim": "what the paper says, our conjecture test, or what we say of trust and of laws",
        "system": "dynamical system",
        "statistic": "the number that the claim is judged by; the claim holds above the threshold",
        "value": "the number, of medians over graphs and models; failed runs count as infinite",
        "low": "2.5 % point of its bootstrap over graphs and models",
        "high": "97.5 % point",
        "threshold": "where the claim begins to hold",
        "verdict": "confirmed, contradicted or open",
    },
)
