"""The engine's processes are killed again and again under load, and the server answers throughout.

This is ``benchmarks/worker_kills.py`` for fifteen seconds; there it runs for two minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_server_answers_while_its_workers_are_killed(tmp_path: Path) -> None:
    out = tmp_path / "kills.json"
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "benchmarks" / "worker_kills.py"),
            *("--seconds", "15", "--every", "3", "--out", str(out)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode in (0, 1), done.stderr
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert results["kills"] >= 3
    assert results["answered"] > 0
    assert results["wrong"] == {}
    assert results["failed_after_kill_s"].get("max", 0) <= 1.0
    assert results["defects_in_log"] == 0
