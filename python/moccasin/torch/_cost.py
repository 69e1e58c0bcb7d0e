"""How long an operator takes, in nanoseconds: estimated from FLOPs and bytes, or measured on the device."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.fx import Node
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.flop_counter import flop_registry


class Device(NamedTuple):
    """What an estimate needs to know of a device."""

    flops: float
    """Floating point operations a second in 32 bits; half precision counts as `half` times as fast."""
    half: float
    bytes: float
    """Bytes a second to and from memory."""
    overhead: float
    """Seconds that every operator takes."""


# Orders of magnitude: what decides is how much slower a convolution is than an addition.
DEVICES = {"cpu": Device(1e11, 1.0, 2e10, 3e-6), "cuda": Device(2e13, 8.0, 1.5e12, 4e-6)}
OTHER_DEVICE = Device(5e12, 4.0, 5e11, 1e-5)


def fake_value(node: Any) -> Any:
    """The fake tensor of a node; what is not a node is its own value."""
    return node.meta["val"] if isinstance(node, Node) else node


def fake_arguments(node: Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call with fake tensors in the place of nodes."""
    args = torch.fx.node.map_arg(node.args, fake_value)
    kwargs = torch.fx.node.map_arg(node.kwargs, fake_value)
    return args, kwargs


def _tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def flops_of(node: Node) -> int:
    """Floating point operations of a call, 0 where they are not known."""
    formula = flop_registry.get(getattr(node.target, "_overloadpacket", None))
    if formula is None:
        return 0
    args, kwargs = fake_arguments(node)
    try:
        return int(formula(*args, **kwargs, out_val=node.meta["val"]))
    except (TypeError, AttributeError, AssertionError, IndexError):
        return 0


def estimate(node: Node) -> int:
    """Estimate a call from FLOPs and bytes.

    Parameters
    ----------
    node : torch.fx.Node

    Returns
    -------
    int
        Nanoseconds.
    """
    inputs, outputs = _tensors(fake_arguments(node)), _tensors(node.meta["val"])
    any_tensor = (outputs or inputs or [torch.empty(0)])[0]
    device = DEVICES.get(any_tensor.device.type, OTHER_DEVICE)
    speed = device.flops * (device.half if any_tensor.dtype.itemsize <= 2 else 1.0)
    moved = sum(tensor.numel() * tensor.dtype.itemsize for tensor in (*inputs, *outputs))
    seconds = device.overhead + max(flops_of(node) / speed, moved / device.bytes)
    return max(1, math.ceil(1e9 * seconds))


class Measure:
    """Measures calls on the device, each kind of call once.

    Inputs are made up, so that no more memory is needed than for one call. Integers are zeros: they may be indices.

    Parameters
    ----------
    repeats : int
        The least of so many runs counts, after one to warm up: whatever else the machine does only adds to it.
    """

    def __init__(self, repeats: int = 3) -> None:
        self.repeats = repeats
        self._known: dict[Any, int] = {}

    def __call__(self, node: Node) -> int:
        args, kwargs = fake_arguments(node)
        key = (node.target, self._signature((args, kwargs)))
        if key not in self._known:
            self._known[key] = self._run(node, args, kwargs)
        return self._known[key]

    @staticmethod
    def _signature(value: Any) -> Any:
        return tuple(
            (tuple(leaf.shape), leaf.stride(), leaf.dtype, leaf.device)
            if isinstance(leaf, torch.Tensor)
            else repr(leaf)
            for leaf in tree_leaves(value)
        )

    @staticmethod
    def _real(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        length = value.untyped_storage().nbytes() // value.dtype.itemsize
        if value.dtype.is_floating_point:
            flat = torch.rand(length, device=value.device).to(value.dtype)
        else:
            flat = torch.zeros(length, dtype=value.dtype, device=value.device)
        return flat.as_strided(value.shape, value.stride(), value.storage_offset())

    def _run(self, node: Node, args: Any, kwargs: Any) -> int:
        target: Callable[..., Any] = node.target  # type: ignore[assignment]
        generators = [torch.get_rng_state()] + (torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [])
        times = []
        try:
            with torch.no_grad():
                real_args, real_kwargs = tree_map(self._real, args), tree_map(self._real, kwargs)
                for _ in range(self.repeats + 1):
                    self._wait()
                    start = time.perf_counter_ns()
                    target(*real_args, **real_kwargs)
                    self._wait()
                    times.append(time.perf_counter_ns() - start)
        except (RuntimeError, IndexError):
            return estimate(node)  # made-up inputs that the kernel refuses
        finally:
            torch.set_rng_state(generators[0])
            if len(generators) > 1:
                torch.cuda.set_rng_state_all(generators[1:])
        return max(1, min(times[1:]))

    @staticmethod
    def _wait() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
