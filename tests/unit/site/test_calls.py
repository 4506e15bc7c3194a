"""The call box: code that really runs against a real server."""

from __future__ import annotations

import ast
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metier.server.facade import Here
from metier.site.calls import calls
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


def test_names_are_quoted_everywhere() -> None:
    for call in calls("team/spam:2", Here("http://h:1")):
        assert call.key == "mcp" or "team/spam:2" in call.code
    hostile = "x'; rm -rf ~; '"
    assert shlex.split(code("command", "http://h", name=hostile))[2] == hostile
    ast.parse(code("python", "http://h", name='x"; import os'))


def test_the_key_is_asked_for_only_where_it_is_needed() -> None:
    assert all("METIER_KEY" not in call.code for call in calls("x", Here("http://h")))
    assert "METIER_KEY" in code("javascript", "http://h", needs_key=True)
