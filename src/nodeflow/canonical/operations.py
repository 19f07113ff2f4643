"""How units pass through operations: a rule for each kind of operation of torch's exported graphs.

A rule takes the operation's arguments by name, tensors as values (see `nodeflow.canonical.axes`),
and the shape of what it makes, one for each tensor that it makes; it joins the axes that carry the
same units, freezes those that are read by their place, and returns what is made. Operations that
act on each number alone need no rule: torch says which they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

from nodeflow.canonical.elementwise import UNTAGGED, elementwise, plus, prelu, times
from nodeflow.canonical.layers import (
    addmm,
    attention,
    batch_norm,
    convolution,
    einsum,
    embedding,
    group_norm,
    instance_norm,
    layer_norm,
    linear,
    matmul,
    weight_norm,
)
from nodeflow.canonical.reshaping import (
    Made,
    along,
    expanded,
    filled,
    glu,
    interleaved,
    moved_axes,
    padded,
    permuted,
    pooled,
    reduction,
    repeated,
    reversed_axes,
    selected,
    side_by_side,
    sliced,
    split_up,
    stacked,
    transposed_axes,
    unbound,
    unsqueezed,
    view,
)

__all__ = ["RULES", "Rule", "rule_of"]

Rule = Callable[[Mapping[str, Any], Any], Made]
"""(arguments, shape or shapes) → what is made."""


def _named(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_SPATIAL = {"1d": 1, "2d": 2, "3d": 3}

RULES: Mapping[str, Rule] = {
    **_named("add sub rsub", plus),
    **_named("mul multiply", times),
    **_named("div divide true_divide", partial(times, divided=True)),
    **_named("prelu _prelu_kernel", prelu),
    **_named("linear", linear),
    **_named("conv1d conv2d conv3d", convolution),
    **_named(
        "conv_transpose1d conv_transpose2d conv_transpose3d", partial(convolution, transposed=True)
    ),
    **_named("batch_norm _native_batch_norm_legit_no_training", batch_norm),
    **_named("instance_norm", instance_norm),
    **_named("group_norm", group_norm),
    **_named("layer_norm rms_norm", layer_norm),
    **_named("_weight_norm", weight_norm),
    **_named("embedding", embedding),
    **_named("matmul mm bmm", matmul),
    **_named("addmm baddbmm", addmm),
    **_named("einsum", einsum),
    **_named("scaled_dot_product_attention", attention),
    **_named("mean sum", partial(reduction, positive=True, odd=True)),
    **_named("amax amin max min", partial(reduction, positive=True, odd=False)),
    **_named(
        "logsumexp norm linalg_vector_norm std var prod all any",
        partial(reduction, positive=False, odd=False),
    ),
    **{
        name: partial(along, name=name)
        for name in ("cumsum", "cumprod", "logcumsumexp", "flip", "roll")
    },
    **{
        f"{name}{axes}": partial(pooled, axes=count, odd="max" not in name)
        for axes, count in _SPATIAL.items()
        for name in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool")
    },
    **_named("max_pool1d_with_indices", partial(pooled, axes=1, odd=False)),
    **_named("max_pool2d_with_indices", partial(pooled, axes=2, odd=False)),
    **_named("max_pool3d_with_indices", partial(pooled, axes=3, odd=False)),
    **{
        f"upsample_{name}": partial(pooled, axes=axes, odd=True)
        for name, axes in {
            "nearest1d": 1, "linear1d": 1, "nearest2d": 2, "bilinear2d": 2, "bicubic2d": 2,
            "nearest3d": 3, "trilinear3d": 3,
        }.items()
    },
    **_named("pad constant_pad_nd", padded),
    **{
        f"{kind}_pad{axes}": padded for axes in _SPATIAL for kind in ("reflection", "replication")
    },
    **_named("flatten unflatten view reshape view_as reshape_as squeeze _unsafe_view", view),
    **_named("transpose swapaxes swapdims", transposed_axes),
    **_named("permute", permuted),
    **_named("t numpy_T", reversed_axes),
    **_named("movedim moveaxis", moved_axes),
    **_named("expand expand_as", expanded),
    **_named("unsqueeze", unsqueezed),
    **_named("select", selected),
    **_named("unbind", unbound),
    **_named("slice narrow", sliced),
    **_named("chunk split split_with_sizes tensor_split unsafe_chunk unsafe_split", split_up),
    **_named("glu", glu),
    **_named("cat concat concatenate", side_by_side),
    **_named("stack", stacked),
    **_named("repeat tile", repeated),
    **_named("repeat_interleave", interleaved),
    **_named(
        "zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full scalar_tensor",
        filled,
    ),
}  # fmt: skip
"""The rule of each operation by its name in torch, without the variants that act in place."""


def rule_of(operation: Any) -> Rule | None:
    """The rule of an operation of torch; None if it is not known here.

    Args:
        operation: an overload, e.g. `torch.ops.aten.add.Tensor`.
    """
    schema = getattr(operation, "_schema", None)
    if schema is None:
        return None
    name = schema.name.removeprefix("aten::")
    if name in RULES:
        return RULES[name]
    if name in UNTAGGED or torch.Tag.pointwise in operation.tags:
        return partial(elementwise, name)
    return None
