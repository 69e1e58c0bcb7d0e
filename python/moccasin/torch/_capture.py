"""A whole training step as one graph of operators, and that graph as moccasin's.

The step is traced twice on fake tensors, so that capturing needs no memory: once through autograd, and once more to
turn in-place operators into ones without side effects. What remains of mutation is copying new values into buffers at
the end, and the running statistics of the batch norms that write them without saying so in their schema.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    FakeTensorMode,
    UnsupportedOperatorException,
)
from torch.func import functional_call, functionalize
from torch.fx import GraphModule, Interpreter, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from ._cost import Measure, estimate
from ._storages import (
    CaptureError,
    Storages,
    has_effects,
    is_copy,
    is_getitem,
    storage_key,
    tensor_values,
    writes_statistics,
)


def first_tensor(value: Any) -> Tensor:
    """The loss: the first leaf of what the step returns."""
    leaves = tree_leaves(value)
    if not leaves or not isinstance(leaves[0], Tensor):
        raise CaptureError(
            f"the step must return the loss, a tensor, or something whose first part is it, not {type(value).__name__}"
        )
    loss = leaves[0]
    if loss.numel() != 1:
        raise CaptureError(f"the loss must be a single number, not a tensor of shape {tuple(loss.shape)}; pass loss=")
    if not loss.requires_grad:
        raise CaptureError("the loss does not depend on any parameter that requires a gradient")
    return loss


class _Bound(nn.Module):
    """A model and its loss as one module, whose parameters can be replaced for a call."""

    def __init__(self, model: nn.Module, loss: Callable[..., Any] | None) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.training = model.training

    def forward(self, inputs: tuple[Any, ...], then: Callable[[Any], Any]) -> Any:
        # `then` is the backward pass: what it runs of the model (checkpointing does) is to see the same parameters.
        return then(self.model(*inputs) if self.loss is None else self.loss(self.model, *inputs))


def _named_state(bound: _Bound) -> tuple[dict[str, nn.Parameter], dict[str, Tensor]]:
    return dict(bound.named_parameters()), dict(bound.named_buffers())


@contextlib.contextmanager
def fake_copies(
    model: nn.Module, inputs: tuple[Any, ...], loss: Callable[..., Any] | None = None
) -> Iterator[tuple[Callable[[], Any], list[Tensor]]]:
    """A function that runs the step on fake tensors, within their mode, and the tensors that are there from the start."""
    bound = _Bound(model, loss)
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    parameters, buffers = _named_state(bound)
    with mode:
        state: dict[str, Tensor] = {
            name: mode.from_tensor(p.detach()).requires_grad_(p.requires_grad) for name, p in parameters.items()
        }
        state |= {name: mode.from_tensor(b) for name, b in buffers.items()}
        leaves, spec = tree_flatten(inputs)
        fakes = [_blank(leaf, mode) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        resident = [*state.values(), *(leaf for leaf in fakes if isinstance(leaf, Tensor))]

        def backward(result: Any) -> None:
            first_tensor(result).backward()  # type: ignore[no-untyped-call]

        yield lambda: functional_call(bound, state, (tree_unflatten(fakes, spec), backward)), resident


# --- Tracing ---


def _explain(error: Exception) -> CaptureError:
    if isinstance(error, DataDependentOutputException | DynamicOutputShapeException):
        return CaptureError(
            f"the step depends on the values of tensors ({error.func}): a branch, a number or a shape is taken from them, "
            "and a plan would fix it to one case"
        )
    if isinstance(error, UnsupportedOperatorException):
        return CaptureError(
            f"the operator {error.func} cannot be traced without running it: it has no fake (meta) kernel"
        )
    return CaptureError(f"the step cannot be traced: {type(error).__name__}: {error}")


def _simplify(graph: torch.fx.Graph) -> None:
    """Drop what nobody needs, except random operators: those after them would draw other numbers."""
    for node in graph.nodes:
        # Only the shape of what is overwritten counts: no need for a tensor to overwrite.
        if node.target is torch.ops.aten.bernoulli.p and node.args[0].target is torch.ops.aten.empty_like.default:
            blank = node.args[0]
            if blank.meta["val"].dtype == blank.args[0].meta["val"].dtype and not blank.kwargs.get("memory_format"):
                node.replace_input_with(blank, blank.args[0])
        # Writing over all of a view: what was there does not matter, and neither does the tensor that the view is of.
        if node.target is torch.ops.aten.copy.default and isinstance(node.args[1], Node):
            below, above = (value.meta["val"] for value in node.args[:2])
            same = (below.shape, below.dtype, below.device) == (above.shape, above.dtype, above.device)
            if same and below.untyped_storage().nbytes() > below.numel() * below.dtype.itemsize:
                node.replace_all_uses_with(node.args[1])
    for node in reversed(list(graph.nodes)):
        if node.users or node.op not in ("call_function", "get_attr"):
            continue
        if (
            node.op == "get_attr"
            or is_getitem(node)
            or not (is_copy(node) or has_effects(node) or writes_statistics(node))
        ):
            graph.erase_node(node)


class _Surroundings:
    """What a step could change besides its results, and a plan would not: attributes of modules, random generators."""

    def __init__(self, model: nn.Module) -> None:
        self._attributes = [(name, module, self._look(module)) for name, module in model.named_modules()]
        self._generators = self._states()

    @staticmethod
    def _look(module: nn.Module) -> dict[str, Any]:
        return {
            key: value for key, value in module.__dict__.items() if key not in ("_parameters", "_buffers", "_modules")
        }

    @staticmethod
    def _states() -> dict[str, Any]:
        states = {"torch": torch.get_rng_state().tolist(), "random": random.getstate()}
        if "numpy" in sys.modules:
            states["numpy.random"] = repr(sys.modules["numpy"].random.get_state())
        return states

    def restore(self) -> None:
        """Undo what tracing left in the modules: fake tensors, for one."""
        for _, module, before in self._attributes:
            for key in self._look(module).keys() - before.keys():
                del module.__dict__[key]
            module.__dict__.update(before)

    def check(self) -> None:
        changed = []
        for name, module, before in self._attributes:
            now = self._look(module)
            for key in now.keys() | before.keys():
                if now.get(key) is not before.get(key):
                    changed.append(f"{name}.{key}".lstrip("."))
        self.restore()
        if changed:
            raise CaptureError(
                f"the step sets {', '.join(sorted(changed))}, which a plan would not do; a cache that is filled the first time "
                "can be filled by running the model once before"
            )
        for name, state in self._states().items():
            if state != self._generators[name]:
                raise CaptureError(
                    f"the step draws from or seeds the random generator of {name}; a plan would fix what came of it"
                )


# --- The captured step ---


class Capture:
    """A training step as one graph.

    Made by `capture`. Its `graph` can be planned here, or saved and planned by the command line.

    Attributes
    ----------
    graph : moccasin.Graph
        Operations are operators by their name in `module`; tensors are storages, in bytes.
    module : torch.fx.GraphModule
        The step: parameters, buffers and inputs to loss, gradients and new buffers.
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: tuple[Any, ...],
        loss: Callable[..., Any] | None,
        durations: Literal["estimate", "measure"] | Callable[[Node], int],
    ) -> None:
        self._bound = _Bound(model, loss)
        self.modes = self._modes()
        parameters, buffers = _named_state(self._bound)
        self.parameter_names, self.buffer_names = list(parameters), list(buffers)
        leaves, self.input_spec = tree_flatten(inputs)
        self.input_values = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self.input_metadata = [_metadata(leaf) if isinstance(leaf, Tensor) else None for leaf in leaves]
        for leaf in leaves:
            if isinstance(leaf, Tensor) and leaf.requires_grad:
                raise CaptureError("an input requires a gradient; only parameters get one")
        self.state_metadata = {name: _metadata(tensor) for name, tensor in (parameters | buffers).items()}
        self.with_gradient = [name for name, p in parameters.items() if p.requires_grad]
        self._check_model(parameters, buffers)
        self._trace(parameters, buffers, leaves)
        self._read(durations)

    def _modes(self) -> tuple[bool, ...]:
        return tuple(module.training for module in self._bound.model.modules())

    def _check_model(self, parameters: dict[str, nn.Parameter], buffers: dict[str, Tensor]) -> None:
        for module in self._bound.model.modules():
            if isinstance(module, nn.parallel.DistributedDataParallel | nn.DataParallel):
                raise CaptureError(
                    f"{type(module).__name__} works by hooks and threads that a plan does not run; capture the module within"
                )
        for name, tensor in (parameters | buffers).items():
            name = name.removeprefix("model.")
            if type(tensor) not in (Tensor, nn.Parameter, nn.Buffer):
                raise CaptureError(f"{name} is a {type(tensor).__name__}; only plain tensors are supported")
            if tensor._backward_hooks or getattr(tensor, "_post_accumulate_grad_hooks", None):
                raise CaptureError(f"{name} has a hook on its gradient, which a plan would not run")

    # -- Tracing --

    def _trace(self, parameters: dict[str, nn.Parameter], buffers: dict[str, Tensor], leaves: list[Any]) -> None:
        mode = FakeTensorMode(allow_non_fake_inputs=True)
        for tensor in (*parameters.values(), *buffers.values(), *leaves):
            if isinstance(tensor, Tensor) and (tensor.layout != torch.strided or tensor.is_quantized):
                raise CaptureError("sparse and quantized tensors are not supported")
        flat: list[Tensor] = [mode.from_tensor(t.detach()) for t in (*parameters.values(), *buffers.values())]
        flat += [_blank(leaf, mode) for leaf in leaves if isinstance(leaf, Tensor)]
        n_parameters, n_state = len(parameters), len(parameters) + len(buffers)
        output_spec: Any = None

        def step(*tensors: Tensor) -> list[Any]:
            nonlocal output_spec
            state: dict[str, Tensor] = {
                name: t.detach().requires_grad_(parameters[name].requires_grad)
                for name, t in zip(parameters, tensors[:n_parameters])
            }
            wanted = [state[name] for name in self.with_gradient]
            state |= dict(zip(buffers, tensors[n_parameters:n_state]))
            given = iter(tensors[n_state:])
            call = [next(given) if isinstance(leaf, Tensor) else leaf for leaf in leaves]

            def backward(result: Any) -> tuple[Any, Any]:
                first_tensor(result).backward()  # type: ignore[no-untyped-call]
                now = dict(self._bound.named_buffers()) | dict(self._bound.named_parameters())
                for name, tensor in state.items():
                    if now.get(name) is not tensor:
                        raise CaptureError(
                            f"the step replaces {name.removeprefix('model.')} by another tensor; write into it instead, with copy_()"
                        )
                return result, [tensor.grad for tensor in wanted]

            with torch.enable_grad():
                arguments = (tree_unflatten(call, self.input_spec), backward)
                result, gradients = functional_call(self._bound, state, arguments)
            outputs, output_spec = tree_flatten(result)
            for output in outputs:
                if not isinstance(output, Tensor):
                    raise CaptureError(f"the step returns a {type(output).__name__}; only tensors can be returned")
            return [[output.detach() for output in outputs], list(gradients)]

        before = _Surroundings(self._bound.model)
        try:
            with mode:
                traced = make_fx(step, tracing_mode="real")(*flat)
                self.output_spec = output_spec
                with torch.no_grad():
                    run = functionalize(lambda *tensors: Interpreter(traced).run(*tensors), remove="mutations")
                    self.module: GraphModule = make_fx(run, tracing_mode="real")(*flat)
        except CaptureError:
            before.restore()
            raise
        except Exception as error:
            before.restore()
            raise _explain(error) from error
        before.check()
        _simplify(self.module.graph)
        self.module.recompile()

    # -- Reading the traced graph --

    def _read(self, durations: Literal["estimate", "measure"] | Callable[[Node], int]) -> None:
        cost: Callable[[Node], int]
        if callable(durations):
            cost = durations
        else:
            if durations not in ("estimate", "measure"):
                raise ValueError(f'durations are "estimate", "measure" or a callable, not {durations!r}')
            cost = estimate if durations == "estimate" else Measure()
        nodes = list(self.module.graph.nodes)
        self.placeholders = [node for node in nodes if node.op == "placeholder"]
        self.output = nodes[-1]
        self.copies = [node for node in nodes if is_copy(node)]
        for node in nodes:
            if node.op == "get_attr":
                self._check_constant(node)
        for node in self.copies:
            self._check_copy(node)
        kept = [node for node in tree_leaves(self.output.args) if isinstance(node, Node)]
        kept += [node.args[1] for node in self.copies]
        running = [node for node in nodes if not is_copy(node)]
        self.storages = Storages(running, kept, cost, type(self._bound.model).__name__, replay=True)
        self.graph = self.storages.graph
        if any(self.storages.owner_of(node.args[1]).op != "call_function" for node in self.copies):
            raise CaptureError("the step makes a buffer equal to another tensor that stays")
        gradients = [node for node in self.output.args[0][1] if isinstance(node, Node)]
        storages = [storage_key(tensor) for node in gradients for tensor in tensor_values(node)]
        if len(set(storages)) < len(storages) or any(
            self.storages.owner_of(n).op != "call_function" for n in gradients
        ):
            raise CaptureError("a gradient shares its storage with another tensor that stays")

    def _check_constant(self, node: Node) -> None:
        constant = getattr(self.module, str(node.target))
        if isinstance(constant, FakeTensor) or not isinstance(constant, Tensor):
            raise CaptureError(
                f"the step uses {node.target}, a {type(constant).__name__} that is not a tensor with data"
            )
        if constant.requires_grad:
            raise CaptureError("the step uses a tensor that requires a gradient and is no parameter of the model")

    def _check_copy(self, node: Node) -> None:
        target = node.args[0]
        first, last = len(self.parameter_names), len(self.parameter_names) + len(self.buffer_names)
        index = self.placeholders.index(target) if target in self.placeholders else -1
        if not first <= index < last:
            what = (
                "a parameter"
                if 0 <= index < first
                else "an input"
                if index >= last
                else "a constant tensor or part of a tensor"
            )
            raise CaptureError(f"the step writes to {what} in place; only buffers may be written to")

    # -- Planning --

    def check_inputs(self, inputs: tuple[Any, ...]) -> list[Tensor]:
        """The tensors of inputs, which must look like those of the capture."""
        leaves, spec = tree_flatten(inputs)
        if spec != self.input_spec:
            raise ValueError("the inputs are structured differently from those that the step was captured with")
        for number, (leaf, captured, metadata) in enumerate(zip(leaves, self.input_values, self.input_metadata)):
            if metadata is None:
                if isinstance(leaf, Tensor) or type(leaf) is not type(captured) or leaf != captured:
                    raise ValueError(f"input {number} was {captured!r} when the step was captured, and is now {leaf!r}")
            elif not isinstance(leaf, Tensor) or _metadata(leaf) != metadata:
                now = _show(_metadata(leaf)) if isinstance(leaf, Tensor) else repr(leaf)
                raise ValueError(f"input {number} was {_show(metadata)} when the step was captured, and is now {now}")
        return [leaf for leaf in leaves if isinstance(leaf, Tensor)]

    def state(self) -> tuple[dict[str, nn.Parameter], dict[str, Tensor]]:
        """The model's parameters and buffers of now, which must look like those of the capture."""
        parameters, buffers = _named_state(self._bound)
        if list(parameters) != self.parameter_names or list(buffers) != self.buffer_names:
            raise ValueError("the model has other parameters or buffers than when the step was captured")
        if [name for name, p in parameters.items() if p.requires_grad] != self.with_gradient:
            raise ValueError("other parameters require a gradient than when the step was captured")
        if self._modes() != self.modes:
            raise ValueError("a module was switched between train() and eval() since the step was captured")
        for name, tensor in (parameters | buffers).items():
            if _metadata(tensor) != self.state_metadata[name]:
                raise ValueError(
                    f"{name.removeprefix('model.')} was {_show(self.state_metadata[name])} when the step was captured, "
                    f"and is now {_show(_metadata(tensor))}"
                )
        return parameters, buffers


def _blank(tensor: Tensor, mode: FakeTensorMode) -> Tensor:
    """A fake tensor like an input, with storage of its own: another call may pass others that share none."""
    with mode:
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device)


def _metadata(tensor: Tensor) -> tuple[Any, ...]:
    return (tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device)


def _show(metadata: tuple[Any, ...]) -> str:
    shape, stride, dtype, device = metadata
    return f"{list(shape)} {str(dtype).removeprefix('torch.')} on {device}, strides {list(stride)}"


def capture(
    model: nn.Module,
    inputs: Any,
    loss: Callable[..., Any] | None = None,
    durations: Literal["estimate", "measure"] | Callable[[Node], int] = "estimate",
) -> Capture:
    """Capture a training step: loss and gradients of a model as one graph.

    No memory is needed for it: the step runs on fake tensors.

    Parameters
    ----------
    model : torch.nn.Module
        In the mode, train or eval, in which the step is to run.
    inputs : tuple
        Examples of what the step will be called with; shapes, types and devices will have to be the same.
    loss : callable, optional
        ``loss(model, *inputs)`` returns the loss, or something whose first tensor is it. The default is
        ``model(*inputs)``.
    durations : {"estimate", "measure"} or callable
        How long operators take: estimated from FLOPs and bytes, or measured, each kind of call once, on the device
        that it runs on. A callable gets a node of the graph and returns nanoseconds.

    Returns
    -------
    Capture

    Raises
    ------
    CaptureError
        The step does something that a plan could get wrong: it depends on the values of tensors, writes to its
        inputs or parameters, or calls something that is not an operator.
    """
    if not isinstance(inputs, tuple):
        inputs = (inputs,)
    return Capture(model, inputs, loss, durations)
