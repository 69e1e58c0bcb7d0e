"""Live tensor bytes while something runs, counted by storage, whatever the device and the allocator.

A storage is live from the operator that returns it until its last reference is gone. What a kernel allocates and frees
within itself is not seen, and neither is what the allocator rounds up.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all storages that operators return while the mode is active, and of `resident` tensors."""

    def __init__(self, resident: Iterable[torch.Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = 0
        self.peak = 0
        self._storages: dict[int, tuple[weakref.ref[Any], int]] = {}
        for tensor in resident:
            self._track(tensor)
        self.peak = self.live

    def _track(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._storages:
            return
        size = storage.nbytes()

        def gone(_: object, key: int = key, size: int = size) -> None:
            if self._storages.pop(key, None) is not None:
                self.live -= size

        self._storages[key] = (weakref.ref(storage, gone), size)
        self.live += size
        self.peak = max(self.peak, self.live)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._track(leaf)
        return result


def peak_memory(function: Callable[[], Any], resident: Iterable[torch.Tensor] = ()) -> int:
    """Run a function and return the peak of live tensor bytes.

    Parameters
    ----------
    function : callable
        Called without arguments.
    resident : iterable of Tensor
        Tensors that count from the start: parameters, buffers, inputs.

    Returns
    -------
    int
        Bytes.
    """
    with LiveBytes(resident) as mode:
        function()
    peak: int = mode.peak
    return peak


def eager_peak_memory(
    model: torch.nn.Module, inputs: tuple[Any, ...], loss: Callable[..., torch.Tensor] | None = None
) -> int:
    """Return the peak of live tensor bytes of the plain training step, without running it.

    Forward and ``backward()`` run on fake tensors, which takes no memory.

    Parameters
    ----------
    model : torch.nn.Module
    inputs : tuple
        What the step is called with.
    loss : callable, optional
        ``loss(model, *inputs)``; the default is ``model(*inputs)``.
    """
    from ._capture import fake_copies

    with fake_copies(model, inputs, loss) as (run, resident):
        return peak_memory(run, resident)
