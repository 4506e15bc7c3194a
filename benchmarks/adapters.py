"""What do adapters save? Switching by name against reloading merged models, and memory of ten.

One base of random weights and adapters of about 20 MB. *Switching*: two models over one base are
asked by turns through ``metier up``, a new short prompt each time, so nothing of a prompt cache is
left; the time is that to the first token. *Reloading*: the wheel's own server is taken down and
started again over the other merged model, file cache warm, in a process that already runs (the
kindest case), until the first token of a prompt of the same length. *Metier, one at a time*: the
same with merged models installed, ``METIER_MAX_MODELS=1``. To reach: no reload, 20 times faster.
*Memory*: what a server's processes hold with the base alone installed and with ten adapters, all
of them answering; to reach at most base + 10 x (adapter + 3 MB), plus a tenth.

    python benchmarks/adapters.py --out benchmarks/results/adapters.json
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from random_model import Made, make
from record import write
from two_servers import Side, ask, command, cpu_seconds, letters, metier, pss_bytes, tree

REACH_FASTER = 20.0
ALLOWED_MB = 3.0
ADAPTERS = 10
WORDS = 1
"""Of a prompt: what a prompt takes is the same on all sides, and not what is measured."""
CONTEXT = 4096
RELOAD = """
import json, sys, time, xllamacpp as x
def load(path):
    q = x.CommonParams()
    q.model.path = path
    q.n_parallel, q.kv_unified, q.n_ctx = 4, True, int(sys.argv[1])
    q.n_batch, q.n_ubatch = 2048, 512
    q.cpuparams.n_threads = q.cpuparams_batch.n_threads = 1
    q.cache_ram_mib, q.cache_idle_slots = 0, False
    q.warmup, q.fit_params, q.verbosity = False, False, 2
    return x.Server(q)
server = None
for line in sys.stdin:
    said = json.loads(line)
    began = time.perf_counter()
    del server
    server = load(said["model"])
    loaded = time.perf_counter()
    first = []
    def see(chunk):
        first.append(time.perf_counter())
        return True
    body = {"prompt": said["prompt"], "max_tokens": 4, "temperature": 0, "stream": True}
    server.handle_completions(json.dumps(body).encode(), see)
    print(json.dumps([loaded - began, first[0] - began]), flush=True)
"""


def install(home: Path, made: Made, folder: Path, *, adapters: bool = True) -> None:
    """The base, and with ``adapters`` a model for each adapter and the merged models."""
    command(home, "import", str(made.model), "--name", "bench-base")
    models = {"bench-plain": "FROM bench-base\n"}
    if adapters:
        for number, adapter in enumerate(made.adapters, 1):
            models[f"bench-{number}"] = f"FROM bench-base\nADAPTER {adapter}\n"
        for number, merged in enumerate(made.merged, 1):
            models[f"bench-merged-{number}"] = f"FROM {merged}\n"
    order = folder / "Modelfile"
    for name, text in models.items():
        order.write_text(f"{text}PARAMETER num_ctx {CONTEXT}\n", "utf-8")
        command(home, "create", name, "-f", str(order))


def first_token(side: Side, model: str, draw: random.Random) -> float:
    """Seconds to the first token of a model."""
    return ask(side, letters(WORDS, draw), 4, model=model).first


def alternate(side: Side, names: tuple[str, str], turns: int) -> dict[str, Any]:
    """Ask two models by turns; the first turns warm up."""
    draw = random.Random(0)
    for name in names:
        first_token(side, name, draw)
    processes, before = set(tree(side.pid)), cpu_seconds(side.pid)
    taken = [first_token(side, names[turn % 2], draw) for turn in range(turns)]
    return {
        "seconds_p50": statistics.median(taken),
        "cpu_seconds_each": (cpu_seconds(side.pid) - before) / turns,
        "same_processes": set(tree(side.pid)) == processes,
    }


def reload(made: Made, turns: int) -> dict[str, float]:
    """The wheel's server, taken down and started over the other merged model by turns."""
    draw = random.Random(0)
    process = subprocess.Popen(
        [sys.executable, "-c", RELOAD, str(CONTEXT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    taken = []
    for turn in range(turns + 2):
        said = {"model": str(made.merged[turn % 2]), "prompt": letters(WORDS, draw)}
        process.stdin.write(json.dumps(said) + "\n")
        process.stdin.flush()
        taken.append(json.loads(process.stdout.readline()))
    process.stdin.close()
    process.wait(30)
    return {
        "load_p50": statistics.median(load for load, _ in taken[2:]),
        "seconds_p50": statistics.median(whole for _, whole in taken[2:]),
    }


def memory(alone: Path, home: Path, made: Made) -> dict[str, Any]:
    """Megabytes of all processes, in a home with the base alone and in one with ten adapters."""
    draw = random.Random(0)
    with metier(alone) as side:
        first_token(side, "bench-plain", draw)
        base = pss_bytes(side.pid)
    with metier(home) as side:
        for number in range(1, ADAPTERS + 1):
            first_token(side, f"bench-{number}", draw)
        first_token(side, "bench-plain", draw)
        held = pss_bytes(side.pid)
    adapter = made.adapters[0].stat().st_size
    allowed = (base + ADAPTERS * (adapter + ALLOWED_MB * 1e6)) * 1.1
    return {
        "base_mb": base / 1e6,
        "adapter_mb": adapter / 1e6,
        "with_ten_mb": held / 1e6,
        "each_mb": (held - base) / 1e6 / ADAPTERS,
        "allowed_mb": allowed / 1e6,
    }


def main() -> int:
    """Measure, print, write; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/adapters.json"))
    parser.add_argument("--models", type=Path, help="keep the random models here")
    parser.add_argument("--parameters", type=float, default=250e6)
    parser.add_argument("--dtype", default="q8_0", choices=("f16", "q8_0"))
    parser.add_argument("--turns", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        made = make(
            arguments.models or work,
            arguments.parameters,
            arguments.dtype,
            adapters=ADAPTERS,
            merged=2,
        )
        home = work / "home"
        install(home, made, work)
        install(work / "alone", made, work, adapters=False)
        results: dict[str, Any] = {"parameters": made.parameters, "dtype": arguments.dtype}
        with metier(home) as side:
            results["switching"] = alternate(side, ("bench-1", "bench-2"), arguments.turns)
        print("switching", results["switching"])
        results["reloading"] = reload(made, max(4, arguments.turns // 3))
        print("reloading", results["reloading"])
        with metier(home, say={"METIER_MAX_MODELS": "1"}) as side:
            merged = ("bench-merged-1", "bench-merged-2")
            results["metier_one_at_a_time"] = alternate(side, merged, 4)
        print("metier, one at a time", results["metier_one_at_a_time"])
        results["memory"] = memory(work / "alone", home, made)
        print("memory", results["memory"])
    switch = results["switching"]["seconds_p50"]
    for what in ("reloading", "metier_one_at_a_time"):
        results[f"faster_than_{what}"] = results[what]["seconds_p50"] / switch
        print(f"faster than {what}: {results[f'faster_than_{what}']:.1f} times")
    write(arguments.out, results, seed=0)
    fits = results["memory"]["with_ten_mb"] <= results["memory"]["allowed_mb"]
    fast = results["faster_than_metier_one_at_a_time"] >= REACH_FASTER
    return int(not (fits and fast and results["switching"]["same_processes"]))


if __name__ == "__main__":
    raise SystemExit(main())
