"""Labelled pictures from folders, archives, rows and tables; what is wrong is named by its file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from metier.datasets import pictures
from metier.datasets.converters import UpstreamBytes, canonical_lines
from metier.datasets.pictures import looks_like_pictures, picture_files
from metier.errors import InputError
from metier.picturing import MOST_BYTES
from tiny_vision import labelled


def packed(folder: Path, path: Path) -> Path:
    """The folder as an archive, one folder around everything."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, f"set/{file.relative_to(folder)}")
    return path


def test_a_folder_and_its_archive_are_the_same(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set", train=2, test=1)
    first = picture_files(folder, name="set")
    second = picture_files(packed(folder, tmp_path / "set.zip"), name="set.zip")
    assert (first.format, second.format, first.complete) == ("folder", "zip", True)
    for one, other in zip(first.files, second.files, strict=True):
        assert (one.label, one.split, one.read()) == (other.label, other.split, other.read())
    assert [file.split for file in first.files].count("test") == 3
    assert looks_like_pictures(folder)
    assert looks_like_pictures(tmp_path / "set.zip")


def test_canonical_rows_hold_the_bytes(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set", train=1, test=1)
    upstream = [
        UpstreamBytes(path.relative_to(folder).as_posix(), path.read_bytes())
        for path in folder.rglob("*.png")
    ]
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"".join(canonical_lines("labelled-pictures-v1", upstream)))
    found = picture_files(rows, name="rows")
    direct = picture_files(folder, name="set")
    assert found.format == "rows"
    assert [(one.label, one.split, one.read()) for one in found.files] == [
        (one.label, one.split, one.read()) for one in direct.files
    ]
    assert looks_like_pictures(rows)
    rows.write_bytes(rows.read_bytes() + b'{"picture": 1}\n')
    with pytest.raises(InputError, match="line 7"):
        picture_files(rows, name="rows")


def test_tables_of_paths(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set", train=2, test=1)
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.png"))]
    lines = [f"{path},{path.split('/')[1]},{path.split('/')[0]}" for path in paths]
    table = folder / "rows.csv"
    table.write_text("\n".join(["path,label,split", *lines]), "utf-8")
    found = picture_files(table, name="rows.csv")
    assert (found.format, found.complete, len(found.files)) == ("table", False, 9)
    assert found.files[0].read() == (folder / paths[0]).read_bytes()
    rows = folder / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({"image": p, "label": "x"}) for p in paths), "utf-8")
    assert len(picture_files(rows, name="rows").files) == 9
    assert not looks_like_pictures(table)


def test_a_table_names_what_is_missing_and_stays_in_its_folder(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("path,label\nnot/there.png,a\n../out.png,b\n", "utf-8")
    missing, outside = picture_files(table, name="rows.csv", confined=True).files
    with pytest.raises(InputError, match=r"not/there\.png"):
        missing.read()
    with pytest.raises(InputError) as raised:
        outside.read()
    assert raised.value.code == "path_outside"
    table.write_text("text,label\nhello,a\n", "utf-8")
    with pytest.raises(InputError) as raised:
        picture_files(table, name="rows.csv")
    assert raised.value.code == "no_column"


def test_other_formats_are_named(tmp_path: Path) -> None:
    (tmp_path / "hat").mkdir()
    (tmp_path / "hat" / "1.gif").write_bytes(b"GIF89a")
    (tmp_path / "hat" / "2.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"hat/1\.gif") as raised:
        picture_files(tmp_path, name="it")
    assert raised.value.code == "not_a_picture"


def test_archives_are_looked_at_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hat/1.png", bytes(MOST_BYTES * 2))
    data = picture_files(bomb, name="bomb").files[0].read()
    assert isinstance(data, bytes)
    assert len(data) == MOST_BYTES + 1
    monkeypatch.setattr(pictures, "MOST_UNPACKED", MOST_BYTES)
    with pytest.raises(InputError) as raised:
        picture_files(bomb, name="bomb")
    assert raised.value.code == "too_large"


def test_a_damaged_archive_is_said(tmp_path: Path) -> None:
    path = packed(labelled(tmp_path / "set", train=1, test=1), tmp_path / "set.zip")
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        picture_files(path, name="set").files[0].read()
    assert raised.value.code == "bad_archive"


def test_more_pictures_than_the_most_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_PICTURES", 4)
    with pytest.raises(InputError) as raised:
        picture_files(labelled(tmp_path, train=1, test=1), name="it")
    assert raised.value.code == "too_large"
