"""How long a node takes, in nanoseconds, estimated from FLOPs and bytes."""

from __future__ import annotations

import math

from onnx import NodeProto, helper

Shape = tuple[int, ...]

# A processor of a few cores. What decides is how much slower a convolution is than an addition.
FLOPS_PER_SECOND = 1e11
BYTES_PER_SECOND = 2e10
SECONDS_PER_NODE = 2e-6


def flops_of(node: NodeProto, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Floating point operations of a node: those of products of matrices; one for each element otherwise."""
    elements = sum(math.prod(shape) for shape in outputs)
    if node.op_type in ("Conv", "QLinearConv", "ConvInteger") and len(inputs) > 1:
        weight = inputs[1] if node.op_type != "QLinearConv" else inputs[3]
        return 2 * elements * math.prod(weight[1:])
    if node.op_type == "ConvTranspose" and len(inputs) > 1:
        return 2 * math.prod(inputs[0]) * math.prod(inputs[1][1:])
    if node.op_type in ("MatMul", "MatMulInteger") and inputs and inputs[0]:
        return 2 * elements * inputs[0][-1]
    if node.op_type == "Gemm" and inputs:
        transposed = any(a.name == "transA" and helper.get_attribute_value(a) for a in node.attribute)
        return 2 * elements * inputs[0][0 if transposed else -1]
    if node.op_type in ("LSTM", "GRU", "RNN") and len(inputs) > 2:
        return 2 * math.prod(inputs[0][:2]) * (math.prod(inputs[1]) + math.prod(inputs[2]))
    return elements


def estimate(node: NodeProto, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Estimate the duration of a node.

    Parameters
    ----------
    node : onnx.NodeProto
    inputs, outputs : list of tuple of int
        Shapes; elements count as four bytes.

    Returns
    -------
    int
        Nanoseconds.
    """
    moved = 4 * sum(math.prod(shape) for shape in (*inputs, *outputs))
    seconds = SECONDS_PER_NODE + max(flops_of(node, inputs, outputs) / FLOPS_PER_SECOND, moved / BYTES_PER_SECOND)
    return max(1, math.ceil(1e9 * seconds))
