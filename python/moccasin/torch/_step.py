"""Running a plan: the operators in the plan's order, with its repeats, and every tensor freed after its last use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn
from torch.fx import GraphModule, Node
from torch.fx.node import map_arg
from torch.utils._pytree import tree_unflatten

from .. import Error, NoPlan, Plan, solve
from ._capture import Capture, capture
from ._storages import STATISTICS, schema_of, tensor_values, writes_statistics

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._options import SolveOptions


def generator_state(device: torch.device) -> torch.Tensor:
    """The state of a device's random generator."""
    return torch.get_rng_state() if device.type == "cpu" else torch.cuda.get_rng_state(device)


def _set_generator_state(device: torch.device, state: torch.Tensor) -> None:
    if device.type == "cpu":
        torch.set_rng_state(state)
    else:
        torch.cuda.set_rng_state(state, device)


def replay(target: Callable[..., Any], device: torch.device, state: torch.Tensor, args: Any, kwargs: Any) -> Any:
    """Call a random operator with the state that the generator had when it was called first."""
    now = generator_state(device)
    _set_generator_state(device, state)
    try:
        return target(*args, **kwargs)
    finally:
        _set_generator_state(device, now)


def schedule(captured: Capture, sequence: tuple[Any, ...]) -> GraphModule:
    """Write a planned sequence as a module.

    torch.fx makes Python code of it that drops every value after its last use. Views are taken anew when their storage
    has been computed again, since an old view would keep the old instance alive.
    """
    graph = torch.fx.Graph()
    now: dict[Node, Node] = {}  # the latest instance of every value
    instance: dict[Node, int] = {}  # how often an operator has been computed
    view_instance: dict[Node, int] = {}  # of the storage that the latest view was taken of

    def value(node: Node) -> Node:
        base = captured.storages.view_of.get(node)
        if base is None:
            return now[node]
        count = instance.get(base, 0)
        if view_instance.get(node) != count:
            now[node] = graph.node_copy(node, value)
            view_instance[node] = count
        return now[node]

    for node in captured.module.graph.nodes:
        if node.op == "placeholder":
            now[node] = graph.node_copy(node)
    constants: dict[Any, Node] = {}
    for node in captured.module.graph.nodes:
        if node.op == "get_attr":
            if node.target not in constants:
                constants[node.target] = graph.node_copy(node)
            now[node] = constants[node.target]
    parts: dict[Node, list[Node]] = {}
    for part, whole in captured.storages.part_of.items():
        parts.setdefault(whole, []).append(part)
    times = Counter(sequence)
    states: dict[Node, Node] = {}
    for name in sequence:
        if (random := captured.storages.states.get(name)) is not None:
            if times[random.name] > 1:
                states[random] = graph.call_function(generator_state, (tensor_values(random)[0].device,))
            continue
        node = captured.storages.operations[name]
        if node in instance and node in states:
            device = tensor_values(node)[0].device
            arguments: Any = (node.target, device, states[node], map_arg(node.args, value), map_arg(node.kwargs, value))
            copy = graph.call_function(replay, arguments)
        else:
            copy = graph.node_copy(node, value)
        if node in instance and writes_statistics(node):
            without = list(copy.args)
            for position in STATISTICS[schema_of(node).name][0]:
                without[position] = None
            copy.args = tuple(without)
        now[node] = copy
        instance[node] = instance.get(node, 0) + 1
        for part in parts.get(node, ()):
            now[part] = graph.node_copy(part, value)
    outputs = map_arg(captured.output.args[0], value)
    for node in captured.copies:
        graph.node_copy(node, value)
    graph.output(outputs)
    return GraphModule(captured.module, graph)


class Step:
    """A training step that runs a plan.

    Calling it is like ``loss.backward()``: it returns the loss, detached, and sets or adds to the gradients of the
    parameters. It reads the model's parameters and buffers of the moment, and writes new values into buffers as the
    plain step does.

    Attributes
    ----------
    capture : Capture
    plan : moccasin.Plan
        `plan.peak_memory` is the predicted peak of live tensor bytes: parameters, buffers, inputs and gradients
        included, with no gradients there before.
    module : torch.fx.GraphModule
        What runs; ``print(step.code)`` shows it.
    """

    def __init__(self, captured: Capture, plan: Plan) -> None:
        if not plan:
            raise NoPlan(plan)
        try:
            _, peak, _ = captured.graph.evaluate(plan.sequence)
        except Error as error:
            raise ValueError(f"the plan is for another graph: {error}") from None
        if peak != plan.peak_memory:
            raise ValueError(f"the plan promises {plan.peak_memory} bytes, and its sequence needs {peak}")
        self.capture = captured
        self.plan = plan
        self.module = schedule(captured, plan.sequence)

    @property
    def code(self) -> str:
        """The Python code that runs."""
        return str(self.module.code)

    def __call__(self, *inputs: Any) -> Any:
        """Run the step.

        Parameters
        ----------
        *inputs
            Of the same shapes, types and devices as the step was captured with.

        Returns
        -------
        Tensor, or what the loss function returns
            Detached.
        """
        captured = self.capture
        tensors = captured.check_inputs(inputs)
        parameters, buffers = captured.state()
        with torch.no_grad(), torch._C._DisableAutocast():
            state = [tensor.detach() for tensor in (*parameters.values(), *buffers.values())]
            outputs, gradients = self.module(*state, *tensors)
        for name, gradient in zip(captured.with_gradient, gradients):
            if gradient is None:
                continue
            parameter = parameters[name]
            if parameter.grad is None:
                parameter.grad = gradient
            else:
                parameter.grad += gradient
        return tree_unflatten(list(outputs), captured.output_spec)

    def __repr__(self) -> str:
        return f"<Step of {type(self.capture._bound.model).__name__}: {self.plan!r}>"


def plan(
    model: nn.Module,
    inputs: Any,
    budget: int | float | str,
    loss: Callable[..., Any] | None = None,
    durations: Literal["estimate", "measure"] | Callable[[Node], int] = "estimate",
    progress: Any = False,
    **options: Unpack[SolveOptions],
) -> Step:
    """Make a training step that runs within a memory budget, with the same results.

    Parameters
    ----------
    model : torch.nn.Module
    inputs : tuple
        Examples of what the step will be called with.
    budget : int, float or str
        Of live tensor bytes, with parameters, buffers, inputs and gradients: an int is bytes, a float in (0, 1] a share
        of what the step needs with nothing computed twice, a str is as on the command line.
    loss, durations
        As for `capture`.
    progress, **options
        As for `moccasin.solve`.

    Returns
    -------
    Step

    Raises
    ------
    CaptureError
        The step cannot be captured safely.
    NoPlan
        There is none within the budget, or none was found in time.

    Examples
    --------
    >>> step = moccasin.torch.plan(model, (x, y), "4GiB", loss=lambda model, x, y: cross_entropy(model(x), y))
    >>> for x, y in batches:
    ...     optimizer.zero_grad()
    ...     loss = step(x, y)
    ...     optimizer.step()
    """
    captured = capture(model, inputs, loss, durations)
    return Step(captured, solve(captured.graph, budget, progress=progress, **options))
