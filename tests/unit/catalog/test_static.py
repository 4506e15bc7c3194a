"""A static catalogue: equal bytes from equal entries, and nothing believed that is hostile."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.catalog import static
from metier.errors import InputError
from metier.finding import Entry
from metier.reference import Digest


def entry(name: str, **more: Any) -> Entry:
    return Entry(name=name, kind="model", task="chat", **more)


def rendered(*entries: Entry, **more: Any) -> dict[str, bytes]:
    return static.render(entries, name="acme", title="Acme", made="2026-11-23", **more)


def read(files: dict[str, bytes]) -> tuple[static.Catalogue, tuple[Entry, ...]]:
    return static.read_all(lambda path, most: files[path][:most], "acme")


def resealed(files: dict[str, bytes], change: Callable[[Any], None]) -> dict[str, bytes]:
    """The catalogue with its only shard changed and all digests right."""
    index = json.loads(files["catalogue.json"])
    (shard,) = index["shards"]
    document = json.loads(files[shard["file"]])
    change(document)
    data = json.dumps(document).encode()
    hexed = Digest.of(data).hex
    index["shards"] = [
        {"file": f"entries/{hexed}.json", "sha256": hexed, "size": len(data), "entries": 1}
    ]
    return {"catalogue.json": json.dumps(index).encode(), f"entries/{hexed}.json": data}


def test_equal_entries_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    one, two = entry("a/one", description="Ein Modell für Svelte."), entry("b/two", licence="MIT")
    files = rendered(one, two)
    assert files == rendered(two, one)
    static.write(tmp_path / "out", files)
    catalogue, entries = static.read_folder(tmp_path / "out")
    assert entries == (one, two)
    assert (catalogue.name, catalogue.entries, len(catalogue.shards)) == ("acme", 2, 1)
    static.write(tmp_path / "out", files)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"catalogue.json", "entries"}


def test_many_entries_stand_in_shards_of_about_a_megabyte() -> None:
    files = rendered(*(entry(f"a/{n:05}", description="x" * 1900) for n in range(1200)))
    sizes = [len(data) for path, data in files.items() if path.startswith("entries/")]
    assert len(sizes) == 3
    assert max(sizes) < static.SHARD_BYTES * 1.1
    assert len(read(files)[1]) == 1200


def test_a_newer_state_leaves_the_shards_that_did_not_change(tmp_path: Path) -> None:
    static.write(tmp_path, rendered(entry("a/one")))
    static.write(tmp_path, rendered(entry("a/one"), entry("a/two")))
    assert len(static.read_folder(tmp_path)[1]) == 2


HOSTILE_INDEX = [
    (b"\xff\xfe{}", "UTF-8"),
    (b"[" * 100_000, "nested"),
    (b'{"a":1,"a":2}', "twice"),
    (b"[]", "not an object"),
    (b'{"entries":NaN}', "no number"),
    (b"", "not JSON"),
    (b'{"name":"\\ud800","made":"2026-11-23","entries":0}', "the document"),
    (b'{"name":"../up","made":"2026-11-23","entries":0}', "name"),
    (b'{"name":"acme","made":"2026-11-23","entries":99999999999}', "entries"),
    (b'{"name":"acme","made":"2026-11-23","entries":1}', "sum"),
    (b'{"name":"acme","made":"2026-11-23","entries":0,"more":1}', "more"),
    (b'{"name":"acme","made":"2026-11-23","entries":0,"format":2}', "format"),
]


@pytest.mark.parametrize(("data", "told"), HOSTILE_INDEX, ids=lambda value: repr(value)[:40])
def test_a_wrong_index_is_refused_by_field(data: bytes, told: str) -> None:
    with pytest.raises(InputError) as error:
        static.read_catalogue(data, "acme/catalogue.json")
    assert error.value.code == "bad_catalogue"
    assert "acme/catalogue.json" in error.value.message
    assert told in error.value.message


@pytest.mark.parametrize(
    "file", ["../../etc/passwd", "/etc/passwd", "entries/../x.json", "entries/short.json", ""]
)
def test_no_path_leads_out(file: str) -> None:
    index = json.loads(rendered(entry("a"))["catalogue.json"])
    index["shards"][0]["file"] = file
    with pytest.raises(InputError, match=r"shards\.0\.file"):
        static.read_catalogue(json.dumps(index).encode(), "acme/catalogue.json")


def test_a_path_of_another_digest_is_refused() -> None:
    index = json.loads(rendered(entry("a"))["catalogue.json"])
    index["shards"][0]["file"] = f"entries/{'0' * 64}.json"
    with pytest.raises(InputError, match="own digest"):
        static.read_catalogue(json.dumps(index).encode(), "acme/catalogue.json")


def test_changed_bytes_are_told() -> None:
    files = rendered(entry("a/one"))
    (path,) = (path for path in files if path.startswith("entries/"))
    with pytest.raises(InputError, match="sha256"):
        read({**files, path: files[path].replace(b"a/one", b"a/two")})
    with pytest.raises(InputError, match="size"):
        read({**files, path: files[path] + b" "})


HOSTILE_ENTRY: list[tuple[dict[str, Any], str]] = [
    ({"name": "a\x1b[2J"}, "name"),
    ({"name": "--force"}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"description": "x" * 10_000_000}, "size"),
    ({"description": "x" * 100_000}, "description"),
    ({"also": ["x" * 300] * 1000}, "entries.0"),
    ({"upstream": "javascript:alert(1)"}, "upstream"),
    ({"upstream": "https://a.example/'onclick='"}, "upstream"),
    ({"pull": "/etc/passwd"}, "pull"),
    ({"pull": "../up"}, "pull"),
    ({"released": "yesterday"}, "released"),
    ({"parameters": -1}, "parameters"),
    ({"size_bytes": 10**30}, "size_bytes"),
    ({"claims": [{"metric": "F1", "value": 1e999}]}, "Infinity"),
    ({"unheard": 1}, "unheard"),
    ({"description": "\ud800"}, "entries.0"),
]


@pytest.mark.parametrize(("change", "told"), HOSTILE_ENTRY, ids=lambda value: repr(value)[:40])
def test_a_hostile_entry_is_refused_by_file_and_field(change: dict[str, Any], told: str) -> None:
    files = resealed(rendered(entry("a/one")), lambda doc: doc["entries"][0].update(change))
    with pytest.raises(InputError) as error:
        read(files)
    assert error.value.code == "bad_catalogue"
    assert told in error.value.message
    assert len(error.value.message) < 1200


def test_a_number_too_large_for_a_float_is_refused() -> None:
    claim = {"metric": "F1", "value": 0.5, "source": {"address": "https://a.example/", "read": ""}}
    claim["source"]["read"] = "2026-11-23"  # type: ignore[index]
    files = rendered(Entry.model_validate({**entry("a").to_dict(), "claims": [claim]}))
    (path,) = (path for path in files if path.startswith("entries/"))
    data = files[path].replace(b"0.5", b"1e999")
    shard = static.Shard(file=path, sha256=Digest.of(data).hex, size=len(data), entries=1)
    with pytest.raises(InputError, match=r"entries\.0"):
        static.read_shard(data, shard, "acme")


def test_a_name_twice_is_refused_on_both_sides() -> None:
    with pytest.raises(InputError, match="twice"):
        rendered(entry("a"), entry("a"))


def test_what_would_not_be_read_is_not_written() -> None:
    with pytest.raises(InputError, match="pull"):
        rendered(entry("a", pull="./here.gguf"))


def test_links_and_missing_files_are_told(tmp_path: Path) -> None:
    static.write(tmp_path / "one", rendered(entry("a")))
    (shard,) = (tmp_path / "one" / "entries").iterdir()
    other = tmp_path / "other"
    shard.rename(other)
    with pytest.raises(InputError, match="not there"):
        static.read_folder(tmp_path / "one")
    shard.symlink_to(other)
    with pytest.raises(InputError, match="plain file"):
        static.read_folder(tmp_path / "one")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(InputError):
        static.read_catalogue(data, "x")


@given(st.text(max_size=200))
def test_depth_leaves_strings_out(text: str) -> None:
    assert static.depth(json.dumps([text])) == 1
    assert static.depth(json.dumps({text: [text]})) == 2
