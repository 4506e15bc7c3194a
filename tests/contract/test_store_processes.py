"""Several processes at once lose nothing, and gc never takes what another is bringing in."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from store_audit import audit
from store_worker import install, parts_of

from metier.manifest import CONFIG_TYPE, FILEPATH, WEIGHT_TYPE, Manifest, model_config
from metier.reference import Reference
from metier.store import Store

PROCESSES, TURNS = 4, 40


def test_processes_that_install_remove_export_and_collect_lose_nothing(
    tmp_path: Path, workers: Any
) -> None:
    home = str(tmp_path / "home")
    started = [
        workers.start(
            "busy", home=home, name=f"p{n}", seed=n, turns=TURNS, layout=str(tmp_path / "out")
        )
        for n in range(PROCESSES)
    ]
    for pid in started:
        assert workers.wait(pid) == (0, None)
    expected = {
        f"p{n}-{turn}:latest" for n in range(PROCESSES) for turn in range(TURNS) if turn % 3
    }
    assert audit(tmp_path / "home/store").keys() == expected
    exported = {f"p{n}-{turn}:latest" for n in range(PROCESSES) for turn in range(1, TURNS, 5)}
    assert audit(tmp_path / "out").keys() == exported
    store = Store.open(tmp_path / "home")
    assert store.verify().problems == ()
    store.collect_garbage()
    needed = set().union(*audit(tmp_path / "home/store").values())
    there = {path.name for path in (tmp_path / "home/store/blobs/sha256").iterdir()}
    assert there == needed


def test_two_first_opens_at_once_make_one_store(tmp_path: Path, workers: Any) -> None:
    for turn in range(10):
        home = tmp_path / str(turn)
        started = [workers.start("install", home=str(home), name=f"n{n}", seed=n) for n in range(3)]
        for pid in started:
            assert workers.wait(pid) == (0, None)
        assert len(audit(home / "store")) == 3


def test_gc_in_another_process_waits_for_an_ingest(tmp_path: Path, workers: Any) -> None:
    store = Store.open(tmp_path)
    with store.ingest() as work:
        layer = work.add(b"new", media_type=WEIGHT_TYPE, annotations={FILEPATH: "a.json"})
        config = work.add(
            model_config(name="x", layers=(layer,), licence=None), media_type=CONFIG_TYPE
        )
        ended, said = workers.run("gc", home=str(tmp_path), wait=0.2)
        assert ended == 1
        assert said["error"]["code"] == "locked"
        assert said["error"]["retryable"]
        patient = workers.start("gc", home=str(tmp_path), wait=30)
        work.put(Reference.parse("x"), Manifest(config=config, layers=(layer,)))
    assert workers.wait(patient) == (0, None)
    assert store.read_blob(layer.blob) == b"new"
    assert store.verify().problems == ()


def test_threads_that_share_a_store_lose_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    def work(number: int) -> None:
        for turn in range(5):
            install(store, f"t{number}-{turn}", parts_of(number, (10, 500)))
            if turn % 2:
                store.remove(Reference.parse(f"t{number}-{turn}"))
                store.collect_garbage()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(store.references()) == 4 * 3
    assert store.verify().problems == ()


def test_a_reader_never_sees_a_half_state(tmp_path: Path, workers: Any) -> None:
    """Another process replaces and collects what this one reads."""
    known = [parts_of(seed, (10, 3000)) for seed in range(6)]
    install(Store.open(tmp_path), "same", known[0])
    pid = workers.start("rewrite", home=str(tmp_path), name="same", turns=60)
    store = Store.open(tmp_path)
    seen: set[int] = set()
    # On a busy machine the other process may start late: read on until it has been seen to write.
    patience = time.monotonic() + 60
    for turn in itertools.count():
        if turn >= 150 and (len(seen) > 1 or time.monotonic() > patience):
            break
        reader = store if turn % 2 else Store.open(tmp_path)
        with reader.reading():
            _, manifest = reader.get(Reference.parse("same"))
            parts = {layer.filepath: reader.read_blob(layer.blob) for layer in manifest.layers}
        seen.add(known.index(parts))
    assert workers.wait(pid) == (0, None)
    assert len(seen) > 1
