"""What the confining process is told: rules, limits, rewritten paths; and its folder."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.sandbox import confine, landlock
from metier.sandbox.confining import Request
from metier.sandbox.landlock import (
    Locking,
    end,
    members,
    open_landlock,
    remove,
    rewritten,
    tasks_of,
    written,
)
from metier.sandbox.launching import open_channel
from metier.sandbox.seccomp import build
from metier.sandbox.values import WORK, Limits, Place

SEEN = {"/job": "/tmp/m/job", f"{WORK}/node_modules": "/opt/n", "/tool": "/opt/tool"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/job", "/tmp/m/job"),
        (f"{WORK}/a.py", "/tmp/m/job/a.py"),
        (f"{WORK}/node_modules/x.js", "/opt/n/x.js"),
        ("--loader=/tool/l.mjs", "--loader=/opt/tool/l.mjs"),
        ("/tool:/job:/usr", "/opt/tool:/tmp/m/job:/usr"),
        ("file:///tool/x", "file:///opt/tool/x"),
        ("/workshop", "/workshop"),
        ("/other/job", "/other/job"),
        ("x /job", "x /job"),
        ("", ""),
    ],
)
def test_paths_are_rewritten(text: str, expected: str) -> None:
    assert rewritten(text, SEEN) == expected


def wish(**changes: object) -> Request:
    return Request(
        **{  # type: ignore[arg-type]
            "command": ("/tool/run", f"{WORK}/x"),
            "files": {"a/b.txt": b"text"},
            "places": (),
            "environment": {"WHERE": "/job"},
            "limits": Limits(),
            **changes,
        }
    )


def test_the_plan(tmp_path: Path) -> None:
    channel = open_channel()
    place = Place(tmp_path, "/tool")
    locking = Locking("x86_64", 7, as_root=True)
    plan = locking._plan(wish(places=(place,), channel=channel), tmp_path / "f", 77, 9)
    assert plan["command"] == [f"{tmp_path}/run", f"{tmp_path}/f/job/x"]
    named = plan["environment"]
    assert isinstance(named, dict)
    assert named["WHERE"] == f"{tmp_path}/f/job"
    assert named["METIER_REPLIES"] == str(channel.replies)
    assert (plan["user"], plan["life"]) == (77, 9)
    assert plan["keep"] == [channel.requests, channel.replies]
    for descriptor in (channel.requests, channel.replies, channel.send, channel.receive):
        os.close(descriptor)


@pytest.mark.parametrize(
    ("version", "size", "devices"), [(3, 8, False), (4, 16, False), (5, 16, True), (6, 24, True)]
)
def test_the_plan_fits_the_kernels_version(
    version: int, size: int, devices: bool, tmp_path: Path
) -> None:
    plan = Locking("x86_64", version, as_root=False)._plan(wish(), tmp_path, None, 9)
    handled = plan["handled"]
    assert isinstance(handled, list)
    assert plan["handled_bytes"] == size
    assert bool(handled[0] & (1 << 15)) is devices
    own = build("x86_64", wall="landlock", own_signals=True).hex()
    assert (plan["filter"] == own) is (version < 6)


def test_rules_grant_reading_and_one_folder(tmp_path: Path) -> None:
    file = tmp_path / "tool.bin"
    file.touch()
    places = (Place(tmp_path, "/tool"), Place(file, "/bin/tool"))
    rules = dict(landlock._rules(tmp_path / "f", places, (1 << 16) - 1))
    reading = 0b1101
    assert rules["/usr"] == reading
    assert rules[str(tmp_path)] == reading
    assert rules[str(file)] == 0b0101  # a file has no entries to list
    assert rules[str(tmp_path / "f" / "job")] == (1 << 15) - 1
    assert rules[str(tmp_path / "f" / "home")] == 0b1000
    assert rules["/dev/null"] == 0b0110


def test_limits() -> None:
    own = landlock._limits("python", Limits(processes=5, memory_mb=1), counted=False)
    assert own["RLIMIT_NPROC"] == (5, 5)
    assert own["RLIMIT_AS"] == (1 << 20, 1 << 20)
    shared = landlock._limits("node", Limits(processes=5), counted=True)
    assert shared["RLIMIT_NPROC"][0] >= 6
    assert "RLIMIT_AS" not in shared


def test_tasks_of_a_user() -> None:
    assert tasks_of(os.getuid()) >= 1
    assert tasks_of(1_999_999_999) == 0


@pytest.mark.parametrize("user", [None, os.getuid()])
def test_the_folder_is_filled(user: int | None, tmp_path: Path) -> None:
    place = Place(tmp_path / "n", f"{WORK}/a/node_modules")
    outside = Place(tmp_path / "n", "/tool")
    whole = Place(tmp_path / "n", "/job")
    landlock._fill(tmp_path, wish(places=(place, outside, whole)), user)
    assert (tmp_path / "job/a/b.txt").read_bytes() == b"text"
    assert (tmp_path / "job/a/node_modules").readlink() == tmp_path / "n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "job", "tmp"]


def test_what_is_written_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_bytes(bytes(10_000))
    (tmp_path / "link").symlink_to("/usr")
    assert 10_000 <= written(tmp_path) < 100_000


def test_what_goes_while_it_is_counted_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").touch()

    def gone(*_: object, **__: object) -> os.stat_result:
        raise FileNotFoundError

    monkeypatch.setattr(landlock.os, "stat", gone)
    monkeypatch.setattr(landlock.os, "fwalk", lambda *_, **__: [(str(tmp_path), [], ["gone"], 0)])
    assert written(tmp_path) == 0


def test_a_hidden_folder_counts_as_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(_: Path, onerror: object) -> list[object]:
        onerror(PermissionError())  # type: ignore[operator]
        return []

    monkeypatch.setattr(landlock.os, "fwalk", hidden)
    assert written(tmp_path) == sys.maxsize


def test_a_folder_is_removed_whatever_its_modes(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    folder = tmp_path / "folder"
    (folder / "a/b").mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    (folder / "a").chmod(0)
    remove(folder)
    assert not folder.exists()
    assert outside.stat().st_mode & 0o777 == 0o500


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(landlock, "_fill", broken)
    monkeypatch.setattr(landlock.tempfile, "mkdtemp", lambda prefix: str(tmp_path / prefix))
    (tmp_path / "metier-sandbox-").mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="no space"):
        Locking("x86_64", 7, as_root=False)(wish())
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert list(tmp_path.iterdir()) == []


SUPERVISOR = """
import os, time
child = os.fork()
if child == 0:
    {group}
    print('ready', flush=True)
    time.sleep(60)
os.waitpid(child, 0)
"""


@pytest.mark.parametrize("group", ["os.setsid()", "pass"])
def test_the_group_is_ended(group: str) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-S", "-c", SUPERVISOR.format(group=group)], stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    with supervisor.stdout:
        supervisor.stdout.readline()
        assert len(members(supervisor)) == 1
        end(supervisor)
        assert supervisor.wait(20) == 0


def test_a_supervisor_without_a_child_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    for pretended in ([], [2**22 + 1]):
        answers = [pretended, []]
        monkeypatch.setattr(landlock, "children", lambda _, answers=answers: answers.pop(0))
        supervisor = subprocess.Popen(["sleep", "60"])
        end(supervisor)
        assert supervisor.wait(20) == -9


def test_a_supervisor_whose_child_was_killed_ends_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before ``setsid`` the child has no group, and may be reaped before we look again."""
    child = subprocess.Popen(["sleep", "60"])
    answers = [[child.pid], [child.pid], []]
    monkeypatch.setattr(landlock, "children", lambda _: answers.pop(0))
    supervisor = subprocess.Popen(["sleep", "0.5"])
    end(supervisor)
    assert child.wait(20) == -9
    assert supervisor.wait(20) == 0


def test_a_child_that_is_gone_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    answers = [[bystander.pid], [], []]
    monkeypatch.setattr(landlock, "children", lambda _: answers.pop(0))
    supervisor = subprocess.Popen(["sleep", "60"])
    end(supervisor)
    assert supervisor.wait(20) == -9
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_kernel_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match="version 2"):
        open_landlock(lambda: 2)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(UnavailableError, match="Linux"):
        open_landlock(lambda: 7)


def test_it_opens_where_the_kernel_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert open_landlock(lambda: 7).kind == "landlock"
    assert confine.landlock_version() >= 0
