"""The graph of operations of a module, followed from its parameters to what it makes of items."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from nodeflow.canonical.axes import END, Value, fixed_axis, free_axis, freeze
from nodeflow.canonical.operations import rule_of
from nodeflow.canonical.reshaping import Made
from nodeflow.canonical.symmetry import SymmetryProblem
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.ties import copied

__all__ = ["OperationGraph", "read_graph"]


_EXPORT = threading.Lock()
"""Torch exports one module at a time; in several threads at once it fails."""


@dataclass
class OperationGraph:
    """The values of an exported graph.

    Attributes:
        tensors: those of parameters and running statistics, by name; a parameter that stands in
            several places of the module is one tensor.
        values: those of all operations.
    """

    tensors: dict[str, Value] = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)


def read_graph(architecture: Architecture) -> OperationGraph:
    """Follow all operations of a module.

    Raises:
        SymmetryProblem: it cannot be exported.
    """
    program = _exported(architecture)
    signature = program.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    graph = OperationGraph()
    results: dict[Node, Made] = {}
    active: set[Node] = set()  # what depends on the items
    read: set[str] = set()
    for node in program.graph.nodes:
        if node.op == "output":
            for axes in _tensors_in(results, node.args):
                freeze(axes, END)
            continue
        if node.op == "placeholder":
            results[node] = _given(graph, architecture, node, names.get(node.name, ""))
            if node.name not in names:
                active.add(node)
            elif node.users:
                read.add(architecture.aliases.get(names[node.name], names[node.name]))
        else:
            results[node] = _made(node, results, active)
            if active.intersection(node.all_input_nodes):
                active.add(node)
        made = results[node]
        graph.values += made if isinstance(made, tuple) else [made]
    for name, axes in graph.tensors.items():
        if name not in read:
            freeze(axes, "no operation of the graph reads it")
    return graph


def _exported(architecture: Architecture) -> ExportedProgram:
    """The graph of a module, without operations that act in place."""
    shape = (2, *architecture.item)
    dtype = torch.long if architecture.tokens else torch.float32
    # Modules of one's own may make tensors on the CPU as they run, so their values are there, too.
    given = architecture.module if architecture.original is None else architecture.original
    assert given is not None
    device = "meta" if architecture.original is None else "cpu"
    items = torch.zeros(shape, device=device, dtype=dtype)
    # In one precision, and as if it were learned: else torch takes other, fused operations.
    module = copied(given).eval().float().requires_grad_(True)
    try:
        with _EXPORT, torch.enable_grad():
            program = torch.export.export(module, (items,))
            if any(_acts_in_place(node) for node in program.graph.nodes):
                program = program.run_decompositions({})
    except Exception as error:  # torch.export documents no narrower class
        raise SymmetryProblem(
            f"{architecture.name} cannot be exported ({' '.join(str(error).split())[:200]}); "
            "its symmetry has to be stated."
        ) from error
    return program


def _acts_in_place(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)


def _given(graph: OperationGraph, architecture: Architecture, node: Node, name: str) -> Value:
    """A parameter, a running statistic, a constant of the module, or the items."""
    name = architecture.aliases.get(name, name)
    if name in graph.tensors:
        return graph.tensors[name]
    sizes = getattr(node.meta.get("val"), "shape", ())
    if name not in architecture.shapes and name not in architecture.statistics:
        return [fixed_axis(size, "a constant of the module" if name else END) for size in sizes]
    axes = [free_axis(size) for size in sizes]
    graph.tensors[name] = axes
    return axes


def _made(node: Node, results: Mapping[Node, Made], active: set[Node]) -> Made:
    """What an operation makes."""
    if node.target is operator.getitem:
        several, place = results[node.args[0]], node.args[1]  # type: ignore[index]
        if isinstance(several, tuple) and isinstance(place, int):
            return several[place]
    schema: Any = getattr(node.target, "_schema", None)
    if schema is not None and not schema.returns:
        return []  # an assertion
    val = node.meta.get("val")
    shape: Any = (
        [tuple(getattr(one, "shape", ())) for one in val]
        if isinstance(val, (list, tuple))
        else tuple(getattr(val, "shape", ()))
    )
    rule = rule_of(node.target)
    if rule is None or val is None:
        reason = f"the operation {node.target} is not known here"
        for axes in _tensors_in(results, [*node.args, *node.kwargs.values()]):
            freeze(axes, reason)
        if isinstance(shape, list):
            return tuple([fixed_axis(size, reason) for size in one] for one in shape)
        return [fixed_axis(size, reason) for size in shape]
    given = dict(zip((one.name for one in schema.arguments), node.args, strict=False))
    defaults = {one.name: one.default_value for one in schema.arguments if one.has_default_value()}
    arguments = {**defaults, **given, **node.kwargs}
    if schema.name in ("aten::add", "aten::sub") and all(
        arguments[name] in active for name in ("self", "other")
    ):
        for axis in results[arguments["self"]]:
            for leaf in axis.leaves:  # type: ignore[union-attr]
                leaf.residual = True
    return rule({key: _resolved(results, one) for key, one in arguments.items()}, shape)


def _resolved(results: Mapping[Node, Made], argument: Any) -> Any:
    if isinstance(argument, Node):
        return results[argument]
    if isinstance(argument, (list, tuple)):
        return [_resolved(results, one) for one in argument]
    return argument


def _tensors_in(results: Mapping[Node, Made], arguments: Iterable[Any]) -> list[Value]:
    values: list[Value] = []
    for argument in arguments:
        if isinstance(argument, Node):
            made = results[argument]
            values += made if isinstance(made, tuple) else [made]
        elif isinstance(argument, (list, tuple)):
            values += _tensors_in(results, argument)
    return values
