"""How far off is "will it run here"? Estimates of speed and memory against what is measured.

The machine is measured as ``metier doctor --measure`` does it. Then models of random weights of
other sizes, widths, vocabularies and quantisations, mixed ones among them, are loaded as the
scheduler would load them, and asked to write. Each is estimated twice: from its header, and as a
catalogue knows it (size, parameters and quantisation alone). What is reported is measured speed
over estimated speed, and memory that the worker holds over the estimate.

On a machine with other work take ``--clock processor --threads 1``: seconds are then processor
time of the worker, which other work disturbs least.

    python benchmarks/fit_estimate.py --out benchmarks/results/fit_estimate.json
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from record import write

from metier.engines.llamacpp import open_worker
from metier.finding import Entry, Fit
from metier.fitting import Here, Speeds, estimate, of_entry, of_headers
from metier.fitting.measuring import Spent, Timed, measure_engine, time_worker
from metier.fitting.probe import Probe, write_probe
from metier.formats import describe, read_gguf
from metier.generating import Loading, Residence, Weights
from metier.hardware import cpu_class, memory_bytes, processor_name, usable_cores
from metier.reference import Digest
from metier.scheduler import Shape, scratch_bytes, sized
from metier.scheduler.sizing import SLOTS

ROOM = 6_000_000_000
MODELS = (
    ("Q8_0", Probe("Q8_0", layers=14, width=1024, inner=4096, vocabulary=16_384)),
    ("Q4_K_M", Probe("Q4_K", layers=24, width=1024, inner=2816, vocabulary=32_000, also="Q6_K")),
    ("Q4_K_M", Probe("Q4_K", layers=16, width=2048, inner=5632, vocabulary=32_000, also="Q6_K")),
    ("Q6_K", Probe("Q6_K", layers=12, width=1536, inner=4096, vocabulary=32_000)),
    ("F16", Probe("F16", layers=24, width=768, inner=2048, heads=12, vocabulary=49_152)),
    ("Q4_0", Probe("Q4_0", layers=20, width=1536, inner=6144, vocabulary=16_384)),
    ("Q8_0", Probe("Q8_0", layers=6, width=768, inner=1024, heads=12, vocabulary=151_936)),
    ("Q5_K_M", Probe("Q5_K", layers=16, width=1280, inner=5120, heads=20, also="Q6_K")),
    ("IQ4_XS", Probe("IQ4_XS", layers=16, width=1536, inner=4096)),
)
"""Quantisation as a catalogue names it, and the shape."""


def processor_seconds() -> float:
    """Processor time of every process that this one started, by the scheduler's nanoseconds."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it may end while it is looked at
                stat = (folder / "stat").read_text("utf-8", "replace")
                parents[int(folder.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    total, mine = 0.0, os.getpid()
    for process in parents:
        above = process
        while above in parents and above != mine:
            above = parents[above]
        if above == mine != process:
            with suppress(OSError):  # it may end while it is looked at
                for task in Path(f"/proc/{process}/task").iterdir():
                    total += int((task / "schedstat").read_text("ascii").split()[0]) / 1e9
    return total


def shape_of(file: Path) -> Shape:
    """What the scheduler knows of a model."""
    facts = describe(read_gguf(file))
    return Shape(
        weights=file.stat().st_size,
        trained=facts.context_length,
        cache=facts.kv_bytes_per_token,
        scratch=scratch_bytes(facts.vocabulary, facts.embedding_length, 4 * facts.embedding_length),
        slots=SLOTS,
    )


def loaded(file: Path, shape: Shape, threads: int, spent: Spent | None) -> Timed:
    """What a token takes, and the memory held, with the context that the scheduler gives."""
    loading = sized(shape, Loading(), ROOM).loading
    digest = str(Digest.of(file.name.encode()))
    residence = Residence(Weights(digest, (file,)), (), "generate", loading)
    worker = open_worker(residence, threads=threads)
    try:
        return time_worker(worker, spent)
    finally:
        worker.close()


def row(name: str, probe: Probe, folder: Path, how: Callable[[Path, Shape], Timed],
        guess: Callable[[Any], Fit]) -> dict[str, Any]:  # fmt: skip
    """Measured and estimated, by header and by what a catalogue knows."""
    file = folder / "model.gguf"
    write_probe(file, probe, seed=1)
    header = read_gguf(file)
    shape = shape_of(file)
    entry = Entry(
        name="random", kind="model", task="chat", pull="file", parameters=probe.parameters,
        size_bytes=file.stat().st_size, quantization=name, context=8192,
    )  # fmt: skip
    timed = how(file, shape)
    by_header = guess(of_headers(describe(header), [header], shape, writes=True))
    by_entry = guess(of_entry(entry))
    speed = 1 / timed.token_seconds
    return {
        "model": f"{probe.parameters / 1e6:.0f} M {name}",
        "file_mb": round(entry.size_bytes / 1e6) if entry.size_bytes else 0,
        "tokens_per_second": round(speed, 1),
        "spread": round(timed.spread, 3),
        "memory_mb": round(timed.memory_bytes / 1e6),
        "by_header": _ratios(by_header, speed, timed.memory_bytes),
        "by_entry": _ratios(by_entry, speed, timed.memory_bytes),
    }


def _ratios(fit: Fit, speed: float, memory: int) -> dict[str, float]:
    """Measured over estimated: above 1 is faster, or more memory, than was said."""
    told = fit.tokens_per_second or math.nan
    return {"speed": round(speed / told, 3), "memory": round(memory / fit.memory_bytes, 3)}


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median ratio, the lowest and highest, and the band that holds all."""
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "off_by_all": round(max(max(values) - 1, 1 - min(values)), 3),
        "off_by_80_percent": round(
            sorted(abs(value - 1) for value in values)[math.ceil(0.8 * len(values)) - 1], 3
        ),
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fit_estimate.json"))
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--models", type=int, default=len(MODELS))
    arguments = parser.parse_args()
    spent = processor_seconds if arguments.clock == "processor" else None
    opened = partial(open_worker, threads=arguments.threads)
    here = Here(processor_name(), cpu_class(), arguments.threads, memory_bytes(), ROOM, ROOM)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        found = measure_engine(opened, Path(folder), spent=spent)
        took = time.monotonic() - began
        speeds = Speeds(
            "", here.cpu_class, here.cores, "", "", found.bytes_per_second, found.token_seconds,
            found.multiplied_per_second, busy=found.busy, spread=found.spread,
        )  # fmt: skip
        print(f"self-benchmark: {took:.0f} s", speeds)
        for name, probe in MODELS[: arguments.models]:
            rows.append(
                row(
                    name,
                    probe,
                    Path(folder),
                    lambda file, shape: loaded(file, shape, arguments.threads, spent),
                    lambda facts: estimate(facts, here, speeds),
                )
            )
            print(rows[-1], flush=True)
    summary = {
        f"{way}_{what}": spread([each[way][what] for each in rows])
        for way in ("by_header", "by_entry")
        for what in ("speed", "memory")
    }
    print(summary)
    results = {
        "clock": arguments.clock, "threads": arguments.threads, "self_benchmark_seconds": took,
        "speeds": speeds.to_dict(), "models": rows, "measured_over_estimated": summary,
    }  # fmt: skip
    write(arguments.out, results, seed=1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
