"""What the ledger keeps of a table, and which bases it speaks for."""

from pathlib import Path

import pytest

from judging import Scribe, WordTool, suite
from metier.card import Evidence
from metier.evals.tasks import Suite
from metier.examine.bases import BaseExaminer, Examination
from metier.examine.standings import Standing, kept, standings
from metier.ledger import Ledger
from metier.reference import Digest


def examination(
    home: Path, *scribes: Scribe, made: Suite | None = None, today: str = "2026-11-23"
) -> Examination:
    known = {scribe.base: scribe for scribe in scribes}
    return BaseExaminer(
        suites=home / "none",
        home=home,
        tools=lambda _name, _chain: WordTool(),
        entrant=lambda _name, base, parts, samples: known[base].entrant(parts, samples=samples),
        specialist_digest=lambda _name: "sha256:" + "5" * 64,
        sandbox=lambda: "bubblewrap",
        today=today,
        made={"words": lambda: made or suite(10)},
    ).evaluate("coder", on="words", bases=list(known))


def through_the_ledger(tmp_path: Path, *found: Examination) -> list[Standing]:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    for one in found:
        for kind, digest, body in kept(one):
            ledger.append(kind, "coder", Digest.parse(digest), body)
    rows = ledger.rows(kind="result", subject="coder")
    return standings((str(row.digest), row.body) for row in rows)


def test_measured_bases_stand_before_recorded_ones(tmp_path: Path) -> None:
    weak, strong = Scribe("remote:weak", knows=0), Scribe("remote:strong", knows=6)
    recorded = Scribe("replay:old", knows=9, recorded=True)
    found = through_the_ledger(
        tmp_path, examination(tmp_path, weak, strong), examination(tmp_path, recorded)
    )
    assert [one.base for one in found] == ["remote:strong", "remote:weak", "replay:old"]
    best = found[0]
    assert (best.parts, best.score, best.alone) == (("docs", "tools"), 1.0, 0.6)
    assert best.sentence() == (
        "remote:strong: 1.00 (0.39 to 1.00) on words with docs and tools, 10 items, 2026-11-23"
    )
    assert found[2].sentence().endswith(", recorded answers")
    assert found[2].to_dict()["recorded"] is True


def test_recorded_answers_never_become_evidence(tmp_path: Path) -> None:
    measured = kept(examination(tmp_path / "a", Scribe()))
    assert [kind for kind, _, _ in measured] == ["result"] + ["evidence"] * 5
    for kind, digest, body in measured[1:]:
        assert kind == "evidence"
        assert Evidence.model_validate(body).results[0] == digest
    mixed = kept(examination(tmp_path / "b", Scribe(), Scribe("replay:x", recorded=True)))
    assert [kind for kind, _, _ in mixed] == ["result"] + ["evidence"] * 5
    assert mixed[0][2]["recorded"] is True


def test_the_newest_table_counts(tmp_path: Path) -> None:
    old = examination(tmp_path / "a", Scribe(knows=0))
    new = examination(tmp_path / "b", Scribe(knows=5), today="2026-11-24")
    (found,) = through_the_ledger(tmp_path, old, new)
    assert (found.date, found.alone) == ("2026-11-24", 0.5)
    other = examination(tmp_path / "c", Scribe(), made=suite(8))
    assert len(through_the_ledger(tmp_path / "l", old, other)) == 2


def test_rows_of_other_kinds_are_left_out() -> None:
    assert standings([("sha256:" + "1" * 64, {"role": "base"})]) == []


@pytest.mark.parametrize("fails", [tuple(f"word{number}" for number in range(10))])
def test_a_base_that_gave_no_answer_stands_last(tmp_path: Path, fails: tuple[str, ...]) -> None:
    found = through_the_ledger(
        tmp_path, examination(tmp_path, Scribe("remote:dead", fails=fails), Scribe(knows=0))
    )
    assert [one.base for one in found] == ["remote:scribe", "remote:dead"]
    assert (found[1].n, found[1].verdict, found[1].low) == (0, None, None)
