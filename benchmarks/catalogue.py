"""The catalogue at a million entries: build, cold open, words, words and meaning, beside FTS5.

Synthetic entries of about 20 words (a Zipf vocabulary of 60,000) with given vectors of 256
dimensions around 2,000 centres; one core; the same queries for SQLite FTS5. Recall is that of the
one-bit scan against exact search. Steps keep their files, so that each can be run by itself:

    python benchmarks/catalogue.py --folder DIR make      entries into the records
    python benchmarks/catalogue.py --folder DIR index     the volume: words, then vectors
    python benchmarks/catalogue.py --folder DIR peer      FTS5 over the same texts
    python benchmarks/catalogue.py --folder DIR measure --out FILE
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import record

from metier.catalog import meaning
from metier.catalog.meaning import unit
from metier.catalog.records import Fresh
from metier.catalog.searching import Sources, search
from metier.catalog.stock import Library
from metier.catalog.words import words
from metier.finding import Entry, Query

WIDTH, CENTRES, VOCABULARY = 256, 2000, 60_000
ORIGIN, ENCODER, SEED = "synthetic", "given", 20261123
TASKS = ("chat", "classify", "embed", "entities", "rerank", "complete")
LICENCES = ("Apache-2.0", "MIT", "CC-BY-4.0", "Llama 3", "Gemma")


def main() -> None:
    """One step, or the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("make", "index", "peer", "measure"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core
    steps = {"make": make, "index": index, "peer": peer, "measure": measure}
    found = steps[told.step](told)
    notes = told.folder / "steps.json"
    known = json.loads(notes.read_text()) if notes.exists() else {}
    known[told.step] = {"count": told.count, **found}
    notes.write_text(json.dumps(known, indent=1))
    print(json.dumps(known[told.step], indent=1))
    if told.out is not None:
        record.write(told.out, known, seed=SEED)


def make(told: argparse.Namespace) -> dict[str, Any]:
    """Entries into the records: parsing, terms and SQLite."""
    library = Library(told.folder / "library")
    return timed(
        lambda: library.renew(
            {ORIGIN: str(told.count)}, lambda _: map(Fresh, entries(told.count)), wait=True
        )
    )


def index(told: argparse.Namespace) -> dict[str, Any]:
    """The volume of words, then signs and vectors of the given vectors."""
    library = Library(told.folder / "library")
    told_words = timed(library.volumes)
    volume = library.volumes()[ORIGIN]
    numbers = iter(range(volume.count))
    centres = _centres()

    def given(texts: list[str]) -> np.ndarray[Any, Any]:
        return _vectors([next(numbers) for _ in texts], centres)

    path = told.folder / "given.npy"
    if not path.exists():
        np.save(path, np.concatenate([
            unit(given([""] * min(20_000, told.count - start))).astype(np.float16)
            for start in range(0, told.count, 20_000)
        ]))  # fmt: skip
    halves = np.load(path, mmap_mode="r")
    folder = told.folder / "library" / volume.name

    def vectors() -> None:
        target = folder / f"meaning-{_hexed(ENCODER)}"
        target.mkdir(exist_ok=True)
        meaning.build(target, halves)

    told_vectors = timed(vectors)
    size = sum(one.stat().st_size for one in (folder / "words").iterdir())
    return {"words": told_words, "vectors": told_vectors, "words_bytes": size}


def peer(told: argparse.Namespace) -> dict[str, Any]:
    """FTS5 over the same texts."""
    path = told.folder / "peer.sqlite"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE VIRTUAL TABLE cards USING fts5(name, description)")

    def fill() -> None:
        connection.executemany(
            "INSERT INTO cards VALUES (?, ?)",
            ((one.name, one.description) for one in entries(told.count)),
        )
        connection.execute("INSERT INTO cards(cards) VALUES ('optimize')")
        connection.commit()

    return {**timed(fill), "bytes": path.stat().st_size}


def measure(told: argparse.Namespace) -> dict[str, Any]:
    """Cold open, then each query alone, in one process."""
    asked = queries(told.queries)
    rng, centres = np.random.default_rng(SEED + 1), _centres()
    vectors = {one: unit(_around(rng, centres, 1))[0] for one in asked}
    began = time.perf_counter()
    library = Library(told.folder / "library")
    volumes = library.volumes()
    sources = Sources(library.records, volumes, ENCODER, lambda text: vectors[text.strip()])
    opened = time.perf_counter() - began
    search(Query(words=asked[0] + " "), sources)
    cold = time.perf_counter() - began
    plain = Sources(library.records, volumes)
    volume = volumes[ORIGIN]
    found: dict[str, Any] = {
        "cold_open_s": opened,
        "cold_open_and_first_hybrid_answer_s": cold,
        "text": spread(asked, lambda one: search(Query(words=one + " ", meaning=False), plain)),
        "text_unfinished": spread(
            asked, lambda one: search(Query(words=one[:-1], meaning=False), plain)
        ),
        "hybrid": spread(asked, lambda one: search(Query(words=one + " "), sources)),
        "everything": spread(asked[:50], lambda _: search(Query(), plain)),
    }
    found["parts"] = _parts(asked, volume, vectors)
    found["recall_at_10"] = _recall(volume.meaning(ENCODER), list(vectors.values())[:40])
    found["peer"] = _peer(told.folder / "peer.sqlite", asked)
    found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def _parts(asked: list[str], volume: Any, vectors: dict[str, Any]) -> dict[str, Any]:
    """What the index alone takes: 100 best by words, 60 best by meaning."""
    from metier.catalog.text import Wanted
    from metier.catalog.words import Meant

    def by_words(one: str) -> None:
        meant = [Meant(word, (word.term,)) for word in words(one)[0]]
        volume.words.search(meant, Wanted({}), 10)

    near = volume.meaning(ENCODER)
    return {
        "words_10_best": spread(asked, by_words),
        "meaning_10_best": spread(asked, lambda one: near.nearest(vectors[one], 10)),
    }


def _peer(path: Path, asked: list[str]) -> dict[str, Any]:
    if not path.exists():
        return {}
    connection = sqlite3.connect(path)

    def ask(joined: str) -> Callable[[str], None]:
        def one(text: str) -> None:
            terms = joined.join(f'"{word}"' for word in text.split())
            connection.execute(
                "SELECT rowid FROM cards WHERE cards MATCH ? ORDER BY rank LIMIT 10", (terms,)
            ).fetchall()

        return one

    return {"or": spread(asked[:60], ask(" OR ")), "and": spread(asked, ask(" AND "))}


def _recall(near: Any, vectors: list[Any]) -> float:
    found = 0.0
    for vector in vectors:
        cosines = np.concatenate([
            near.halves[start : start + 50_000].astype(np.float32) @ vector
            for start in range(0, near.halves.shape[0], 50_000)
        ])  # fmt: skip
        exact = set(np.argpartition(-cosines, 10)[:10].tolist())
        found += len(exact & {place for place, _ in near.nearest(vector, 10)}) / 10
    return found / len(vectors)


def entries(count: int) -> Iterator[Entry]:
    """Synthetic entries, the same for the same count."""
    rng = np.random.default_rng(SEED)
    vocabulary = _vocabulary()
    for start in range(0, count, 10_000):
        lot = min(10_000, count - start)
        drawn = _zipf(rng, (lot, 20))
        sizes = rng.integers(1 << 20, 40 << 30, lot)
        for row in range(lot):
            number = start + row
            yield Entry.model_construct(
                name=f"owner{number % 5000}/{vocabulary[drawn[row, 0]]}-{number}",
                kind="model",
                task=TASKS[number % len(TASKS)],
                domain=vocabulary[drawn[row, 1] % 40],
                description=" ".join(vocabulary[word] for word in drawn[row, 2:]),
                licence=LICENCES[number % len(LICENCES)],
                size_bytes=int(sizes[row]),
                released=f"202{number % 7}-0{1 + number % 9}-1{number % 10}",
            )


def queries(count: int) -> list[str]:
    """One to four words that some entry has."""
    rng = np.random.default_rng(SEED + 2)
    vocabulary = _vocabulary()
    drawn = _zipf(rng, (count * 2, 4))
    found = dict.fromkeys(
        " ".join(vocabulary[word] for word in row[: 1 + number % 4])
        for number, row in enumerate(drawn)
    )
    return list(found)[:count]


def spread(asked: list[str], ask: Callable[[str], object]) -> dict[str, Any]:
    """Median and tails in milliseconds, one query at a time: wall, and the processor's beside."""
    wall, cpu = [], []
    for one in asked:
        start, busy = time.perf_counter(), time.process_time()
        ask(one)
        wall.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - busy) * 1000)
    names = ("p50", "p95", "p99")
    return {
        **dict(zip(names, np.percentile(wall, [50, 95, 99]).tolist(), strict=True)),
        "cpu": dict(zip(names, np.percentile(cpu, [50, 95, 99]).tolist(), strict=True)),
        "n": len(wall),
    }


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Wall and processor seconds, and the most memory that the process has had."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "memory_mb": memory,
    }


def _vocabulary() -> list[str]:
    rng = np.random.default_rng(SEED + 3)
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        syllables = rng.integers(0, 65, rng.integers(2, 5))
        found["".join("bcdfghklmnprt"[one // 5] + "aeiou"[one % 5] for one in syllables)] = None
    return list(found)


def _zipf(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    """Ranks of words: the r-th word is drawn in proportion to 1 / (r + 10)."""
    share = 1.0 / (np.arange(VOCABULARY) + 10.0)
    edges = np.cumsum(share / share.sum())
    return np.searchsorted(edges, rng.random(shape)).clip(0, VOCABULARY - 1)


def _centres() -> Any:
    return np.random.default_rng(SEED + 4).standard_normal((CENTRES, WIDTH)).astype(np.float32)


def _vectors(numbers: list[int], centres: Any) -> Any:
    rng = np.random.default_rng(SEED + 5 + numbers[0])
    return centres[np.array(numbers) % CENTRES] + rng.standard_normal(
        (len(numbers), WIDTH), dtype=np.float32
    )


def _around(rng: np.random.Generator, centres: Any, count: int) -> Any:
    chosen = centres[rng.integers(0, CENTRES, count)]
    return chosen + rng.standard_normal((count, WIDTH)).astype(np.float32)


def _hexed(encoder: str) -> str:
    from metier.catalog.volumes import meaning_name

    return meaning_name(encoder).removeprefix("meaning-")


if __name__ == "__main__":
    sys.exit(main())
