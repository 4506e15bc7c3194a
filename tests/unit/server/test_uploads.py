"""Uploads: fields, harmless names, and nothing left behind."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from metier.errors import InputError
from metier.server.uploads import Upload, harmless_name, receive

BOUNDARY = "xXx"


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    body = b""
    for name, filename, data in parts:
        named = f'; filename="{filename}"' if filename is not None else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def request(body: bytes, media_type: str = f"multipart/form-data; boundary={BOUNDARY}") -> Request:
    async def messages() -> AsyncIterator[dict[str, object]]:
        yield {"type": "http.request", "body": body, "more_body": False}

    stream = messages()

    async def read() -> dict[str, object]:
        return await anext(stream)

    headers = [(b"content-type", media_type.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, read)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_files_and_fields_arrive(temporary: Path) -> None:
    body = form(
        ("name", None, b" triage "), ("data", "my rows.CSV", b"a,b\n"), ("eval", "e.tsv", b"c\n")
    )
    upload = asyncio.run(receive(request(body), files=("data", "eval")))
    assert upload.file("data").read_bytes() == b"a,b\n"
    assert upload.file("data").name == "my-rows.csv"
    assert upload.file("eval").parent == upload.folder
    assert upload.needed("name") == "triage"
    assert upload.folder.parent == temporary


def test_two_files_of_one_name_stay_apart() -> None:
    body = form(("data", "rows.csv", b"1"), ("eval", "rows.csv", b"2"))
    upload = asyncio.run(receive(request(body), files=("data", "eval")))
    assert upload.file("data").read_bytes() == b"1"
    assert upload.file("eval").read_bytes() == b"2"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\x\\rows.tsv", "rows.tsv"),
        ("-rf.csv", "rf.csv"),
        ("..csv", None),
        (".csv", None),
        ("a.exe", None),
        ("rows", None),
        ("x/.jsonl", None),
        ("ünï cödé.jsonl", "n-c-d.jsonl"),
        ("a" * 300 + ".csv", "a" * 60 + ".csv"),
    ],
)
def test_a_name_is_harmless_or_refused(given_name: str, kept: str | None) -> None:
    if kept is None and given_name != "..csv":
        with pytest.raises(InputError):
            harmless_name(given_name, "data")
    else:
        assert harmless_name(given_name, "data") == (kept or "data.csv")


@given(st.text(alphabet="a./\\\0-~$ \n;", max_size=20))
def test_no_name_leaves_its_folder(name: str) -> None:
    kept = harmless_name(f"{name}x.csv", "data")
    assert Path(kept).name == kept
    assert kept.endswith(".csv")
    assert not kept.startswith((".", "-"))


@pytest.mark.parametrize("media_type", ["application/json", "", "text/plain"])
def test_what_is_no_form_is_refused(media_type: str) -> None:
    with pytest.raises(InputError) as caught:
        asyncio.run(receive(request(b"{}", media_type), files=("data",)))
    assert caught.value.code == "no_file"


def test_nothing_is_left_behind_when_reading_fails(temporary: Path) -> None:
    body = form(("data", "rows.csv", b"a"), ("eval", "x.exe", b"b"))
    with pytest.raises(InputError):
        asyncio.run(receive(request(body), files=("data", "eval")))
    assert list(temporary.iterdir()) == []


def test_a_file_under_another_field_is_not_kept() -> None:
    body = form(("data", "rows.csv", b"a"), ("other", "x.csv", b"b"))
    with pytest.raises(Exception, match="files"):
        asyncio.run(receive(request(body), files=("data",)))
    upload = asyncio.run(receive(request(body), files=("data", "eval")))
    assert set(upload.files) == {"data"}


def upload_with(**fields: str) -> Upload:
    return Upload(Path(), fields, {})


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("2m", 120), ("1.5 h", 5400), ("", None)]
)
def test_durations(text: str, seconds: float | None) -> None:
    assert upload_with(budget=text).seconds("budget") == seconds


@pytest.mark.parametrize("text", ["0", "-1", "2d", "m", "1e9", "nan", "99999999"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="budget"):
        upload_with(budget=text).seconds("budget")


def test_numbers_and_flags() -> None:
    assert upload_with(seed="7").number("seed", otherwise=0) == 7
    assert upload_with().number("seed", otherwise=3) == 3
    with pytest.raises(InputError):
        upload_with(seed="-1").number("seed", otherwise=0)
    assert upload_with(drop_leaks="on").flag("drop_leaks")
    assert not upload_with(drop_leaks="off").flag("drop_leaks")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InputError) as caught:
        upload_with(name="  ").needed("name")
    assert caught.value.details == {"param": "name"}
    with pytest.raises(InputError, match="data"):
        upload_with().file("data")
