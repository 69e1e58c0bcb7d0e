"""The hooks of torch.compile: what they choose, and that results stay the same."""

import copy
import functools

import pytest

torch = pytest.importorskip("torch")

import models  # noqa: E402
from torch import nn  # noqa: E402
from torch._dynamo.backends.common import aot_autograd  # noqa: E402
from torch._dynamo.backends.debugging import boxed_nop  # noqa: E402
from torch._functorch import config  # noqa: E402
from torch._functorch.partitioners import min_cut_rematerialization_partition  # noqa: E402

import moccasin.torch as mt  # noqa: E402
from moccasin.torch._memory import LiveBytes  # noqa: E402


class WithLoss(nn.Module):
    def __init__(self, model, loss):
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, *inputs):
        return self.loss(self.model, *inputs)


def run_compiled(name, partition, **settings):
    """Compile a step with a partitioner, without generating code; its gradients and peak of live bytes."""
    torch._dynamo.reset()
    model, inputs, loss = models.MODELS[name]()
    mode = []

    def compiler(module, example):
        run = boxed_nop(module, example)

        def measured(arguments):
            if not mode:
                return run(arguments)
            with mode[0]:
                return run(arguments)

        measured._boxed_call = True
        return measured

    backend = aot_autograd(fw_compiler=compiler, bw_compiler=compiler, partition_fn=partition)
    with config.patch(**settings):
        compiled = torch.compile(WithLoss(model, loss), backend=backend, dynamic=False)
        compiled(*inputs).backward()
    model.zero_grad()
    mode.append(LiveBytes([*model.parameters(), *model.buffers(), *inputs]))
    torch.manual_seed(1)
    compiled(*inputs).backward()
    return [p.grad for p in model.parameters()], mode[0].peak


@functools.cache
def plain(name):
    return run_compiled(name, min_cut_rematerialization_partition)


def assert_close(gradients, expected):
    for a, b in zip(gradients, expected):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["gpt", "unet"])
def test_partitioner(name):
    expected, peak = plain(name)
    partition = mt.partitioner(0.6, moves=200_000, threads=1)
    gradients, measured = run_compiled(name, partition)
    [plan] = partition.plans
    print(f"{name}: {peak} -> {measured}, planned {plan.peak_memory}")
    assert_close(gradients, expected)
    assert plan.rematerialized and measured < 0.75 * peak
    assert abs(measured - plan.peak_memory) < 0.1 * plan.peak_memory


def test_budget_solver():
    name = "gpt"
    expected, peak = plain(name)
    solver = mt.budget_solver(moves=200_000, threads=1)
    gradients, measured = run_compiled(
        name, min_cut_rematerialization_partition, activation_memory_budget=0.2, activation_memory_budget_solver=solver)
    print(f"{name}: {peak} -> {measured}")
    assert solver.plans
    assert_close(gradients, expected)
    assert measured < 0.9 * peak


def test_a_smaller_budget_saves_less():
    peaks = []
    for budget in (0.5, 0.2):
        solver = mt.budget_solver(moves=200_000, threads=1)
        peaks.append(run_compiled("gpt", min_cut_rematerialization_partition, activation_memory_budget=budget,
                                  activation_memory_budget_solver=solver)[1])
    assert peaks[1] < peaks[0]


def test_marks_of_the_user_are_left_alone():
    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(16, 16), nn.Linear(16, 16)

        def forward(self, x):
            return self.b(torch.utils.checkpoint.checkpoint(lambda y: self.a(y).relu(), x, use_reentrant=False)).sum()

    torch._dynamo.reset()
    model, x = Checkpointed(), torch.randn(4, 16)
    plain = copy.deepcopy(model)
    partition = mt.partitioner(0.9)
    backend = aot_autograd(fw_compiler=boxed_nop, bw_compiler=boxed_nop, partition_fn=partition)
    with pytest.warns(UserWarning, match="marks of its own"):
        torch.compile(model, backend=backend)(x).backward()
    plain(x).backward()
    assert not partition.plans
    assert_close([p.grad for p in model.parameters()], [p.grad for p in plain.parameters()])


def test_with_the_default_compiler():
    """Once with generated code, as users have it."""
    from torch._inductor import config as inductor

    torch._dynamo.reset()
    torch.manual_seed(0)
    model = nn.Sequential(*(layer for _ in range(4) for layer in (nn.Linear(64, 64), nn.GELU())))
    plain, x = copy.deepcopy(model), torch.randn(256, 64)
    partition = mt.partitioner(0.75, moves=200_000, threads=1)
    try:
        with inductor.patch(custom_partitioner_fn=partition, fx_graph_cache=False):
            torch.compile(model, dynamic=False)(x).sum().backward()
    except Exception as error:  # a machine without a C++ compiler
        if "compiler" not in str(error).lower():
            raise
        pytest.skip(f"torch.compile does not work here: {error}")
    plain(x).sum().backward()
    assert partition.plans and partition.plans[0].rematerialized
    assert_close([p.grad for p in model.parameters()], [p.grad for p in plain.parameters()])
