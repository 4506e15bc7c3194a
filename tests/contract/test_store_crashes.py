"""kill -9 at random moments of import, export, gc and rm leaves nothing corrupt or dangling."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from store_audit import audit
from store_worker import install, parts_of

from metier.reference import Reference
from metier.store import Store

ROUNDS = 100
"""On each of two file systems: 200 in all."""
MEMORY = Path("/dev/shm")
NAMES = [f"team/specialist-{number}" for number in range(6)]


class Field:
    """A home that survives every round, layouts to import from and one to export to."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.home = folder / "home"
        self.exported = folder / "exported"
        self.layouts = [folder / f"layout-{number}" for number in range(4)]
        self.random = random.Random(seed)
        for number, layout in enumerate(self.layouts):
            maker = Store.open(folder / f"maker-{number}")
            install(maker, "made", parts_of(number))
            maker.export(Reference.parse("made"), layout)
        self.store = Store.open(self.home)
        install(self.store, NAMES[0], parts_of(0))

    def job(self, do: str) -> dict[str, str]:
        """A job's arguments; first it is made sure that there is work to do."""
        name = self.random.choice(NAMES)
        layout = str(self.random.choice(self.layouts))
        if do == "import":
            if self.random.random() < 0.7:
                # Else every blob would soon be there, and an import would copy nothing.
                for reference in self.store.references():
                    self.store.remove(reference)
                self.store.collect_garbage()
            return {"name": name, "layout": layout}
        if do == "gc":
            install(self.store, "waste", parts_of(self.random.randrange(10**9)))
            self.store.remove(Reference.parse("waste"))
            return {}
        self.store.import_layout(Path(layout), reference=Reference.parse(name))
        if self.random.random() < 0.5:
            shutil.rmtree(self.exported, ignore_errors=True)
        return {"name": name, "layout": str(self.exported)}

    def check(self, do: str, job: dict[str, str], *, done: bool) -> None:
        """Nothing is corrupt or dangling; if the job was done, its effect is there."""
        names = audit(self.home / "store")
        copies = audit(self.exported)
        assert Store.open(self.home).verify().problems == ()
        if not done:
            return
        if do == "import":
            assert f"{job['name']}:latest" in names
        elif do == "export":
            assert copies[f"{job['name']}:latest"] == names[f"{job['name']}:latest"]
            assert not (self.exported / ".metier-drafts").exists()
        elif do == "remove":
            assert f"{job['name']}:latest" not in names
        else:
            there = {path.name for path in (self.home / "store/blobs/sha256").iterdir()}
            assert there == set().union(*names.values())
            assert not list((self.home / "store/.metier/drafts").iterdir())

    def again(self, workers: Any, do: str, job: dict[str, str]) -> None:
        """The same job, undisturbed, succeeds; an rm that was already done says so."""
        ended, said = workers.run(do, home=str(self.home), **job)
        if do == "remove" and ended == 1:
            assert said["error"]["code"] == "not_found"
        else:
            assert (ended, said) == (0, None)
        self.check(do, job, done=True)


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder on the disk, or in memory where the system has that."""
    if request.param == "disk" or not os.access(MEMORY, os.W_OK):
        yield tmp_path
    else:
        with tempfile.TemporaryDirectory(dir=MEMORY) as made:
            yield Path(made)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["disk", "memory"], indirect=True)
def test_two_hundred_kills_at_random_moments(folder: Path, workers: Any) -> None:
    """On a disk most kills hit a waiting fsync, in memory the steps between."""
    field = Field(folder, seed=1)
    usual = {}
    for do in ("import", "export", "gc"):
        job = field.job(do)
        began = time.perf_counter()
        assert workers.run(do, home=str(field.home), **job) == (0, None)
        usual[do] = time.perf_counter() - began
    killed: Counter[str] = Counter()
    for turn in range(ROUNDS):
        do = ("import", "export", "gc")[turn % 3]
        job = field.job(do)
        pid = workers.start(do, home=str(field.home), **job)
        time.sleep(field.random.uniform(0, usual[do]))
        os.kill(pid, signal.SIGKILL)
        ended, said = workers.wait(pid)
        assert ended in (0, -9), said
        killed[do] += ended == -9
        field.check(do, job, done=ended == 0)
        field.again(workers, do, job)
    # Else the kills came too late to prove anything.
    assert sum(killed.values()) > ROUNDS / 3, killed


@pytest.mark.parametrize("do", ["import", "export", "gc", "remove"])
def test_kill_after_any_line_of_code(tmp_path: Path, workers: Any, do: str) -> None:
    """The clock mostly hits a waiting fsync; this one is spread evenly over the code."""
    field = Field(tmp_path, seed=2)
    lines, step = 1, 60
    while True:
        job = field.job(do)
        ended, said = workers.run(do, home=str(field.home), lines=lines, **job)
        assert ended in (0, -9), said
        field.check(do, job, done=ended == 0)
        field.again(workers, do, job)
        if ended == 0:
            break
        lines += field.random.randrange(1, step)
    assert lines > 150
