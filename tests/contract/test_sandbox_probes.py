"""Attacks against every kind of sandbox that works here: none gains anything."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_probes import Probe
from sandbox_probes_files import FILES, SYSTEM
from sandbox_probes_kernel import KERNEL, NETWORK, PROCESSES

from metier.errors import UnavailableError
from metier.sandbox import Limits, Place, Sandbox, detect, python
from metier.sandbox.syscalls import NUMBERS

KINDS = ("bubblewrap", "landlock")
PROBES = FILES + SYSTEM + NETWORK + PROCESSES + KERNEL
CANARY = "canary-7b1e"
QUICK = Limits(seconds=10, cpu_seconds=5, memory_mb=512, processes=16)
CASES = [
    pytest.param(kind, probe, id=f"{kind}: {probe.name}")
    for kind in KINDS
    for probe in PROBES
    if probe.only in (None, kind)
]


def sandbox_of(kind: str) -> Sandbox:
    try:
        return detect(only=kind)
    except UnavailableError as failure:
        pytest.skip(f"{kind} does not work on this machine: {failure.details}")


@contextlib.contextmanager
def offered(above: Path) -> Iterator[dict[str, Any]]:
    """What there is to steal and to break, and a process that stands by."""
    for higher in (above, *above.parents[:2]):
        with contextlib.suppress(PermissionError):
            higher.chmod(0o755)  # so that only the sandbox keeps anybody out
    folder = above / "host"
    folder.mkdir()
    (folder / "secret").write_text("the secret")
    (folder / "victim").write_text("untouched")
    (folder / "victim").chmod(0o666)
    place = above / "place"
    place.mkdir()
    (place / "tool.txt").write_text("a tool")
    script = folder / "script"
    script.write_text("#!/bin/sh\necho ran\n")
    script.chmod(0o755)
    name = f"metier-probe-{os.getpid()}-{above.name}"
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        for address in (str(folder / "unix"), f"\0{name}"):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(address)
            server.listen(8)
        for address in (str(folder / "datagram"), f"\0{name}-datagram"):
            stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(address)
        bystander = subprocess.Popen(
            ["sleep", "600"], start_new_session=True, env={"PROBE_CANARY": CANARY}
        )
        stack.callback(bystander.wait)
        stack.callback(bystander.kill)
        yield {
            "folder": str(folder),
            "secret": str(folder / "secret"),
            "victim": str(folder / "victim"),
            "place": str(place),
            "script": str(script),
            "home": str(Path.home()),
            "places": [str(place.source) for place in python()[1]],
            "store": os.environ["METIER_HOME"],
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": str(folder / "unix"),
            "datagram": str(folder / "datagram"),
            "abstract": name,
            "bystander": bystander.pid,
            # Backwards: what is looked for must not stand in the question.
            "yranac": CANARY[::-1],
            "machine": platform.machine(),
            "numbers": NUMBERS[platform.machine()],
            "_standing": bystander,
            "_udp": udp,
        }


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch, offered(tmp_path_factory.mktemp("host")) as facts:
        patch.setenv("PROBE_CANARY", CANARY)
        facts["_signals"] = []
        before = signal.signal(signal.SIGURG, lambda number, _: facts["_signals"].append(number))
        yield facts
        signal.signal(signal.SIGURG, before)


def question(host: dict[str, Any]) -> dict[str, str]:
    return {"FACT": json.dumps({name: host[name] for name in host if name[0] != "_"})}


@pytest.mark.parametrize(("kind", "probe"), CASES)
def test_an_attack_gains_nothing(kind: str, probe: Probe, host: dict[str, Any]) -> None:
    interpreter, places = python()
    host["_signals"].clear()
    finished = sandbox_of(kind).run(
        [interpreter, "-c", probe.script],
        places=[*places, Place(Path(host["place"]), host["place"])],
        environment=question(host),
        limits=QUICK,
    )
    assert finished.stdout.startswith(b"REFUSED"), (finished, probe)
    assert finished.status == 0
    assert host["_standing"].poll() is None
    assert not host["_signals"]
    assert Path(host["victim"]).read_text() == "untouched"
    assert not Path(host["folder"], "new").exists()
    assert [path.name for path in Path(host["place"]).iterdir()] == ["tool.txt"]
    assert Path(host["place"], "tool.txt").read_text() == "a tool"
    with contextlib.suppress(BlockingIOError):
        pytest.fail(f"a datagram came out: {host['_udp'].recv(100)!r}")


@pytest.mark.parametrize(
    "probe", [probe for probe in PROBES if probe.control], ids=lambda probe: probe.name
)
def test_the_same_attack_succeeds_without_a_sandbox(probe: Probe, tmp_path: Path) -> None:
    with offered(tmp_path) as facts:
        (tmp_path / "cwd").mkdir()
        done = subprocess.run(
            [sys.executable, "-c", probe.script],
            env={**question(facts), "HOME": str(tmp_path), "PROBE_CANARY": CANARY},
            cwd=tmp_path / "cwd",
            capture_output=True,
            timeout=30,
        )
    assert done.stdout.startswith(b"ALLOWED"), done


def test_there_are_enough_attacks() -> None:
    for kind in KINDS:
        assert sum(probe.only in (None, kind) for probe in PROBES) >= 40
    assert len({probe.name for probe in PROBES}) == len(PROBES)
