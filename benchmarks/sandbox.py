"""What does a sandbox cost, how late does it kill, and does anything survive?

Three measurements for every kind of sandbox that works here: wall milliseconds of ``true``, Python
and Node inside and outside (taken in turns, medians), seconds that an endless program lives beyond
its limit, and processes left after many runs that try to stay. To reach, on a quiet machine: 50 ms
of overhead, 0.5 s of lateness, 0 processes.

    python benchmarks/sandbox.py --out benchmarks/results/sandbox.json
    python benchmarks/sandbox.py --hostile 1000 --only hostile --out benchmarks/results/hostile.json
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from record import write

from metier.errors import UnavailableError
from metier.sandbox import Limits, Pool, Sandbox, describe, detect

PROGRAMS = {
    "true": ["true"],
    "python3": ["python3", "-c", "pass"],
    "node": ["node", "-e", "0"],
}
PATH = "/usr/local/bin:/usr/bin:/bin"  # the sandboxes', so that both sides run the same program
MARK = "metier-benchmark-mark"
HOSTILE = {
    "loop": "while True: pass",
    "fork bomb": "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
    "daemon": """import os, time
if os.fork(): os._exit(0)
try: os.setsid()
except OSError: pass
if os.fork(): os._exit(0)
time.sleep(600)""",
    "signals ignored": """import signal, time
for number in range(1, 65):
  try: signal.signal(number, signal.SIG_IGN)
  except (OSError, ValueError): pass
time.sleep(600)""",
    "memory": "x = []\nwhile True: x.append(bytes(1 << 20))",
    "output": "import os\nwhile True: os.write(1, bytes(10000))",
    "sleepers": "import os, time\nfor _ in range(5): os.fork()\ntime.sleep(600)",
    "disk": """import os
for number in range(10_000): os.write(os.open(str(number), 65), bytes(1 << 20))""",
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=15, help="runs of each program")
    parser.add_argument("--kills", type=int, default=10, help="endless programs")
    parser.add_argument("--hostile", type=int, default=40, help="runs that try to stay")
    parser.add_argument("--only", choices=["overhead", "lateness", "hostile"])
    arguments = parser.parse_args()
    measures: dict[str, Callable[[Sandbox], Any]] = {
        "overhead": lambda sandbox: overhead(sandbox, arguments.runs),
        "lateness": lambda sandbox: lateness(sandbox, arguments.kills),
        "hostile": lambda sandbox: hostile(sandbox, arguments.hostile),
    }
    results: dict[str, Any] = {"load": os.getloadavg()[0]}
    for state in describe():
        try:
            sandbox = detect(only=state.kind)
        except UnavailableError as failure:
            results[state.kind] = failure.message
            continue
        chosen = [arguments.only] if arguments.only else list(measures)
        results[state.kind] = {name: measures[name](sandbox) for name in chosen}
        print(state.kind, results[state.kind])
    write(arguments.out, results)


def overhead(sandbox: Sandbox, runs: int) -> dict[str, Any]:
    """Wall milliseconds bare and inside, least and median, and the differences.

    Processor time is left out: bubblewrap's first process is reaped by the system, so what it used
    cannot be asked for.
    """
    found: dict[str, Any] = {}
    for name, command in PROGRAMS.items():
        if shutil.which(command[0], path=PATH) is None:
            continue
        bare, inside = [], []
        for _ in range(runs):
            bare.append(_timed(lambda command=command: _bare(command)))  # type: ignore[misc]
            inside.append(_timed(lambda command=command: _inside(sandbox, command)))  # type: ignore[misc]
        found[name] = {
            label: {
                "bare_ms": round(pick(bare), 1),
                "inside_ms": round(pick(inside), 1),
                "overhead_ms": round(pick(inside) - pick(bare), 1),
            }
            for label, pick in (("least", min), ("median", statistics.median))
        }
    found["taken from a pool"] = _pooled(sandbox, runs)
    return found


def _pooled(sandbox: Sandbox, runs: int) -> dict[str, float]:
    """Milliseconds from taking a started process to its first answer."""
    script = "import os\nw = int(os.environ['METIER_REPLIES'])\nos.write(w, b'ready\\n')\n"
    script += "for line in open(int(os.environ['METIER_REQUESTS'])): os.write(w, b'x\\n')"
    spent = []
    with Pool(sandbox, ["/usr/bin/python3", "-c", script], size=1, ready=b"ready") as pool:
        for _ in range(runs):
            time.sleep(0.3)
            began = time.perf_counter()
            running = pool.take()
            running.send(b"go")
            running.receive(seconds=10)
            spent.append((time.perf_counter() - began) * 1000)
            running.close()
    return {"least_ms": round(min(spent), 2), "median_ms": round(statistics.median(spent), 2)}


def _bare(command: Sequence[str]) -> None:
    subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=True, env={"PATH": PATH}
    )


def _inside(sandbox: Sandbox, command: Sequence[str]) -> None:
    finished = sandbox.run(command)
    if finished.status != 0:
        raise SystemExit(f"{command}: {finished}")


def _timed(act: Callable[[], None]) -> float:
    """Wall milliseconds."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def lateness(sandbox: Sandbox, kills: int) -> dict[str, float]:
    """Seconds over a limit of half a second after which an endless program is gone."""
    late = []
    for number in range(kills):
        script = HOSTILE[("loop", "signals ignored", "sleepers")[number % 3]]
        finished = sandbox.run(["python3", "-c", script], limits=Limits(seconds=0.5))
        late.append(finished.seconds - 0.5)
    return {"median_s": round(statistics.median(late), 3), "max_s": round(max(late), 3)}


def hostile(sandbox: Sandbox, runs: int) -> dict[str, Any]:
    """Runs that try to stay, and the processes and descriptors left after them."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    limits = Limits(seconds=0.25, memory_mb=128, processes=16, disk_mb=8, output_bytes=100_000)
    stopped: dict[str, int] = {}
    began = time.perf_counter()
    for number in range(runs):
        script = f"# {MARK}\n{list(HOSTILE.values())[number % len(HOSTILE)]}"
        finished = sandbox.run(["python3", "-c", script], limits=limits)
        stopped[str(finished.stopped)] = stopped.get(str(finished.stopped), 0) + 1
    return {
        "runs": runs,
        "seconds": round(time.perf_counter() - began, 1),
        "stopped": stopped,
        "processes_left": len(_marked()),
        "descriptors_left": len(list(Path("/proc/self/fd").iterdir())) - before,
    }


def _marked() -> list[str]:
    """Processes on this machine that carry the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and MARK.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


if __name__ == "__main__":
    main()
