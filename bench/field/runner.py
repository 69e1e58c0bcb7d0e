"""One peer on one instance: a subprocess under limits, its plans verified, the outcome as one dictionary.

The clock starts when the peer says that it is ready, so that neither interpreters nor reading a graph count. What a peer says
of itself is never the outcome: durations and peaks are what `moccasin verify` works out of the sequences, times are when
their lines arrived here (for the project's own program: its trace, whose last point must be the verified plan).
"""

import json
import os
import pathlib
import queue
import signal
import subprocess
import tempfile
import threading
import time

from . import environment

START_LIMIT = 120  # to import and read the graph
MOST_CHECKED = 40  # plans of a run that are verified: the first, the last, and evenly between
MEMORY_GIB = 8


def verify(graph, path, sequence, budget, folder):
    """(duration, peak) of a sequence of places, by the verifier; a string that says why not."""
    plan = pathlib.Path(folder) / "plan.json"
    plan.write_text(json.dumps({"format": "moccasin-plan", "version": 1, "sequence": [graph.ids[v] for v in sequence]}))
    done = subprocess.run([environment.PROGRAM, "verify", path, plan, "--budget", str(budget), "--json"], capture_output=True,
                          text=True)
    try:
        verdict = json.loads(done.stdout)
    except ValueError:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"verify ended with {done.returncode}"
    if not verdict["valid"] or done.returncode != 0:
        return verdict.get("reason", "not valid")
    return verdict["total_duration"], verdict["peak_memory"]


def thin(items, most):
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def listen(stream, lines):
    for line in stream:
        lines.put((time.monotonic(), line))
    lines.put((time.monotonic(), None))


def end(process):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        for _ in range(20):
            time.sleep(0.1)
            if process.poll() is not None:
                break


def run(python, peer, instance, seconds, threads, seed, progress=lambda event: None, command=None):
    """`command` replaces the peer's own, for tests."""
    graph, budget = instance.loaded()
    lines, outcome = queue.Queue(), {}
    grace = max(5.0, 0.1 * seconds)
    if command is None:
        command = [python, environment.ROOT / "bench" / "peers" / f"{peer.script}.py"]
    command = [*command, instance.path, "--budget", budget, "--seconds", seconds, "--threads", threads, "--seed", seed,
               "--memory", MEMORY_GIB, "--variant", peer.variant]
    plans, bounds, trace, done, stopped = [], [], None, None, False
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True,
                                   start_new_session=True,
                                   env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS=str(threads)))
        threading.Thread(target=listen, args=(process.stdout, lines), daemon=True).start()
        ready = None
        try:
            while True:
                limit = began + START_LIMIT if ready is None else ready + seconds + grace
                try:
                    when, line = lines.get(timeout=max(0.01, min(1.0, limit - time.monotonic())))
                except queue.Empty:
                    progress(None)
                    if time.monotonic() > limit:
                        stopped = True
                        break
                    continue
                if line is None:
                    break
                try:
                    event = json.loads(line)
                    kind = event["event"]
                except (ValueError, TypeError, KeyError):
                    continue  # what a solver prints
                if kind == "ready":
                    ready = when
                elif kind == "plan":
                    plans.append((when - (ready or began), event["sequence"]))
                elif kind == "bound":
                    bounds.append((event["value"], bool(event.get("exact"))))
                elif kind == "trace":
                    trace = event
                elif kind == "done":
                    done = event
                progress(kind)
        finally:
            end(process) if process.poll() is None and (stopped or done is None) else None
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                end(process)
        wall = time.monotonic() - began
        errors.seek(0)
        said = errors.read()[-4000:]

        latest = seconds * 1.02 + 0.5
        late = [plan for plan in plans if plan[0] > latest]
        curve, rejected, best = [], [], None
        for when, sequence in thin([plan for plan in plans if plan[0] <= latest], MOST_CHECKED):
            verdict = verify(graph, instance.path, sequence, budget, folder)
            if isinstance(verdict, str):
                rejected.append(verdict)
            elif best is None or verdict[0] < best[0]:
                best = (*verdict, len(sequence))
                curve.append([round(when, 4), verdict[0]])
    if trace is not None and best is not None:
        points = [[round(t, 6), d] for t, d in trace["points"] if d is not None]
        improving = [point for i, point in enumerate(points) if i == 0 or point[1] < points[i - 1][1]]
        if improving[-1][1] != best[0]:
            rejected.append(f"the trace ends at {improving[-1][1]}, the plan has {best[0]}")
        curve = improving

    status = done["status"] if done else None
    note = done["note"] if done else ""
    if done is None:
        if stopped:
            status, note = ("feasible" if best else "none"), f"stopped {grace:.0f} s after its time limit"
        elif any(word in said for word in ("MemoryError", "bad_alloc", "ut of memory", "Cannot allocate")):
            status, note = "out-of-memory", f"more than {MEMORY_GIB} GiB wanted"
        else:
            last = said.strip().splitlines()[-1] if said.strip() else ""
            status, note = "crashed", f"ended with status {process.returncode}: {last}"[:300]
    if best is None and status in ("feasible", "optimal"):
        status = "none"
        note = f"no plan passed the check; {note}"
    bound = max((value for value, _ in bounds), default=None)
    outcome.update(
        experiment=instance.experiment, graph=instance.name, nodes=graph.n, edges=len(graph.edges), percent=instance.percent,
        budget=budget, base_peak=graph.base_peak, base_duration=graph.base_duration, peer=peer.name, setting=peer.setting,
        seconds=seconds, threads=threads, seed=seed, status=status, note=note,
        duration=best[0] if best else None, peak=best[1] if best else None, steps=best[2] if best else None,
        tdi=100 * (best[0] - graph.base_duration) / graph.base_duration if best and graph.base_duration else (0.0 if best else None),
        bound=bound, bound_exact=any(exact for _, exact in bounds), first=curve[0][0] if curve else None,
        to_best=curve[-1][0] if curve else None, curve=curve, rejected=rejected, late=len(late),
        solve_seconds=round(trace["seconds"] if trace else wall - (ready - began if ready else 0), 3),
        start_seconds=round((ready or began) - began, 3), load_average=round(load, 2),
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - wall)))
    return outcome
