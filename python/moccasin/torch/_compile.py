"""For users of torch.compile: which values of the forward pass to save, and which to compute again in the backward pass.

Both hooks plan the joint graph of torch.compile and leave the rest to its own partitioner:

- `budget_solver` is a solver for ``torch._functorch.config.activation_memory_budget``, which bounds the bytes that are
  saved between the passes. Its own solvers add up the durations of what is not saved; a plan also counts what has to be
  computed on the way, and counts that once.
- `partitioner` bounds the peak of the whole step.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

from torch._functorch import config, partitioners
from torch._functorch._activation_checkpointing.knapsack import dp_knapsack
from torch._functorch.compile_utils import fx_graph_cse
from torch._inductor.custom_graph_pass import CustomKnapsackSolver, CustomPartitionerFn
from torch.fx import Graph as FxGraph
from torch.fx import GraphModule, Node
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import CheckpointPolicy

from .. import Operation, Plan, read_budget, solve
from ._cost import estimate
from ._storages import CaptureError, Storages, has_effects, storage_key, tensor_values

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._options import SolveOptions

BOUNDARY = "between forward and backward"


def _saved(plan: Plan, first_backward: int) -> set[Any]:
    """The tensors that are resident when the backward pass begins."""
    return {i.tensor for i in plan.intervals if i.start < first_backward <= i.end}


def _must_be_saved(node: Node) -> bool:
    """Whether a result cannot be computed again in the backward pass: random numbers, and what the operator reads is
    overwritten after the forward pass (running statistics: that is what these operators are for)."""
    return has_effects(node) or str(getattr(node.target, "__name__", "")).split(".")[0].endswith("_functional")


def _split(nodes: Sequence[Node], forward: Container[Node]) -> list[Node]:
    """The nodes with inputs first, and those of the forward pass before the others."""
    return sorted(nodes, key=lambda node: 0 if node.op != "call_function" else 1 if node in forward else 2)


class BudgetSolver(CustomKnapsackSolver):
    """A solver for ``torch._functorch.config.activation_memory_budget_solver``; made by `budget_solver`."""

    def __init__(self, **options: Unpack[SolveOptions]) -> None:
        self.options: dict[str, Any] = {"time_limit": 5.0, **options}
        self.plans: list[Plan] = []

    def __deepcopy__(self, memo: Any) -> BudgetSolver:
        return self  # settings are copied with all they hold

    def uuid(self) -> Any | None:
        """What distinguishes this solver in the compiler's caches."""
        return f"moccasin {sorted(self.options.items())}"

    def __call__(
        self,
        memory: list[float],
        joint_graph: FxGraph,
        max_memory: float,
        node_info: Any,
        all_recomputable_banned_nodes: list[Node],
    ) -> tuple[list[int], list[int]]:
        """Choose: the indices of the nodes to save, and of those to compute again."""
        # Sizes come as shares of what could be saved; as integers of about nine digits they lose nothing that matters.
        scale = 1e9 / max(1.0, sum(memory))
        weights = [math.ceil(size * scale) for size in memory]
        try:
            plan, saved = self._plan(
                weights, joint_graph, math.floor(max_memory * scale), node_info, all_recomputable_banned_nodes
            )
        except CaptureError as error:
            warnings.warn(f"moccasin leaves this graph to torch.compile's own solver: {error}", stacklevel=2)
            _, chosen, rest = dp_knapsack(
                memory, [float(estimate(n)) for n in all_recomputable_banned_nodes], max_memory
            )
            return chosen, rest
        self.plans.append(plan)
        chosen = [i for i, node in enumerate(all_recomputable_banned_nodes) if saved(node)]
        return chosen, [i for i in range(len(memory)) if i not in set(chosen)]

    def _plan(
        self, weights: list[int], joint_graph: FxGraph, most: int, node_info: Any, candidates: list[Node]
    ) -> tuple[Plan, Callable[[Node], bool]]:
        """Plan the joint graph with memory for the candidates alone, and only between the passes: there, so much is
        needed besides that nowhere else the budget can be exceeded."""
        size_of: dict[int, int] = {}
        for node, weight in zip(candidates, weights):
            for tensor in tensor_values(node):
                size_of[storage_key(tensor)] = max(weight, size_of.get(storage_key(tensor), 0))
        room = sum(size_of.values())
        nodes = list(joint_graph.nodes)
        forward = node_info.required_fw_nodes
        order = _split(nodes[:-1], forward)
        first = next((n for n in order if n.op == "call_function" and n not in forward), None)
        if first is None:
            raise CaptureError("it has no backward pass")
        boundary = Operation(BOUNDARY, 0, workspace=room, recomputable=False)
        storages = Storages(
            order,
            (),
            lambda node: estimate(node) if node in forward else 0,
            "joint graph",
            size=lambda tensor: size_of.get(storage_key(tensor), 0),
            before=(first, boundary),
            once=_must_be_saved,
        )
        plan = solve(storages.graph, room + most, **self.options)
        if not plan:
            raise CaptureError(f"there is no plan for it ({plan.status})")
        saved = _saved(plan, plan.sequence.index(BOUNDARY))
        return plan, lambda node: any(storages.tensor_of[storage_key(t)] in saved for t in tensor_values(node))


def budget_solver(**options: Unpack[SolveOptions]) -> BudgetSolver:
    """Make a solver for ``torch._functorch.config.activation_memory_budget_solver``.

    Parameters
    ----------
    **options
        As for `moccasin.solve`; the time limit is 5 seconds by default, for each graph.

    Notes
    -----
    With a budget below 1, torch.compile (2.13) may decide on its own to compute batch norms again whose statistics have
    been overwritten by then, whatever the solver; the backward pass then raises an error. `partitioner` does not.

    Examples
    --------
    >>> torch._functorch.config.activation_memory_budget = 0.5
    >>> torch._functorch.config.activation_memory_budget_solver = moccasin.torch.budget_solver()
    >>> compiled = torch.compile(model)
    """
    return BudgetSolver(**options)


class Partitioner(CustomPartitionerFn):
    """A partitioner for ``torch._inductor.config.custom_partitioner_fn``; made by `partitioner`.

    Attributes
    ----------
    plans : list of Plan
        What was planned, a plan for each graph that was compiled.
    """

    def __init__(self, budget: int | float | str, **options: Unpack[SolveOptions]) -> None:
        self.budget = budget
        self.options: dict[str, Any] = {"time_limit": 5.0, **options}
        self.plans: list[Plan] = []

    def __deepcopy__(self, memo: Any) -> Partitioner:
        return self  # settings are copied with all they hold

    def uuid(self) -> Any | None:
        """What distinguishes this partitioner in the compiler's caches."""
        return f"moccasin {self.budget!r} {sorted(self.options.items())}"

    def __call__(
        self, gm: GraphModule, joint_inputs: Sequence[object], **kwargs: Any
    ) -> tuple[GraphModule, GraphModule]:
        """Split the joint graph into forward and backward."""
        try:
            self._mark(gm, kwargs)
        except CaptureError as error:
            warnings.warn(f"moccasin leaves this graph to torch.compile's own partitioner: {error}", stacklevel=2)
        # What is marked decides; a budget of its own would only be in the way.
        with config.patch(activation_memory_budget=1.0):
            return partitioners.min_cut_rematerialization_partition(gm, joint_inputs, **kwargs)

    def _mark(self, gm: GraphModule, kwargs: dict[str, Any]) -> None:
        """Mark every operator of the forward pass: save its result, or compute it again."""
        gm.graph.eliminate_dead_code()
        if config.cse:
            gm.graph = fx_graph_cse(gm.graph)
        gm.recompile()
        if any("recompute" in node.meta for node in gm.graph.nodes):
            raise CaptureError("it has marks of its own for what to compute again (torch.utils.checkpoint)")
        info = partitioners.classify_nodes(
            gm, kwargs.get("static_lifetime_input_indices") or [], kwargs["num_fwd_outputs"]
        )
        forward = info.required_fw_nodes
        nodes = list(gm.graph.nodes)
        for node in nodes:
            for size in (s for tensor in tensor_values(node) for s in tensor.shape):
                if not isinstance(size, int):
                    raise CaptureError("its shapes are symbolic; torch.compile(dynamic=False) makes them numbers")
        order = _split(nodes[:-1], forward)
        kept = [node for node in tree_leaves(nodes[-1].args) if isinstance(node, Node)]
        storages = Storages(order, kept, estimate, "joint graph", once=_must_be_saved)
        if not any(node not in forward for node in storages.operations.values()):
            return
        graph = storages.graph
        budget = read_budget(self.budget, graph.facts.baseline_peak)
        plan = solve(graph, budget, **self.options)
        if not plan:
            raise CaptureError(f"there is no plan for it within {budget} bytes ({plan.status})")
        self.plans.append(plan)
        first_backward = next(
            step for step, name in enumerate(plan.sequence) if storages.operations[str(name)] not in forward
        )
        saved = _saved(plan, first_backward)
        for node in order:
            if node not in forward or node.op != "call_function" or not tensor_values(node):
                continue
            again = {
                storages.owner[storage_key(tensor)].op != "call_function"
                or storages.tensor_of[storage_key(tensor)] not in saved
                for tensor in tensor_values(node)
                if not _must_be_saved(storages.owner[storage_key(tensor)])
            }
            if isinstance(node.meta["val"], list | tuple) and True not in again:
                continue  # its parts are saved, which is all there is to save
            node.meta["recompute"] = CheckpointPolicy.MUST_RECOMPUTE if True in again else CheckpointPolicy.MUST_SAVE
            node.meta["ac_graph_id"] = 0


def partitioner(budget: int | float | str, **options: Unpack[SolveOptions]) -> Partitioner:
    """Make a partitioner for ``torch._inductor.config.custom_partitioner_fn``.

    Parameters
    ----------
    budget : int, float or str
        Of the peak of live tensor bytes of forward and backward: as for `moccasin.solve`.
    **options
        As for `moccasin.solve`; the time limit is 5 seconds by default, for each graph.

    Examples
    --------
    >>> torch._inductor.config.custom_partitioner_fn = moccasin.torch.partitioner(0.6)
    >>> compiled = torch.compile(model, dynamic=False)
    """
    return Partitioner(budget, **options)
