"""The call box: code that really runs against a real server."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from metier.server.facade import Here
from metier.site.calls import (
    Call,
    calls,
    chat_calls,
    embed_calls,
    model_calls,
    rerank_calls,
    search_calls,
)
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving

KEY = "a-key-of-more-than-sixteen"


def code(key: str, address: str, *, needs_key: bool = False, name: str = "banking-intents") -> str:
    return next(call.code for call in calls(name, Here(address, needs_key)) if call.key == key)


@pytest.mark.parametrize("needs_key", [False, True])
def test_python_and_curl_run_as_they_are_shown(tmp_path: Path, needs_key: bool) -> None:
    environment = {"METIER_KEY": KEY, "PATH": "/usr/bin:/bin"}
    options = {"api_key": KEY} if needs_key else {}
    with serving(StandIn(tmp_path, [banking()]), **options) as address:
        program = code("python", address, needs_key=needs_key)
        printed = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )
        assert printed.returncode == 0, printed.stderr
        assert printed.stdout.split()[0] in banking().labels
        if shutil.which("curl"):
            line = code("curl", address, needs_key=needs_key)
            answered = subprocess.run(
                ["/bin/sh", "-c", line], env=environment, capture_output=True, text=True
            )
            assert '"label":' in answered.stdout


class Models(StandIn):
    """A stand-in whose models answer from a script."""


def run(call: Call, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"METIER_KEY": KEY, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    if call.key == "curl":
        command = ["/bin/sh", "-c", call.code]
    elif call.key == "javascript":
        script = folder / "call.mjs"
        script.write_text(call.code)
        command = [str(shutil.which("node")), str(script)]
    else:
        command = [sys.executable, "-c", call.code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def runnable(call: Call) -> bool:
    """Whether what the snippet needs is installed here."""
    if call.key in ("openai", "ollama"):
        return importlib.util.find_spec(call.key) is not None
    tool = {"curl": "curl", "javascript": "node", "python": sys.executable}.get(call.key)
    return tool is not None and shutil.which(tool) is not None


@pytest.mark.parametrize("needs_key", [False, True])
@pytest.mark.parametrize(
    ("ways", "name", "said"),
    [
        (calls, "banking-intents", r"\w"),
        (model_calls, "tiny", "Hello there."),
        (embed_calls, "team/words:2", r"\d"),
        (rerank_calls, "team/words:2", r"\d"),
    ],
)
def test_every_program_runs_as_it_is_shown(
    tmp_path: Path,
    ways: Callable[[str, Here], list[Call]],
    name: str,
    said: str,
    needs_key: bool,
) -> None:
    options = {"api_key": KEY} if needs_key else {}
    ran = set()
    with serving(Models(tmp_path, [banking()]), **options) as address:
        for call in ways(name, Here(address, needs_key)):
            if not runnable(call):
                continue
            done = run(call, tmp_path)
            assert done.returncode == 0, (call.key, done.stderr)
            assert re.search(said, done.stdout), (call.key, done.stdout)
            ran.add(call.key)
    assert {"python"} <= ran


def test_each_kind_has_its_tabs() -> None:
    here = Here("http://h")
    assert [call.key for call in chat_calls("x", here)] == [
        "curl", "python", "javascript", "openai", "ollama", "mcp", "command",
    ]  # fmt: skip
    assert [call.key for call in search_calls("x", here)][-2:] == ["mcp", "command"]
    for call in chat_calls('y"; import os', here):
        if call.key in ("python", "openai", "ollama"):
            ast.parse(call.code)


def test_names_are_quoted_everywhere() -> None:
    for call in calls("team/spam:2", Here("http://h:1")):
        assert call.key == "mcp" or "team/spam:2" in call.code
    hostile = "x'; rm -rf ~; '"
    assert shlex.split(code("command", "http://h", name=hostile))[2] == hostile
    ast.parse(code("python", "http://h", name='x"; import os'))


def test_the_key_is_asked_for_only_where_it_is_needed() -> None:
    assert all("METIER_KEY" not in call.code for call in calls("x", Here("http://h")))
    assert "METIER_KEY" in code("javascript", "http://h", needs_key=True)
