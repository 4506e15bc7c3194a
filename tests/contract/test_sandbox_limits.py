"""What a sandbox does with code that will not stop, wants everything, or refuses to die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.sandbox import Finished, Limits, Pool, Sandbox, detect, python
from metier.sandbox.values import WORK

KINDS = ("bubblewrap", "landlock")
# Seconds over the limit that a kill may take; a machine with other things to do may take longer.
LATE = 0.5 if os.getloadavg()[0] < (os.cpu_count() or 1) else 5.0


@pytest.fixture(params=KINDS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    try:
        return detect(only=request.param)
    except UnavailableError as failure:
        pytest.skip(f"{request.param} does not work on this machine: {failure.details}")


def run(sandbox: Sandbox, script: str, limits: Limits) -> Finished:
    interpreter, places = python()
    return sandbox.run([interpreter, "-c", script], places=places, limits=limits)


def marked(mark: str) -> list[int]:
    """Processes on this machine whose command line holds a mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


ENDLESS = {
    "a loop": "while True: pass",
    "sleep": "import time; time.sleep(60)",
    "signals ignored": """
import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)""",
    "stopped": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "children that loop": """
import os
for _ in range(3): os.fork()
while True: pass""",
    "closed outputs": "import os, time; os.close(1); os.close(2); time.sleep(60)",
}


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS.keys())
def test_time_is_kept(sandbox: Sandbox, script: str) -> None:
    began = time.monotonic()
    finished = run(sandbox, script, Limits(seconds=0.6, processes=80))
    assert finished.stopped == "time"
    assert finished.status == 128 + signal.SIGKILL
    assert 0.6 <= finished.seconds < 0.6 + LATE
    assert time.monotonic() - began < 0.6 + 2 * LATE


def test_processor_seconds_are_kept(sandbox: Sandbox) -> None:
    finished = run(sandbox, "while True: pass", Limits(seconds=20, cpu_seconds=1))
    assert finished.stopped == "time"
    assert finished.seconds < 15


MEMORY = {
    "one block": "x = bytearray(400 << 20); x[:] = b'x' * len(x)",
    "children": """
import os, time
for _ in range(5):
    if os.fork() == 0:
        x = b'x' * (60 << 20)
        time.sleep(30)
time.sleep(30)""",
    "shared": """
import mmap, time
x = mmap.mmap(-1, 400 << 20)
for at in range(0, len(x), 4096): x[at] = 1
time.sleep(30)""",
}


@pytest.mark.parametrize("script", MEMORY.values(), ids=MEMORY.keys())
def test_memory_is_watched(sandbox: Sandbox, script: str) -> None:
    limits = Limits(seconds=20, memory_mb=150, address_mb=4096)
    assert run(sandbox, script, limits).stopped == "memory"


def test_python_runs_out_of_memory_cleanly(sandbox: Sandbox) -> None:
    finished = run(sandbox, "x = bytearray(400 << 20)", Limits(memory_mb=150))
    assert finished.stopped is None
    assert b"MemoryError" in finished.stderr


@pytest.mark.parametrize("way", ["fork", "threads"])
def test_processes_are_counted(sandbox: Sandbox, way: str) -> None:
    bodies = {
        "fork": """
import os, time
for number in range(200):
    try:
        if os.fork() == 0:
            time.sleep(30)
    except OSError: break
print(number)""",
        "threads": """
import os, threading, time
for number in range(200):
    try: threading.Thread(target=time.sleep, args=(30,)).start()
    except RuntimeError: break
print(number, flush=True)
os._exit(0)""",
    }
    finished = run(sandbox, bodies[way], Limits(seconds=20, processes=20))
    assert finished.stopped is None, finished
    assert int(finished.stdout) <= 20


def test_a_fork_bomb_ends(sandbox: Sandbox) -> None:
    script = "import os  # metier-bomb-mark\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    finished = run(sandbox, script, Limits(seconds=1.5, processes=30, memory_mb=4096))
    assert finished.stopped == "time"
    assert finished.seconds < 1.5 + LATE
    assert marked("metier-bomb-mark") == []


@pytest.mark.parametrize("folder", [".", "/tmp", "/dev/shm"])
def test_the_disk_is_not_filled(sandbox: Sandbox, folder: str) -> None:
    script = f"""
import os
total = 0
os.chdir({folder!r} if {folder!r} != '/tmp' else os.environ['TMPDIR'])
try:
    for number in range(100):
        total += os.write(os.open(f'f{{number}}', os.O_CREAT | os.O_WRONLY), bytes(1 << 20))
        print(total, flush=True)
except OSError: pass
import time; time.sleep(1)
"""
    finished = run(sandbox, script, Limits(seconds=20, disk_mb=8, file_mb=2))
    totals = [int(line) for line in finished.stdout.split()]
    if sandbox.kind == "landlock" and folder != "/dev/shm":
        assert finished.stopped == "disk"
    else:
        assert max(totals, default=0) <= 8 << 20


def test_a_file_has_a_largest_size(sandbox: Sandbox) -> None:
    script = """
import os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = os.open('big', os.O_CREAT | os.O_WRONLY)
total = 0
try:
    while True: total += os.write(file, bytes(1 << 18))
except OSError: print(total)"""
    finished = run(sandbox, script, Limits(disk_mb=20, file_mb=2))
    assert finished.stdout == b"%d\n" % (2 << 20)


@pytest.mark.parametrize("stream", [1, 2])
def test_output_is_capped(sandbox: Sandbox, stream: int) -> None:
    script = f"import os\nwhile True: os.write({stream}, b'x' * 5000)"
    finished = run(sandbox, script, Limits(output_bytes=20_000))
    assert finished.stopped == "output"
    assert len(finished.stdout) + len(finished.stderr) == 20_000


def test_open_files_are_capped(sandbox: Sandbox) -> None:
    script = """
import os
found = []
try:
    while True: found.append(os.open('/dev/null', 0))
except OSError: print(len(found))"""
    assert int(run(sandbox, script, Limits(open_files=40)).stdout) <= 40


DAEMON = """
import ctypes, os, signal, sys, time  # {mark}
if os.fork():
    time.sleep(0.2)
    os._exit(0)
try: os.setsid()
except OSError: pass
ctypes.CDLL(None).prctl(1, 0)
for number in (1, 2, 3, 13, 15): signal.signal(number, signal.SIG_IGN)
if os.fork(): os._exit(0)
for number in range(3): os.close(number)
time.sleep(60)
"""


def test_a_daemon_does_not_survive(sandbox: Sandbox) -> None:
    mark = f"metier-daemon-mark-{sandbox.kind}"
    finished = run(sandbox, DAEMON.format(mark=mark), Limits(seconds=10))
    assert finished.stopped is None
    assert marked(mark) == []


def test_many_hostile_runs_leave_nothing(sandbox: Sandbox) -> None:
    mark = f"metier-hostile-mark-{sandbox.kind}"
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    bodies = [DAEMON.format(mark=mark), f"# {mark}\nimport os\nwhile True:\n  os.fork()"]
    for number in range(20):
        run(sandbox, bodies[number % 2], Limits(seconds=0.3, processes=20))
    assert marked(mark) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


PARENT = """
import sys, time
from metier.sandbox import Limits, Pool, detect, python
interpreter, places = python()
script = "import os, time  # {mark}\\nos.fork()\\n"
script += "os.write(int(os.environ['METIER_REPLIES']), b'in\\\\n')\\ntime.sleep(90)"
sandbox = detect(only="{kind}")
running = sandbox.start([interpreter, "-c", script], places=places)
running.receive(seconds=20)
pool = Pool(sandbox, [interpreter, "-c", script], size=1, places=places, ready=b"in")
pool.take()
print("ready", flush=True)
{then}
"""


@pytest.mark.parametrize("then", ["time.sleep(60)", "", "raise SystemExit(3)"])
def test_nothing_outlives_its_parent(sandbox: Sandbox, then: str) -> None:
    mark = f"metier-orphan-mark-{sandbox.kind}-{os.getpid()}"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(mark=mark, kind=sandbox.kind, then=then)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == b"ready\n"
    if then.startswith("time"):
        parent.kill()
    parent.wait(20)
    until = time.monotonic() + 5
    while (left := [found for found in marked(mark) if found != parent.pid]) and (
        time.monotonic() < until
    ):
        time.sleep(0.02)
    assert left == []


def test_files_are_there_and_the_rest_is_not(sandbox: Sandbox) -> None:
    finished = sandbox.run(
        ["sh", "-c", "cat a/b.txt; cat; ls"],
        files={"a/b.txt": "text\n", "c.bin": b"\x00"},
        stdin=b"from outside\n",
        environment={"GIVEN": WORK},
    )
    assert finished == Finished(0, b"text\nfrom outside\na\nc.bin\n", b"", finished.seconds, None)


def test_a_pool_hands_out_each_process_once(sandbox: Sandbox) -> None:
    interpreter, places = python()
    script = """
import os
replies = int(os.environ['METIER_REPLIES'])
os.write(replies, b'ready\\n')
for line in os.fdopen(int(os.environ['METIER_REQUESTS'])):
    open('used', 'a').write('x')
    os.write(replies, b'%d\\n' % os.path.getsize('used'))
"""
    with Pool(sandbox, [interpreter, "-c", script], size=2, places=places, ready=b"ready") as pool:
        for _ in range(4):
            with pool.take() as running:
                running.send(b"go")
                assert running.receive(seconds=10) == b"1"
