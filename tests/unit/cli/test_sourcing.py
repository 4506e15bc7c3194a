"""Files of a person's: read with their places and line ends, written back whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metier.cli.sourcing import read_sources, write_sources
from metier.coding import SourceFile
from metier.errors import InputError, MetierError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src" / "routes").mkdir(parents=True)
    (tmp_path / "src" / "routes" / "+page.svelte").write_text("<p>a</p>\n")
    (tmp_path / "src" / "b.js").write_text("let b;\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_paths_start_where_the_person_stands(project: Path) -> None:
    found = read_sources([Path("src/routes/+page.svelte"), Path("src/b.js"), Path("src/b.js")])
    assert [source.file.path for source in found] == ["src/routes/+page.svelte", "src/b.js"]


def test_elsewhere_they_start_at_the_shared_folder(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    found = read_sources([project / "src/routes/+page.svelte", project / "src/b.js"])
    assert [source.file.path for source in found] == ["routes/+page.svelte", "b.js"]


def test_line_ends_marks_and_modes_stay(project: Path) -> None:
    path = project / "windows.js"
    path.write_bytes(b"\xef\xbb\xbflet a;\r\nlet b;\r\n")
    path.chmod(0o750)
    (source,) = read_sources([path])
    assert source.file.text == "let a;\nlet b;\n"
    write_sources([(source, SourceFile(source.file.path, "let c;\nlet b;\n"))])
    assert path.read_bytes() == b"\xef\xbb\xbflet c;\r\nlet b;\r\n"
    assert path.stat().st_mode & 0o777 == 0o750
    assert [left.name for left in project.iterdir() if left.name.startswith(".windows")] == []


def test_a_link_is_written_through(project: Path) -> None:
    link = project / "link.js"
    link.symlink_to(project / "src" / "b.js")
    (source,) = read_sources([link])
    write_sources([(source, SourceFile(source.file.path, "let changed;\n"))])
    assert link.is_symlink()
    assert (project / "src" / "b.js").read_text() == "let changed;\n"


def test_a_file_that_changed_meanwhile_is_left_alone(project: Path) -> None:
    (source,) = read_sources([Path("src/b.js")])
    Path("src/b.js").write_text("the person's own\n")
    with pytest.raises(InputError) as caught:
        write_sources([(source, SourceFile("src/b.js", "ours\n"))])
    assert caught.value.code == "changed_meanwhile"
    assert Path("src/b.js").read_text() == "the person's own\n"


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "no_file"), (b"\xff\xfe", "bad_encoding"), (b"x" * 1_100_000, "too_large")],
)
def test_what_cannot_be_read_is_named(project: Path, content: bytes | None, code: str) -> None:
    path = project / "odd.js"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MetierError, match=r"odd\.js") as caught:
        read_sources([path])
    assert caught.value.code == code


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_refuses_is_said(project: Path) -> None:
    (source,) = read_sources([Path("src/b.js")])
    Path("src").chmod(0o500)
    with pytest.raises(MetierError, match="cannot be written"):
        write_sources([(source, SourceFile("src/b.js", "x\n"))])
    Path("src").chmod(0o700)
