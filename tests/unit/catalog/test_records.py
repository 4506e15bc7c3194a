"""Records: what did not change keeps its id, a moment's state is whole, damage is put aside."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from catalog_entries import entry, evidence
from metier.catalog.records import Fresh, Records, day_number, meant_text
from metier.catalog.standing import CLAIMED
from metier.errors import StorageError


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records.open(tmp_path / "deep" / "entries.sqlite")


def test_what_did_not_change_keeps_its_id(records: Records) -> None:
    records.replace("acme", "1", [Fresh(entry("a")), Fresh(entry("b"))])
    with records.snapshot("acme") as (first, rows):
        before = {row.name: row.id for row in rows()}
    records.replace(
        "acme", "2", [Fresh(entry("a")), Fresh(entry("c")), Fresh(entry("b", licence="MIT"))]
    )
    with records.snapshot("acme") as (second, rows):
        after = {row.name: row.id for row in rows()}
        assert {row.name: row.id for row in rows()} == after, "twice the same"
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]
    assert first != second
    assert records.origins()["acme"][0] == "2"
    records.replace("acme", "3", [])
    assert records.origins()["acme"][2] == 0
    records.remove("acme")
    assert records.origins() == {}


def test_a_row_says_what_is_filtered_and_found(records: Records) -> None:
    one = entry(
        "Owner/Sql-Coder",
        task="Chat",
        licence="Apache-2.0",
        size_bytes=5,
        released="2026-01",
        also=("text to SQL",),
        description="Detecting things.",
        evidence=(evidence(),),
    )
    records.replace("acme", "1", [Fresh(one, {"installed": "x"})])
    with records.snapshot("acme") as (_, rows):
        (row,) = rows()
    assert (row.task, row.licence, row.size, row.released) == ("chat", "apache-2.0", 5, 20260100)
    assert row.level == CLAIMED
    assert " coder " in row.name_terms
    assert " ~detect " in row.text_terms
    assert " sql " in row.more_terms
    assert records.shown("licence", "apache-2.0") == "Apache-2.0"
    assert records.shown("origin", "acme") == "acme"
    kept = records.kept([row.id])[row.id]
    assert kept.entry == one
    assert records.facts("acme", "installed") == [(row.id, one.name, "x")]
    assert records.facts("acme", "system") == [(row.id, one.name, "")]
    assert records.all_facts([row.id, 99]) == {row.id: {"installed": "x"}}


def test_hidden_entries_are_named_but_not_found(records: Records) -> None:
    records.replace("here", "1", [Fresh(entry("a"), hidden=True)])
    assert records.origins()["here"][2] == 0
    assert records.named("here", "a") is not None
    assert records.named("here", "b") is None
    assert records.names("here", like="ab") == ["a"]


def test_names_in_other_origins(records: Records) -> None:
    records.replace("curated", "1", [Fresh(entry("Qwen/Qwen3"))])
    assert len(records.ids_of(["qwen/qwen3"], but="here")["qwen/qwen3"]) == 1
    assert records.ids_of(["qwen/qwen3"], but="curated")["qwen/qwen3"] == []


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "entries.sqlite"
    path.write_bytes(b"no database" * 1000)
    records = Records.open(path)
    assert records.origins() == {}
    assert (tmp_path / "entries.sqlite.damaged").exists()


def test_a_reader_sees_one_state_while_another_writes(tmp_path: Path) -> None:
    one, two = Records.open(tmp_path / "e.sqlite"), Records.open(tmp_path / "e.sqlite")
    one.replace("acme", "1", [Fresh(entry(f"m{n}")) for n in range(50)])
    with one.snapshot("acme") as (_, rows):
        names = iter(rows())
        first = next(names).name
        writer = threading.Thread(target=lambda: two.replace("acme", "2", [Fresh(entry("other"))]))
        writer.start()
        writer.join(30)
        assert [first, *(row.name for row in names)] == [f"m{n}" for n in range(50)]
    assert two.origins()["acme"][2] == 1


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as told:
        Records.open(tmp_path / "file" / "entries.sqlite")
    assert told.value.code == "catalogue_storage"


@pytest.mark.parametrize(
    ("day", "number"),
    [("2026-01-31", 20260131), ("2026-01", 20260100), ("2026", 20260000), ("soon", 0), ("", 0)],
)
def test_days_as_numbers(day: str, number: int) -> None:
    assert day_number(day) == number


def test_what_an_encoder_reads_is_bounded() -> None:
    long = entry("a/b-c", description="x" * 2000, also=("y" * 300,) * 50)
    assert len(meant_text(long)) <= 1000
    assert meant_text(entry("a/b-c")).startswith("b c.")
