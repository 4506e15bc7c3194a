"""What bubblewrap is asked for, for root and for anybody else, and how it is ended."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.sandbox import bubblewrap
from metier.sandbox.bubblewrap import Inside, Wrapping, environment, limiting, open_bubblewrap
from metier.sandbox.confining import Request, Sandbox
from metier.sandbox.launching import open_channel
from metier.sandbox.values import WORK, Limits, Place


def wish(**changes: object) -> Request:
    return Request(
        **{  # type: ignore[arg-type]
            "command": ("python3", "x.py"),
            "files": {},
            "places": (),
            "environment": {},
            "limits": Limits(),
            **changes,
        }
    )


def prepared(request: Request, *, as_root: bool) -> list[str]:
    """The command for a request; what it would hand over is closed."""
    launch = Wrapping("bwrap", "x86_64", as_root=as_root)(request)
    launch.close()
    launch.tidy()
    return list(launch.command)


def after(command: list[str], *names: str) -> list[str]:
    """What follows each occurrence of the given run of arguments."""
    width = len(names)
    return [
        command[at + width]
        for at in range(len(command) - width)
        if command[at : at + width] == list(names)
    ]


@pytest.mark.parametrize("as_root", [True, False])
def test_every_wall_stands(as_root: bool) -> None:
    command = prepared(wish(), as_root=as_root)
    for wall in ("pid", "net", "ipc", "uts", "cgroup-try"):
        assert f"--unshare-{wall}" in command
    for option in ("--die-with-parent", "--new-session", "--clearenv", "--seccomp"):
        assert option in command
    assert after(command, "--cap-drop") == ["ALL"]
    assert {"/", "/dev", "/proc"} == set(after(command, "--remount-ro"))
    assert ("--unshare-user" in command) is not as_root
    assert ("setpriv" in command) is as_root
    assert command[-2:] == ["python3", "x.py"]


def test_root_runs_each_under_another_number() -> None:
    wrapping = Wrapping("bwrap", "x86_64", as_root=True)
    users = []
    for _ in range(3):
        launch = wrapping(wish())
        launch.close()
        launch.tidy()
        users += after(list(launch.command), "--reuid")
    assert len(set(users)) == 3
    assert all(int(user) >= 2_000_000_000 for user in users)


def test_files_and_places(tmp_path: Path) -> None:
    request = wish(
        files={"a/b/c.txt": b"x"},
        places=(Place(tmp_path, "/opt/tool/chain"), Place(tmp_path, "/usr/x/y")),
    )
    command = prepared(request, as_root=False)
    folders = after(command, "--dir")
    for folder in (f"{WORK}/a", f"{WORK}/a/b", "/opt", "/opt/tool"):
        assert folder in folders
    assert "/usr" not in folders
    assert "/usr/x" not in folders
    at = command.index("/opt/tool/chain")
    assert command[at - 2 : at] == ["--ro-bind", str(tmp_path)]
    assert f"{WORK}/a/b/c.txt" in command


def test_the_environment_is_what_is_given() -> None:
    channel = open_channel()
    request = wish(environment={"A": "b", "HOME": "/elsewhere"}, channel=channel)
    command = prepared(request, as_root=False)
    assert after(command, "--setenv", "A") == ["b"]
    assert after(command, "--setenv", "HOME") == ["/elsewhere"]
    assert after(command, "--setenv", "METIER_REQUESTS") == [str(channel.requests)]
    os.close(channel.send)
    os.close(channel.receive)


def test_limits_become_options() -> None:
    options = limiting("node", Limits(cpu_seconds=3, file_mb=2, open_files=9, processes=5))
    assert {"--cpu=3:4", "--fsize=2097152", "--nofile=9", "--nproc=6", "--core=0"} <= set(options)
    assert not [option for option in options if option.startswith("--as=")]
    assert f"--as={1 << 20}" in limiting("python", Limits(memory_mb=1))
    assert environment(Limits(memory_mb=400))["NODE_OPTIONS"] == "--max-old-space-size=300"
    assert environment(Limits(memory_mb=4))["NODE_OPTIONS"] == "--max-old-space-size=32"


def test_system_folders_as_this_machine_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "bin").symlink_to("usr/bin")
    names = tuple(str(tmp_path / name) for name in ("usr", "bin", "none"))
    monkeypatch.setattr(bubblewrap, "_SYSTEM", names)
    found = list(bubblewrap._system())
    assert found[:3] == ["--ro-bind", names[0], names[0]]
    assert found[3:6] == ["--symlink", "usr/bin", names[1]]
    assert names[2] not in found


def test_a_failure_leaves_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Limits) -> list[str]:
        raise OSError("no space")

    monkeypatch.setattr(bubblewrap, "_folders", broken)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="no space"):
        Wrapping("bwrap", "x86_64", as_root=False)(wish())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def talker(inside: Inside, said: str) -> subprocess.Popen[bytes]:
    """A process that says something where bubblewrap says its number, and waits to go on."""
    script = f"import os, time; os.write({inside.tell}, {said!r}.encode()); os.close({inside.tell})"
    script += f"; os.read({inside.hold}, 1); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", script], pass_fds=[inside.tell, inside.hold]
    )
    os.close(inside.tell)
    os.close(inside.hold)
    return process


def test_without_a_handle_the_monitor_is_killed() -> None:
    inside = Inside()
    process = talker(inside, "no number")
    inside.attach(process)
    assert inside.members(process) == []
    inside.end(process)
    assert process.wait() == -9
    inside.tidy()


def test_the_first_process_is_killed_by_its_handle() -> None:
    inside = Inside()
    first = subprocess.Popen(["sleep", "60"])
    process = talker(inside, json.dumps({"child-pid": first.pid}))
    inside.attach(process)
    assert inside.members(process) == []
    inside.end(process)
    assert first.wait() == -9
    inside.end(process)  # it is gone
    inside.tidy()
    process.kill()
    process.wait()


def test_a_first_process_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "_SETTLING", 0.1)
    inside = Inside()
    process = talker(inside, json.dumps({"child-pid": 2**22 + 1}))
    os.kill(process.pid, 19)
    time.sleep(0.05)
    inside.attach(process)
    process.kill()
    process.wait()
    inside.end(process)
    inside.tidy()


def test_a_monitor_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "_SETTLING", 0.05)
    inside = Inside()
    process = subprocess.Popen(["true"])  # it writes nothing, and the pipe stays open
    inside.attach(process)
    process.wait()
    os.close(inside.tell)
    os.close(inside.hold)
    inside.tidy()


@pytest.mark.parametrize("as_root", [True, False])
def test_programs_that_are_missing_are_named(
    as_root: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if as_root else 1000)
    for missing in ("bwrap", "prlimit", *(("setpriv",) if as_root else ())):
        with pytest.raises(UnavailableError, match=missing) as caught:
            open_bubblewrap(lambda name, missing=missing: None if name == missing else name)  # type: ignore[misc]
        assert caught.value.code == "no_sandbox"


def test_it_opens_where_the_programs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    sandbox = open_bubblewrap(lambda name: f"/usr/bin/{name}")
    assert isinstance(sandbox, Sandbox)
    assert sandbox.kind == "bubblewrap"
    assert isinstance(sandbox.prepare, Wrapping)
