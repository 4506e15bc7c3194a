"""A process is started, drained, limited, ended and reaped, whatever it does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from metier.errors import UnavailableError
from metier.sandbox import keeping
from metier.sandbox.keeping import Keeper, end_all
from metier.sandbox.launching import Launch, Process
from metier.sandbox.processes import descendants
from metier.sandbox.values import Limits


def kill(process: Process) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def whole(process: Process) -> list[int]:
    return [process.pid, *descendants(process.pid)]


def keeper(
    script: str,
    *,
    end: Callable[[Process], None] = kill,
    written: Callable[[], int] | None = None,
    clock: bool = True,
    tidy: Callable[[], None] = lambda: None,
    **limits: float,
) -> Keeper:
    launch = Launch(("/bin/sh", "-c", script), end=end, members=whole, written=written, tidy=tidy)
    made = Keeper(launch, Limits(**{"seconds": 20, **limits}), clock=clock)  # type: ignore[arg-type]
    made.start()
    return made


def test_output_and_status() -> None:
    kept = keeper("echo out; echo err >&2; exit 7")
    finished = kept.wait()
    assert (finished.status, finished.stdout, finished.stderr) == (7, b"out\n", b"err\n")
    assert finished.stopped is None
    assert kept.finished == finished
    assert not kept.alive
    kept.end("time")  # too late to matter
    assert kept.finished == finished


def test_a_signal_is_said_as_a_shell_does() -> None:
    assert keeper("kill -TERM $$").wait().status == 143


def test_the_processor_limit_is_one_of_time() -> None:
    assert keeper("kill -XCPU $$").wait().stopped == "time"


def test_time() -> None:
    assert keeper("sleep 30", seconds=0.1).wait().stopped == "time"


def test_time_when_the_outputs_are_closed() -> None:
    assert keeper("exec >&- 2>&-; sleep 30", seconds=0.1).wait().stopped == "time"


def test_the_clock_runs_when_it_is_told_to() -> None:
    kept = keeper("sleep 30", seconds=0.1, clock=False)
    time.sleep(0.3)
    assert kept.alive
    kept.arm()
    kept.disarm()
    time.sleep(0.2)
    assert kept.alive
    kept.arm()
    assert kept.wait().stopped == "time"


def test_output() -> None:
    finished = keeper("yes", output_bytes=5000).wait()
    assert finished.stopped == "output"
    assert len(finished.stdout) == 5000


def test_processes() -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 30 & done; wait"
    assert keeper(script, processes=1).wait().stopped == "processes"


def test_memory() -> None:
    assert keeper("sleep 30", memory_mb=0).wait().stopped == "memory"


def test_disk() -> None:
    assert keeper("sleep 30", written=lambda: 2 << 20, disk_mb=1).wait().stopped == "disk"


def test_a_daemon_that_holds_the_output_does_not_hold_us() -> None:
    began = time.monotonic()
    finished = keeper("sleep 3 & echo done").wait()
    assert finished.stdout == b"done\n"
    assert time.monotonic() - began < 2.5


def test_what_a_gentle_end_does_not_kill_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_PATIENCE", 0.1)
    ends: list[Process] = []
    kept = keeper("exec sleep 30", end=ends.append)
    kept.end()
    assert kept.wait().status == 137
    assert len(ends) >= 2


def test_a_program_that_is_not_there() -> None:
    tidied: list[bool] = []
    launch = Launch(
        ("/does/not/exist",),
        end=kill,
        members=whole,
        tidy=lambda: tidied.append(True),
    )
    kept = Keeper(launch, Limits(), clock=True)
    with pytest.raises(UnavailableError) as caught:
        kept.start()
    assert caught.value.code == "sandbox_start"
    assert tidied == [True]
    kept.end()  # nothing to end


def test_what_is_reaped_is_not_killed() -> None:
    ends: list[Process] = []
    launch = Launch(("/bin/true",), end=ends.append, members=whole)
    kept = Keeper(launch, Limits(), clock=True)
    kept._process = launch.start()
    kept._process.communicate()
    kept.end()
    assert ends == []
    assert not kept.alive


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_the_watch_leaves_nothing_behind() -> None:
    def broken(_: Process) -> list[int]:
        raise RuntimeError("a defect")

    launch = Launch(("/bin/sleep", "30"), end=kill, members=broken)
    kept = Keeper(launch, Limits(), clock=True)
    before = set(threading.enumerate())
    kept.start()
    assert kept.wait().status == 137
    for thread in set(threading.enumerate()) - before:
        thread.join()  # so that its complaint belongs to this test


def test_everything_ends_with_the_interpreter() -> None:
    kept = keeper("sleep 30")
    end_all()
    assert kept.finished is not None


def test_threads_end_with_their_processes() -> None:
    before = threading.active_count()
    for _ in range(5):
        keeper("true").wait()
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before
