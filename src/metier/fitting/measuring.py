"""The self-benchmark: models of random weights through the engine that answers, in seconds.

One small model for each common tensor type says how many bytes of weights this machine reads and
multiplies in a second while it writes; one with hardly any weights says what a token takes beside
them. It knows a worker by the protocol of ``generating``; which engine that is, and where results
are kept, it does not.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from metier.errors import InputError
from metier.fitting.probe import Probe, write_probe
from metier.generating import (
    Loading,
    OpenWorker,
    Options,
    Question,
    Residence,
    Taken,
    Voice,
    Weights,
    Worker,
)
from metier.messages import Progress, Report, silent
from metier.reference import Digest

KINDS = ("Q4_K", "Q8_0", "F16", "Q6_K", "Q4_0")
"""Types that are measured, those that most files on the hub are made of first."""
READ_BYTES = 96_000_000
"""Bytes of weights that one token of a model to measure with reads: more than most caches hold."""
TIMING = 0.25
"""Seconds that one timing aims at; its tokens follow from that."""
ROUNDS = 4
"""Timings of one type; the least disturbed one counts."""
PATIENCE = 3.0
"""Seconds of one type after which no further round is begun."""
BUDGET = 40.0
"""Seconds after which no further type is begun: on a machine that has other work."""
CALM = 0.4
"""Timings of one type that lie further apart were disturbed by other work."""
MOST_BESIDE = 0.2
"""Of a token's time with a small model: what can be spent beside its weights at most."""
PROMPT = 128
"""Tokens of the text that is read."""
_CONTEXT = 1024
_LOOSE = Probe("F16", layers=16, width=256, inner=512, heads=4, groups=2, vocabulary=32_000)
"""Hardly any weights and as many steps as a model has."""

Spent = Callable[[], float]
"""A counter of seconds: the clock on the wall, or processor time."""


@dataclass(frozen=True, slots=True)
class Timed:
    """What one model took.

    Attributes:
        token_seconds: To write one token.
        text_seconds: To read one token of a text.
        memory_bytes: What the worker holds at the end.
        spread: How far the median timing lies above the best: .1 is a tenth.
    """

    token_seconds: float
    text_seconds: float
    memory_bytes: int
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class EngineSpeeds:
    """What the engine reaches here; fields as in ``Speeds``."""

    bytes_per_second: Mapping[str, float]
    token_seconds: float
    multiplied_per_second: float
    busy: float
    spread: float


def measure_engine(
    open_worker: OpenWorker,
    folder: Path,
    *,
    kinds: Sequence[str] = KINDS,
    report: Report = silent,
    cancelled: Callable[[], bool] = lambda: False,
    spent: Spent | None = None,
) -> EngineSpeeds:
    """Measure the engine with models that are written into ``folder`` and taken away again.

    Args:
        open_worker: The engine.
        folder: For files of up to 0.4 GB, one at a time.
        kinds: Tensor types to measure; of ``probe.TYPES``.
        report: Receives progress.
        cancelled: Becomes true when the person says stop.
        spent: What seconds are counted by; ``None`` for the engine's own clock.

    Raises:
        UnavailableError: The engine does not start here.
        InputError: It was given up (code ``cancelled``).
    """
    load = busy()
    names = ["", *kinds]
    began = time.monotonic()
    found: dict[str, tuple[Probe, Timed]] = {}
    for number, kind in enumerate(names):
        if cancelled():
            raise InputError("Measuring was given up.", code="cancelled")
        taken = time.monotonic() - began
        if number > 1 and taken > BUDGET:
            break
        told = f"measuring weights of the type {kind}" if kind else "measuring the engine itself"
        left = taken / number * (len(names) - number) if number else None
        report(Progress("measure", told, number / len(names), left))
        probe = probe_of(kind) if kind else _LOOSE
        found[kind] = probe, time_probe(open_worker, folder, probe, spent=spent)
    return _speeds(found, load)


def _speeds(found: Mapping[str, tuple[Probe, Timed]], load: float) -> EngineSpeeds:
    """From what each model took to what the machine reaches."""
    _, loose = found[""]
    all_kinds = {kind: each for kind, each in found.items() if kind}
    # What was disturbed says nothing; the nearest type stands for it, as for those not measured.
    calm = {kind: each for kind, each in all_kinds.items() if each[1].spread <= CALM}
    measured = calm or all_kinds
    beside = _beside(loose, measured)
    rates = {
        kind: probe.read_bytes / (timed.token_seconds - beside)
        for kind, (probe, timed) in measured.items()
    }
    texts = [
        probe.layers * probe.layer_parameters / timed.text_seconds
        for kind, (probe, timed) in measured.items()
    ]
    return EngineSpeeds(
        bytes_per_second=rates,
        token_seconds=beside,
        multiplied_per_second=sorted(texts)[len(texts) // 2],
        busy=load,
        spread=max(timed.spread for _, timed in measured.values()),
    )


def _beside(loose: Timed, measured: Mapping[str, tuple[Probe, Timed]]) -> float:
    """Seconds of a token beside reading weights: where the line through two models begins.

    On a machine with other work the loose model may have had the worse moment; so it is never
    more than a part of the fastest model's time.
    """
    probe, timed = measured.get("F16") or next(iter(measured.values()))
    more = max(timed.token_seconds - loose.token_seconds, 1e-9)
    each = more / (probe.read_bytes - _LOOSE.read_bytes)
    most = MOST_BESIDE * min(other.token_seconds for _, other in measured.values())
    return min(max(loose.token_seconds - each * _LOOSE.read_bytes, 0.0), most)


def probe_of(kind: str, read_bytes: int | None = None) -> Probe:
    """A model of one tensor type of which one token reads about so many bytes."""
    wanted = read_bytes or READ_BYTES
    one = Probe(kind, layers=1, width=1024, inner=4096)
    two = Probe(kind, layers=2, width=1024, inner=4096)
    each = two.read_bytes - one.read_bytes
    layers = max(1, round((wanted - (one.read_bytes - each)) / each))
    return Probe(kind, layers=layers, width=1024, inner=4096)


def time_probe(
    open_worker: OpenWorker, folder: Path, probe: Probe, *, spent: Spent | None = None
) -> Timed:
    """What a token takes to write and to read with a model of this shape."""
    file = folder / f"probe-{os.getpid()}-{probe.kind}.gguf"
    try:
        write_probe(file, probe)
        digest = str(Digest.of(f"{probe}".encode()))
        loading = Loading(num_ctx=_CONTEXT, slots=1)
        worker = open_worker(Residence(Weights(digest, (file,)), (), "generate", loading))
        try:
            return time_worker(worker, spent)
        finally:
            worker.close()
    finally:
        file.unlink(missing_ok=True)


def busy() -> float:
    """Processes that wait for a core beside us, per core; 0 on a quiet machine."""
    if not hasattr(os, "getloadavg"):
        return 0.0
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def time_worker(worker: Worker, spent: Spent | None = None) -> Timed:
    """The least disturbed of a few timings: what slows a machine down only ever adds."""
    ask = _by_engine if spent is None else partial(_by_counter, spent)
    ask(worker, 4, 2, "warm")
    first, _ = ask(worker, 4, 6, "how long")
    count = max(4, min(32, int(TIMING / max(first, 1e-6))))
    began = time.monotonic()
    token, text = [], []
    for number in range(ROUNDS):
        token.append(ask(worker, 8, count, f"write {number}")[0])
        if number < 2:
            text.append(ask(worker, PROMPT, 1, f"read {number}")[1])
        if time.monotonic() - began > PATIENCE:
            break
    best = min(token)
    return Timed(best, min(text), worker.memory_bytes, statistics.median(token) / best - 1)


def _by_engine(worker: Worker, words: int, tokens: int, start: str) -> tuple[float, float]:
    """Seconds to write and to read a token, by the engine's own clock."""
    taken = _ask(worker, words, tokens + 1, start)
    # The first token comes out of the prompt's computation.
    writing = taken.writing / max(taken.tokens_out - 1, 1)
    return max(writing, 1e-9), max(taken.prompt / max(taken.tokens_in, 1), 1e-9)


def _by_counter(
    spent: Spent, worker: Worker, words: int, tokens: int, start: str
) -> tuple[float, float]:
    """The same by a counter from outside: what a few tokens more add."""
    counts = []
    for many, long in ((1, 1), (1 + tokens, 1), (1, words)):
        before = spent()
        taken = _ask(worker, long, many, start)
        counts.append((spent() - before, taken))
    (few, least), (more, written), (read, whole) = counts
    writing = (more - few) / max(written.tokens_out - least.tokens_out, 1)
    reading = (read - few) / max(whole.tokens_in - least.tokens_in, 1)
    return max(writing, 1e-9), max(reading, 1e-9)


def _ask(worker: Worker, words: int, tokens: int, start: str) -> Taken:
    """One question; nothing of it is answered from the cache."""
    question = Question(
        prompt=f"{start} " + "a" * words,
        options=Options(temperature=0.0, num_predict=tokens, logit_bias={2: -100.0}),
        cache_prompt=False,
    )
    return worker.ask(question, Voice()).taken
