"""Reads the trees of a served model: an ONNX graph that is one TreeEnsembleRegressor over the whole input.

https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html. Needs the onnx package, which the runtime image
has for the Export step; imported when called, so that all other analyses do without. Must not run the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from drift_monitor.attribution.trees import Tree
from drift_monitor.errors import MonitorError

_OPERATOR = "TreeEnsembleRegressor"
_LEAF, _NOT_ABOVE, _BELOW = b"LEAF", b"BRANCH_LEQ", b"BRANCH_LT"


class UnsupportedModelError(MonitorError):
    """The graph has trees in a form that is not read here."""


@dataclass(frozen=True)
class TreeEnsemble:
    """Trees whose sum and `constant` is the raw prediction."""

    trees: tuple[Tree, ...]
    constant: float


def read_tree_ensemble(model: bytes) -> TreeEnsemble | None:
    """The trees of an ONNX model; None if it is not a tree ensemble.

    Raises UnsupportedModelError for a tree ensemble with several outputs, a transformed output or other conditions.
    """
    import onnx

    try:
        nodes = onnx.load_from_string(model).graph.node
    except Exception as error:  # noqa: BLE001  protobuf's DecodeError, whose module depends on its implementation
        raise UnsupportedModelError(f"the model is not an ONNX graph ({error})") from None
    if not any(node.op_type.startswith("TreeEnsemble") for node in nodes):
        return None
    if len(nodes) != 1 or nodes[0].op_type != _OPERATOR:
        raise UnsupportedModelError(
            f"the model has the operators {', '.join(sorted({node.op_type for node in nodes}))}; "
            f"only a single {_OPERATOR} can be explained"
        )
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in nodes[0].attribute}
    _refuse_others(attributes)
    aggregate = attributes.get("aggregate_function", b"SUM")
    trees = _trees(attributes)
    scale = 1.0 / len(trees) if aggregate == b"AVERAGE" else 1.0
    constant = float(sum(attributes.get("base_values", ())))
    return TreeEnsemble(tuple(_tree(nodes, scale=scale) for nodes in trees), constant)


def _refuse_others(attributes: Mapping[str, Any]) -> None:
    modes = set(attributes["nodes_modes"]) - {_LEAF, _NOT_ABOVE, _BELOW}
    problems = [
        *(f"the condition {mode.decode()}" for mode in sorted(modes)),
        *(["several outputs"] if attributes.get("n_targets", 1) != 1 else []),
        *(["a transformed output"] if attributes.get("post_transform", b"NONE") != b"NONE" else []),
        *(
            ["an aggregate other than SUM"]
            if attributes.get("aggregate_function", b"SUM") not in (b"SUM", b"AVERAGE")
            else []
        ),
    ]
    if problems:
        raise UnsupportedModelError(f"the model's trees have {', '.join(problems)}, which cannot be explained")


@dataclass(frozen=True)
class _Node:
    """One node as ONNX lists it."""

    node: int
    feature: int
    threshold: np.float32
    if_true: int
    if_false: int
    missing_true: bool
    value: float


def _trees(attributes: Mapping[str, Any]) -> list[list[_Node]]:
    """The nodes by tree, each tree in the order of its node ids: the root has the first."""
    weights: dict[tuple[int, int], float] = {}
    for tree, node, weight in zip(
        attributes["target_treeids"], attributes["target_nodeids"], attributes["target_weights"], strict=True
    ):
        weights[tree, node] = weights.get((tree, node), 0.0) + weight
    trees: dict[int, list[_Node]] = {}
    count = len(attributes["nodes_treeids"])
    missing = attributes.get("nodes_missing_value_tracks_true") or [0] * count
    for i in range(count):
        tree, node, mode = attributes["nodes_treeids"][i], attributes["nodes_nodeids"][i], attributes["nodes_modes"][i]
        threshold = np.float32(attributes["nodes_values"][i])
        if mode == _BELOW:
            # x < t is x <= the largest float32 below t.
            threshold = np.nextafter(threshold, np.float32(-np.inf))
        trees.setdefault(tree, []).append(
            _Node(
                node=node,
                feature=-1 if mode == _LEAF else attributes["nodes_featureids"][i],
                threshold=threshold,
                if_true=attributes["nodes_truenodeids"][i],
                if_false=attributes["nodes_falsenodeids"][i],
                missing_true=bool(missing[i]),
                value=weights.get((tree, node), 0.0) if mode == _LEAF else 0.0,
            )
        )
    return [sorted(trees[tree], key=lambda item: item.node) for tree in sorted(trees)]


def _tree(nodes: list[_Node], *, scale: float) -> Tree:
    position = {item.node: index for index, item in enumerate(nodes)}
    return Tree(
        feature=np.array([item.feature for item in nodes], dtype=np.int64),
        threshold=np.array([item.threshold for item in nodes], dtype=np.float32),
        left=np.array([-1 if item.feature < 0 else position[item.if_true] for item in nodes], dtype=np.int64),
        right=np.array([-1 if item.feature < 0 else position[item.if_false] for item in nodes], dtype=np.int64),
        missing_left=np.array([item.missing_true for item in nodes], dtype=np.bool_),
        value=np.array([item.value * scale for item in nodes], dtype=np.float64),
    )
