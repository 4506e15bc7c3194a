"""Real npm from small lock files: whole or not at all, alone, and clear about what is missing."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
import threading
from pathlib import Path

import pytest

from metier.errors import CorruptError, InputError, StorageError, UnavailableError
from metier.messages import Progress, silent
from metier.toolchains import Node, find_node
from metier.toolchains.installing import install
from metier.toolchains.locked import Lock
from toolchain import needs

pytestmark = needs()


@pytest.fixture(scope="module")
def node() -> Node:
    return find_node()


@pytest.fixture(autouse=True)
def npm_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and a registry where nobody listens."""
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "none"))


def archive(folder: Path, script: str = "exit 1") -> tuple[Path, str]:
    """A package whose install script fails, and its digest."""
    buffer = io.BytesIO()
    facts = {"name": "tiny", "version": "1.0.0", "scripts": {"install": script}}
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        data = json.dumps(facts).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(data)
        packed.addfile(entry, io.BytesIO(data))
    path = folder / "tiny.tgz"
    path.write_bytes(buffer.getvalue())
    digest = base64.b64encode(hashlib.sha512(buffer.getvalue()).digest()).decode()
    return path, f"sha512-{digest}"


def tiny_lock(folder: Path, source: str, integrity: str) -> Lock:
    folder.mkdir(exist_ok=True)
    facts = {"name": "t", "private": True, "dependencies": {"tiny": source}}
    (folder / "package.json").write_text(json.dumps(facts))
    entry = {"version": "1.0.0", "integrity": integrity, "hasInstallScript": True}
    if source.startswith("file:"):
        entry["resolved"] = source
    lock = {
        "name": "t",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {
            "": {"name": "t", "dependencies": {"tiny": source}},
            "node_modules/tiny": entry,
        },
    }
    (folder / "package-lock.json").write_text(json.dumps(lock))
    return Lock("tiny", folder)


def local_lock(tmp_path: Path) -> Lock:
    path, integrity = archive(tmp_path)
    return tiny_lock(tmp_path / "lock", f"file:{path}", integrity)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_it_appears_whole_and_no_script_is_run(tmp_path: Path, node: Node) -> None:
    place = tmp_path / "toolchains" / "tiny" / "abc"
    told: list[Progress] = []
    install(local_lock(tmp_path), place, node=node, report=told.append, cancelled=lambda: False)
    assert (place / "node_modules" / "tiny" / "package.json").is_file()
    assert left_in(place.parent) == ["abc"]
    assert told[0].fraction == 0.0
    assert told[-1].fraction == 1.0
    assert (place.stat().st_mode & 0o777) == 0o755


def test_two_at_once_do_the_work_once(tmp_path: Path, node: Node) -> None:
    wanted = local_lock(tmp_path)
    place = tmp_path / "toolchains" / "tiny" / "abc"
    stages: list[str] = []

    def work() -> None:
        install(
            wanted,
            place,
            node=node,
            report=lambda progress: stages.append(progress.stage),
            cancelled=lambda: False,
        )

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stages.count("done") == 1
    assert left_in(place.parent) == ["abc"]


def test_a_changed_archive_is_refused(tmp_path: Path, node: Node) -> None:
    wanted = local_lock(tmp_path)
    archive(tmp_path, script="exit 2")
    place = tmp_path / "toolchains" / "tiny" / "abc"
    with pytest.raises(CorruptError) as caught:
        install(wanted, place, node=node, report=silent, cancelled=lambda: False)
    assert caught.value.code == "npm_integrity"
    assert left_in(place.parent) == []


def test_offline_names_what_is_missing(tmp_path: Path, node: Node) -> None:
    _, integrity = archive(tmp_path)
    wanted = tiny_lock(tmp_path / "lock", "1.0.0", integrity)
    place = tmp_path / "toolchains" / "tiny" / "abc"
    with pytest.raises(UnavailableError) as caught:
        install(wanted, place, node=node, report=silent, cancelled=lambda: False)
    assert caught.value.code == "offline"
    assert caught.value.details == {"missing": ["tiny@1.0.0"]}
    assert "tiny 1.0.0" in caught.value.message
    assert left_in(place.parent) == []


def test_what_a_killed_run_left_is_swept(tmp_path: Path, node: Node) -> None:
    place = tmp_path / "toolchains" / "tiny" / "abc"
    (place.parent / ".building-old" / "node_modules").mkdir(parents=True)
    install(local_lock(tmp_path), place, node=node, report=silent, cancelled=lambda: False)
    assert left_in(place.parent) == ["abc"]


def test_cancelled_leaves_nothing(tmp_path: Path, node: Node) -> None:
    place = tmp_path / "toolchains" / "tiny" / "abc"
    with pytest.raises(InputError) as caught:
        install(local_lock(tmp_path), place, node=node, report=silent, cancelled=lambda: True)
    assert caught.value.code == "cancelled"
    assert left_in(place.parent) == []


def test_a_full_disk_is_said_before_anything_is_fetched(
    tmp_path: Path, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    place = tmp_path / "toolchains" / "tiny" / "abc"
    with pytest.raises(StorageError) as caught:
        install(local_lock(tmp_path), place, node=node, report=silent, cancelled=lambda: False)
    assert caught.value.code == "disk_full"
    assert "METIER_TOOLCHAINS" in (caught.value.remedy or "")


def test_a_folder_that_is_a_file_is_said(tmp_path: Path, node: Node) -> None:
    (tmp_path / "toolchains").write_text("")
    with pytest.raises(StorageError) as caught:
        install(
            local_lock(tmp_path),
            tmp_path / "toolchains" / "tiny" / "abc",
            node=node,
            report=silent,
            cancelled=lambda: False,
        )
    assert caught.value.code == "not_writable"


def test_a_lock_that_npm_cannot_read_is_npms_failure(tmp_path: Path, node: Node) -> None:
    wanted = local_lock(tmp_path)
    (wanted.folder / "package.json").write_text("{")
    with pytest.raises(UnavailableError) as caught:
        install(wanted, tmp_path / "t" / "abc", node=node, report=silent, cancelled=lambda: False)
    assert caught.value.code == "npm_failed"


def test_only_the_files_that_are_used_stay(tmp_path: Path, node: Node) -> None:
    wanted = local_lock(tmp_path)
    asked = wanted.folder / "package.json"
    kept = "node_modules/tiny/package.json"
    asked.write_text(json.dumps({**json.loads(asked.read_text()), "kept": [kept]}))
    place = tmp_path / "kept" / "a"
    install(wanted, place, node=node, report=silent, cancelled=lambda: False)
    files = [str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()]
    assert sorted(files) == [kept, "package-lock.json", "package.json"]


def test_a_file_that_is_used_and_missing_is_said(tmp_path: Path, node: Node) -> None:
    wanted = local_lock(tmp_path)
    asked = wanted.folder / "package.json"
    facts = {**json.loads(asked.read_text()), "kept": ["node_modules/tiny/gone.wasm"]}
    asked.write_text(json.dumps(facts))
    place = tmp_path / "kept" / "a"
    with pytest.raises(UnavailableError, match=r"gone\.wasm"):
        install(wanted, place, node=node, report=silent, cancelled=lambda: False)
    assert not place.exists()
