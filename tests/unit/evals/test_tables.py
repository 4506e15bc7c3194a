"""The file of a table: canonical bytes, checked when read, answers apart."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from judging import Scribe, WordTool, suite
from metier.coding import SourceFile
from metier.errors import CorruptError, NotFoundError
from metier.evals.executing import Rules, run_entrant
from metier.evals.tables import (
    Entry,
    KeptAnswer,
    Table,
    answers_path,
    median_seconds,
    read_answers,
    read_table,
    timings_path,
    write_table,
)

SUITE = suite(10)
TOOLCHAIN = {"words on words@1": "sha256:" + "1" * 64}


def made(
    folder: Path, *scribes: Scribe, parts: tuple[tuple[str, ...], ...] = ((), ("docs",))
) -> Table:
    """A table of scribes with these parts."""
    entries = []
    rules = Rules(lambda _name, _chain: WordTool(), toolchain=TOOLCHAIN)
    for scribe in scribes:
        for some in parts:
            entrant = scribe.entrant(some)
            journal = folder / f"{scribe.base}-{'-'.join(some)}".replace(":", "-")
            ran = run_entrant(entrant, SUITE, rules, journal=journal)
            entries.append(
                Entry(
                    base=scribe.base,
                    base_digest=entrant.base_digest,
                    parts=some,
                    settings=entrant.settings,
                    recorded=scribe.recorded,
                    cost_class=entrant.cost_class,
                    result=ran.result,
                    spent={one.item.id: one.spent for one in ran.answered if one.spent},
                    reasons={one.item.id: one.reason for one in ran.answered if one.reason},
                    seconds={one.item.id: 0.25 for one in ran.answered},
                    judge_seconds={one.item.id: 0.125 for one in ran.answered},
                )
            )
    return Table(
        specialist="coder",
        specialist_digest="sha256:" + "5" * 64,
        eval="words",
        title="Words",
        fingerprint=SUITE.fingerprint,
        command="metier eval coder --on words",
        date="2026-11-23",
        samples=1,
        frozen={},
        toolchain=TOOLCHAIN,
        machine={"cores": 2},
        entries=tuple(entries),
    )


def test_written_and_read_it_is_the_same(tmp_path: Path) -> None:
    table = made(tmp_path, Scribe(), Scribe("remote:other", fails=("word4",), money=None))
    answers = (KeptAnswer(1, "word0", *_answer(table)),)
    path = tmp_path / "table.jsonl"
    write_table(path, table, answers)
    found = read_table(path)
    assert found == table
    assert found.digest == table.digest
    assert found.to_bytes() == path.read_bytes()
    assert [entry.seconds for entry in found.entries] == [entry.seconds for entry in table.entries]
    assert found.entries[2].reasons == {"word4": "answer"}
    assert found.entries[2].spent == {}
    assert read_answers(path, found) == answers
    assert median_seconds(found.entries[0]) == 0.25


def _answer(table: Table) -> tuple[str, tuple[SourceFile, ...], str]:
    text = "Here:\n```\nword0 by remote:scribe\n```\n"
    return text, (SourceFile("answer.txt", "word0 by remote:scribe\n"),), ""


def test_timings_change_no_byte_of_the_table(tmp_path: Path) -> None:
    table = made(tmp_path, Scribe())
    slow = replace(
        table, entries=tuple(replace(one, seconds={"word0": 9.0}) for one in table.entries)
    )
    assert slow.digest == table.digest
    assert b"seconds" not in table.to_bytes()
    path = tmp_path / "table.jsonl"
    write_table(path, table)
    assert not answers_path(path).exists()
    assert read_answers(path, table) == ()
    other = made(tmp_path, Scribe("remote:other"))
    timings_path(path).write_bytes(other.timings_bytes())
    assert read_table(path).entries[0].seconds == {}
    timings_path(path).write_bytes(b"{")
    assert median_seconds(read_table(path).entries[0]) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"outcome":0,', '"outcome":1,', "not those that it was written with"),
        ('"tokens_out":20}', '"tokens_out":21}', "not those that it was written with"),
        ('"format":"metier.table/1"', '"format":"x"', "not the header of a table"),
        ('"entries":2', '"entries":3', "is not complete"),
        ('"samples":1', '"sample":1', "is not complete"),
        ('"parts":["docs"]', '"parts":null', "is not complete"),
        ('{"base":', '{"bass":', "is not complete"),
    ],
)
def test_what_was_changed_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "table.jsonl"
    write_table(path, made(tmp_path, Scribe()))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CorruptError) as caught:
        read_table(path)
    assert caught.value.code == "bad_table"
    assert said in caught.value.message


def test_answers_of_another_table_or_others_than_were_judged(tmp_path: Path) -> None:
    table = made(tmp_path, Scribe())
    path = tmp_path / "table.jsonl"
    text, files, why = _answer(table)
    write_table(path, table, (KeptAnswer(1, "word0", text + "!", files, why),))
    with pytest.raises(CorruptError, match="not the one that was judged"):
        read_answers(path, table)
    lines = answers_path(path).read_text().splitlines()
    answers_path(path).write_text("\n".join([lines[0], json.dumps({"entry": 1})]))
    with pytest.raises(CorruptError, match="not complete"):
        read_answers(path, table)
    with pytest.raises(CorruptError, match="another table"):
        read_answers(path, replace(table, date="2026-11-24"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_table(tmp_path / "none.jsonl")
    (tmp_path / "other.jsonl").write_text("not json")
    with pytest.raises(CorruptError):
        read_table(tmp_path / "other.jsonl")
