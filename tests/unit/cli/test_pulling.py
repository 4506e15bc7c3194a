"""Pulling from the command line: what is shown while it comes, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from metier.cli.pulling import Arriving, arriving
from metier.cli.terminal import ASCII, UNICODE
from metier.messages import Progress
from stand_in.hub import Fault, Hub, serving_hub
from tiny_gguf import tiny_model

NAME = "hf.co/maker/model"


def step(done: int, total: int = 4_000_000, stage: str = "pull", name: str = "m.gguf") -> Progress:
    data = {"file": name, "digest": "sha256:0", "total": total, "completed": done}
    return Progress(stage, "pulling", seconds_left=12.0, data={**data, "bytes_per_second": 250_000})


def told(files: Arriving) -> list[str]:
    return [line.plain for line in files.lines(ASCII)]


def test_each_file_has_its_bar_speed_and_time_left() -> None:
    files = Arriving()
    files.observe(step(3000, 3000, "check", "README.md"))
    files.observe(step(1_000_000))
    first, second = told(files)
    assert first.startswith("README.md")
    assert first.endswith("100 %  3.00 kB  whole")
    assert second.split()[1] == "#####" + "." * 15
    assert second.endswith("25 %  4.00 MB  250 kB/s, about 12 s left")


def test_what_is_done_besides_is_said() -> None:
    files = Arriving()
    files.observe(Progress("manifest", "pulling manifest"))
    assert told(files) == ["Asking what is there"]
    files.observe(Progress("convert", "42 of 99 tensors"))
    files.notice = "Stopping."
    assert told(files) == ["Converting: 42 of 99 tensors", "Stopping."]


def test_a_long_path_is_cut_and_shows_its_end() -> None:
    files = Arriving()
    files.observe(step(0, 0, name="deep/" * 20 + "\x1b[31mm.gguf"))
    (line,) = files.lines(UNICODE)
    assert line.plain.split()[0].startswith("…")
    assert "\x1b" not in line.plain


def test_without_a_terminal_lines_are_appended(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with arriving(quiet=False) as shown:
        shown.report(Progress("manifest", "pulling manifest"))
        for done in range(0, 4_000_001, 500_000):
            shown.report(step(done))
        shown.report(step(4_000_000, stage="check"))
        shown.say("Stopping.")
    assert stream.getvalue().splitlines() == [
        "Asking what is there.",
        "m.gguf: 0 % of 4.00 MB, 250 kB/s, about 12 s left",
        "m.gguf: 100 % of 4.00 MB, whole",
        "Stopping.",
    ]


def test_a_terminal_shows_it_live(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Tty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    assert Console(file=stream).is_terminal
    with arriving(quiet=False) as shown:
        shown.report(step(2_000_000))
        shown.say("Stopping.")
        time.sleep(0.3)
    assert "50 %" in stream.getvalue()
    assert "Stopping." in stream.getvalue()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with serving_hub() as found:
        data = tiny_model(tmp_path / "made").read_bytes()
        found.add("maker/model", {"m-F32.gguf": data})
        yield found


def environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    home = {"METIER_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    return {**kept, **home, "HF_ENDPOINT": hub.url}


def run(hub: Hub, tmp_path: Path, *words: str) -> tuple[int, Any, str]:
    command = [sys.executable, "-m", "metier", "pull", *words]
    done = subprocess.run(
        command, env=environment(hub, tmp_path), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_model_is_pulled_and_named(hub: Hub, tmp_path: Path) -> None:
    code, out, err = run(hub, tmp_path, NAME)
    assert code == 0, err
    assert out.splitlines()[0].startswith(f"{NAME} is here (base, ")
    assert out.splitlines()[1] == f"Talk to it:  metier run {NAME}"
    assert "m-F32.gguf: 100 %" in err
    code, out, err = run(hub, tmp_path, NAME, "--json", "--name", "mine")
    assert (code, err) == (0, "")
    assert json.loads(out)["name"] == "mine"


@pytest.mark.parametrize(
    ("words", "faults", "code", "expected"),
    [
        (("llama3.2",), [], 2, "hf.co/owner/name:Q4_K_M"),
        ((f"{NAME}:Q2_K",), [], 2, "it has F32"),
        ((NAME,), [Fault("status", 99, "/api", 500)], 3, "HTTP 500"),
        (("hf.co/maker/other",), [], 2, "no repository maker/other"),
    ],
)
def test_what_fails_has_its_exit_code(
    hub: Hub, tmp_path: Path, words: tuple[str, ...], faults: list[Fault], code: int, expected: str
) -> None:
    hub.faults = faults
    found, _, err = run(hub, tmp_path, *words)
    assert found == code, err
    assert expected in " ".join(err.split())


def test_ctrl_c_keeps_what_came_and_says_so(hub: Hub, tmp_path: Path) -> None:
    (data,) = hub.repositories["maker/model"].values()
    hub.rate = 150_000.0
    process = subprocess.Popen(
        [sys.executable, "-m", "metier", "pull", NAME],
        env=environment(hub, tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    while hub.sent_of(data) < 30_000:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "goes on from there" in err
    assert "Traceback" not in err
    hub.rate = 0
    assert run(hub, tmp_path, NAME)[0] == 0
