"""A chat specialist on its base against its rivals: what a table proves of it, and what not."""

from __future__ import annotations

from pathlib import Path

from judging import Scribe, WordTool, suite
from metier.card import Verdict
from metier.evals.tables import FORMAT
from metier.examine.bases import BaseExaminer, Examination
from metier.examine.bound import Bound, benches, evidence_of, proved_on
from metier.examine.standings import kept

SYSTEM = "sha256:" + "c" * 64
ONE = Bound(
    "coder",
    SYSTEM,
    frozenset({"docs", "tools"}),
    {"remote:scribe": "sha256:base"},
    general="remote:general",
)


def examination(home: Path, *scribes: Scribe, against: tuple[Scribe, ...] = ()) -> Examination:
    known = {scribe.base: scribe for scribe in (*scribes, *against)}
    return BaseExaminer(
        suites=home / "none",
        home=home,
        tools=lambda _name, _chain: WordTool(),
        entrant=lambda _name, base, parts, samples: known[base].entrant(parts, samples=samples),
        specialist_digest=lambda _name: "sha256:" + "5" * 64,
        sandbox=lambda: "bubblewrap",
        today="2026-11-23",
        made={"words": lambda: suite(40)},
    ).evaluate(
        "coder",
        on="words",
        bases=[scribe.base for scribe in scribes],
        against=[scribe.base for scribe in against],
    )


def test_the_whole_specialist_meets_its_three_rivals(tmp_path: Path) -> None:
    general = Scribe("remote:general", knows=5)
    table = examination(tmp_path, Scribe(knows=2, adds=4), against=(general,)).table
    assert [entry.name for entry in table.entries][-1] == "remote:general"
    assert table.command.endswith("--base remote:scribe --against general --with docs,tools")
    found = evidence_of(table, ONE)
    told = [(one.against, one.rival_name, one.difference.verdict) for one in found]
    assert told == [
        ("base", "remote:scribe", Verdict.WIN),
        ("other", "remote:scribe + docs", Verdict.WIN),
        ("general", "remote:general", Verdict.WIN),
    ]
    assert {(one.system, one.system_name) for one in found} == {(SYSTEM, "coder on remote:scribe")}
    assert {one.difference.clusters for one in found} == {20}, "two tasks to a cluster"
    assert found[0].cost.cost_class.startswith("remote")


def test_recorded_answers_and_parts_alone_prove_nothing(tmp_path: Path) -> None:
    recorded = examination(tmp_path / "a", Scribe(recorded=True)).table
    assert evidence_of(recorded, ONE) == []
    assert proved_on(recorded, ONE) == {}
    table = examination(tmp_path / "b", Scribe()).table
    more = Bound("coder", SYSTEM, frozenset({"docs", "tools", "sight"}))
    assert evidence_of(table, more) == []
    assert evidence_of(table, Bound("coder", SYSTEM, frozenset())) == []
    against = examination(
        tmp_path / "c", Scribe(), against=(Scribe("remote:general", recorded=True),)
    ).table
    assert "general" not in {one.against for one in evidence_of(against, ONE)}


def test_the_ledger_tells_on_what_it_was_measured(tmp_path: Path) -> None:
    found = examination(tmp_path, Scribe())
    (_, _, body), *rows = kept(found, ONE)
    whole = next(one for one in found.table.entries if one.parts == ("docs", "tools"))
    (told,) = benches([body]).items()
    assert told[0] == whole.result.digest
    assert told[1].base == "sha256:base"
    assert told[1].toolchain == found.table.toolchain
    own = [row for row in rows if row[2]["system"] == SYSTEM]
    assert {row[1] for row in own} == {whole.result.digest}
    assert benches([{"format": FORMAT}, {"role": "base"}]) == {}
