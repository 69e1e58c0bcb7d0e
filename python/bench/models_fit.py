"""The models of the tests at 70, 50 and 35 % of the plain step's peak: predicted and measured peaks and times.

    python python/bench/models_fit.py [--repeats 5] [--time-limit 10]

Durations are measured, so that the predicted increase (TDI) can be compared with the measured one: least times of plain
and planned step, taking turns, of the processor, on one thread.
"""

import argparse
import copy
import pathlib
import sys
import time

import torch

import moccasin
import moccasin.torch as mt

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
import models  # noqa: E402


def least_times(runs, repeats):
    times = [float("inf")] * len(runs)
    for _ in range(repeats):
        for number, (model, run) in enumerate(runs):
            model.zero_grad()
            start = time.process_time()
            run()
            times[number] = min(times[number], time.process_time() - start)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--time-limit", type=float, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | budget, % | budget, MiB | predicted, MiB | measured / predicted | equal | TDI, % | measured increase, % |")
    print("|---|---:|---:|---:|---:|---|---:|---:|")
    for name, make in models.MODELS.items():
        model, inputs, loss = make()
        plain = copy.deepcopy(model)
        captured = mt.capture(model, inputs, loss, durations="measure")
        fresh = copy.deepcopy(model.state_dict())

        def resident(model, inputs=inputs):
            return [*model.parameters(), *model.buffers(), *inputs]

        def plain_run(plain=plain, inputs=inputs, loss=loss):
            loss(plain, *inputs).backward()

        for percent in (70, 50, 35):
            for m in (model, plain):
                m.load_state_dict(fresh)
                m.zero_grad()
            torch.manual_seed(1)
            peak = mt.peak_memory(plain_run, resident(plain))
            plan = moccasin.solve(captured.graph, peak * percent // 100, time_limit=arguments.time_limit)
            if not plan:
                print(f"| {name} | {percent} | {plan.budget / 2**20:.2f} | {plan.status} | | | | |", flush=True)
                continue
            step = mt.Step(captured, plan)
            torch.manual_seed(1)
            measured = mt.peak_memory(lambda: step(*inputs), resident(model))
            assert measured <= plan.budget
            equal = all(torch.equal(p.grad, q.grad) for p, q in zip(model.parameters(), plain.parameters()))
            equal = equal and all(torch.equal(p, q) for p, q in zip(model.buffers(), plain.buffers()))
            a, b = least_times([(plain, plain_run), (model, lambda: step(*inputs))], arguments.repeats)
            print(f"| {name} | {percent} | {plan.budget / 2**20:.2f} | {plan.peak_memory / 2**20:.2f} | "
                  f"{measured / plan.peak_memory:.4f} | {'yes' if equal else 'NO'} | {plan.tdi:.1f} | {100 * (b / a - 1):+.1f} |", flush=True)


if __name__ == "__main__":
    main()
