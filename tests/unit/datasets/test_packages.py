from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from metier.datasets import packages
from metier.datasets.packages import package_files
from metier.errors import CorruptError, MetierError


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("package/link.md")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    return stream.getvalue()


PACKED = archive({"package/docs/a.md": b"# A", "package/../b.md": b"B", "package/c.js": b""})


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command ``npm`` that does what its own folder says."""
    place = tmp_path / "bin"
    place.mkdir()
    command = place / "npm"
    command.write_text(f'#!/bin/sh\ncp "{place}/packed.tgz" . 2>/dev/null && exit 0\n'
                       f'cat "{place}/said" >&2\nexit 1\n')  # fmt: skip
    command.chmod(0o755)
    monkeypatch.setattr(packages.shutil, "which", lambda _name: str(command))
    return place


def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_regular_files_are_read_and_nothing_else(npm: Path, tmp_path: Path) -> None:
    (npm / "packed.tgz").write_bytes(PACKED)
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(PACKED).digest()).decode()
    files = package_files("a", "1.0.0", integrity, folder=work(tmp_path))
    assert files == {"docs/a.md": b"# A", "c.js": b""}


def test_another_integrity_is_refused(npm: Path, tmp_path: Path) -> None:
    (npm / "packed.tgz").write_bytes(PACKED)
    with pytest.raises(CorruptError) as caught:
        package_files("a", "1.0.0", "sha512-" + "A" * 86 + "==", folder=work(tmp_path))
    assert caught.value.code == "npm_integrity"


def test_a_damaged_archive_is_refused(npm: Path, tmp_path: Path) -> None:
    (npm / "packed.tgz").write_bytes(PACKED[:60])
    with pytest.raises(CorruptError, match="cannot be read"):
        package_files("a", "1.0.0", None, folder=work(tmp_path))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("npm error code E404", "no_package"),
        ("npm error code ETARGET", "no_package"),
        ("npm error code ENOTFOUND", "offline"),
        ("npm error something else", "npm_failed"),
    ],
)
def test_what_npm_says_becomes_a_code(npm: Path, tmp_path: Path, said: str, code: str) -> None:
    (npm / "said").write_text(said)
    with pytest.raises(MetierError) as caught:
        package_files("a", "1.0.0", None, folder=work(tmp_path))
    assert caught.value.code == code


def test_without_npm_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.shutil, "which", lambda _name: None)
    with pytest.raises(MetierError) as caught:
        package_files("a", "1.0.0", None, folder=tmp_path)
    assert caught.value.code == "no_npm"
