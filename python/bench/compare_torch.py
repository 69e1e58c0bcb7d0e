"""Training steps at the same peak of live tensor bytes: Moccasin beside torch.utils.checkpoint and activation_memory_budget.

    python python/bench/compare_torch.py [--models gpt,vit] [--repeats 7] [--time-limit 10]

Every rival runs first, its peak is measured, and Moccasin gets that peak as its budget. Times are the least of some runs
that take turns, in milliseconds of the processor, on one thread; FLOPs are counted. activation_memory_budget
needs torch.compile, which runs here without generating code, so that the same kernels run everywhere.
"""

import argparse
import copy
import pathlib
import sys
import time

import torch
from torch import nn
from torch._dynamo.backends.common import aot_autograd
from torch._dynamo.backends.debugging import boxed_nop
from torch._functorch import config
from torch._functorch.partitioners import min_cut_rematerialization_partition
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

import moccasin
import moccasin.torch as mt
from moccasin.torch._memory import LiveBytes

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
import models  # noqa: E402

SIZES = {
    "gpt": lambda: models.gpt(batch=8, length=256, layers=6, width=128),
    "vit": lambda: models.vit(batch=64),
    "resnet": lambda: models.resnet(batch=64),
    "unet": lambda: models.unet(batch=8),
}
BLOCKS = (models.TransformerBlock, models.ResidualBlock)


class Checkpointed(nn.Module):
    """A block whose inside is computed again in the backward pass."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return checkpoint(self.block, x, use_reentrant=False)


def with_checkpoints(module):
    """Checkpoint every block: residual and transformer blocks, the double convolutions of the U-Net."""
    for name, child in module.named_children():
        double = isinstance(child, nn.Sequential) and isinstance(module, nn.ModuleList)
        if isinstance(child, BLOCKS) or double:
            setattr(module, name, Checkpointed(child))
        else:
            with_checkpoints(child)
    return module


class WithLoss(nn.Module):
    def __init__(self, model, loss):
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, *inputs):
        return self.loss(self.model, *inputs)


def resident(model, inputs):
    return [*model.parameters(), *model.buffers(), *inputs]


def plain(name, change=lambda model: model):
    model, inputs, loss = SIZES[name]()
    model = change(model)

    def run():
        loss(model, *inputs).backward()

    peak = mt.peak_memory(run, resident(model, inputs))
    return model, run, peak


def budgeted(name, budget):
    """torch.compile with activation_memory_budget; peaks are measured inside of what it compiled."""
    model, inputs, loss = SIZES[name]()
    modes = []

    def compiler(module, example):
        inner = boxed_nop(module, example)

        def call(arguments):
            if not modes:
                return inner(arguments)
            with modes[0]:
                return inner(arguments)

        call._boxed_call = True
        return call

    torch._dynamo.reset()
    with config.patch(activation_memory_budget=budget):
        backend = aot_autograd(fw_compiler=compiler, bw_compiler=compiler, partition_fn=min_cut_rematerialization_partition)
        compiled = torch.compile(WithLoss(model, loss), backend=backend, dynamic=False)
        compiled(*inputs).backward()
    model.zero_grad()
    modes.append(LiveBytes(resident(model, inputs)))
    compiled(*inputs).backward()
    peak = modes.pop().peak

    def run():
        compiled(*inputs).backward()

    return model, run, peak


def planned(captured, name, budget, time_limit):
    model, inputs, loss = SIZES[name]()
    plan = moccasin.solve(captured.graph, budget, time_limit=time_limit)
    if not plan:
        return None
    step = mt.Step(captured, plan)
    captured._bound.model = model

    def run():
        captured._bound.model = model
        step(*inputs)

    return model, run, mt.peak_memory(run, resident(model, inputs))


def flops(model, run):
    model.zero_grad()
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def measure(candidates, repeats):
    """The least time of each, taking turns, in milliseconds."""
    times = [float("inf")] * len(candidates)
    for _ in range(repeats):
        for number, (model, run, _) in enumerate(candidates):
            model.zero_grad()
            start = time.process_time()
            run()
            times[number] = min(times[number], time.process_time() - start)
    return [1000 * t for t in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(SIZES))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--time-limit", type=float, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | rival | peak, % of the plain step | rival, ms | Moccasin, ms | plain, ms | rival, FLOPs % | Moccasin, FLOPs % |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name in arguments.models.split(","):
        model, inputs, loss = SIZES[name]()
        captured = mt.capture(copy.deepcopy(model), inputs, loss, durations="measure")
        base = plain(name)
        rivals = {"checkpoint": lambda: plain(name, with_checkpoints)}
        for budget in (0.7, 0.4):
            rivals[f"activation_memory_budget={budget}"] = lambda budget=budget: budgeted(name, budget)
        base_flops = flops(base[0], base[1])
        for rival, make in rivals.items():
            try:
                other = make()
            except RuntimeError as error:
                print(f"| {name} | {rival} | fails: {str(error).split(':')[0]} | | | | | |", flush=True)
                continue
            ours = planned(captured, name, other[2], arguments.time_limit)
            share = 100 * other[2] / base[2]
            if ours is None:
                print(f"| {name} | {rival} | {share:.0f} | no plan found | | | | |", flush=True)
                continue
            assert ours[2] <= other[2]
            times = measure([base, other, ours], arguments.repeats)
            more = [100 * (flops(m, run) / base_flops - 1) for m, run, _ in (other, ours)] if "budget" not in rival else [
                float("nan"), 100 * (flops(*ours[:2]) / base_flops - 1)]
            cells = [f"{more[0]:+.1f}" if more[0] == more[0] else "", f"{more[1]:+.1f}"]
            print(f"| {name} | {rival} | {share:.0f} | {times[1]:.0f} | {times[2]:.0f} | {times[0]:.0f} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
