"""A full disk gives a clean error and the space back, at whichever write it happens."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from store_audit import audit
from store_worker import install, parts_of

from metier.store import Store

PROGRAM = Path(__file__).with_name("store_on_a_full_disk.py")


def test_a_real_full_disk(tmp_path: Path) -> None:
    """ENOSPC of a small tmpfs, with every number of free pages until the work fits."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare(1) to mount a small disk")
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        done = subprocess.run(
            ["unshare", *options, sys.executable, str(PROGRAM), str(tmp_path)],
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            break
        if done.returncode != 77 and "unshare" not in done.stderr[:20]:
            pytest.fail(done.stderr)
    else:
        pytest.skip("this user may not mount a small disk")
    found = json.loads(done.stdout)
    assert found["large"]["error"]["code"] == "disk_full"
    assert "metier gc" in found["large"]["error"]["remedy"]
    assert found["large"]["lost"] == 0
    for act in ("install", "export", "remove"):
        assert set(found[act]) == {"disk_full"}, act
    assert len(found["install"]) > 20
    assert found["names"] == ["kept:latest"]
    assert found["verify"] == 0


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path, workers: Any) -> None:
    """EFBIG of RLIMIT_FSIZE, in the middle of a file that was half written."""
    home = tmp_path / "home"
    store = Store.open(home)
    install(store, "kept", parts_of(1, (10, 2000)))
    before = sorted(path for path in (home / "store").rglob("*") if path.is_file())
    for limit in (100, 5_000, 70_000):
        ended, said = workers.run("install", home=str(home), name="new", seed=2, file_limit=limit)
        assert ended == 1
        assert said["error"]["code"] == "disk_full"
        after = sorted(path for path in (home / "store").rglob("*") if path.is_file())
        assert after == before
        assert store.verify().problems == ()
    assert workers.run("install", home=str(home), name="new", seed=2) == (0, None)
    assert audit(home / "store").keys() == {"kept:latest", "new:latest"}
