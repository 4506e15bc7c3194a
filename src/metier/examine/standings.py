"""What the ledger keeps of a table, and which bases it speaks for, best evidence first.

It knows rows of the ledger as plain values; it opens no ledger. Recorded answers are kept as what
they are: they never become evidence, and never stand above a base that was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from metier.card import Interval, Score
from metier.evals.tables import FORMAT
from metier.evals.tasks import SCORER
from metier.examine.bases import Examination
from metier.examine.bound import Bound, evidence_of, proved_on

Kept = tuple[Literal["result", "evidence"], str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A base under a specialist, as far as it was measured.

    Attributes:
        base: What ``--base`` takes.
        parts: The parts with which it did best.
        eval: The eval's name.
        fingerprint: The eval's.
        score: Share that passed.
        low, high: Ends of its interval; ``None`` if nothing was scored.
        n: Scored items.
        clusters: Groups of them that hang together.
        group: Of the table: entries of one group cannot be told apart.
        alone: Share that the base alone passed, ``None`` if it was not asked.
        verdict: Of the parts against the base alone, ``None`` if nothing compares.
        recorded: Whether the answers were recorded elsewhere: no measurement of this machine.
        cost_class: What a person pays.
        date: ISO date.
        table: Digest of the table.
        command: What repeats it.
    """

    base: str
    parts: tuple[str, ...]
    eval: str
    fingerprint: str
    score: float
    low: float | None
    high: float | None
    n: int
    clusters: int
    group: int
    alone: float | None
    verdict: str | None
    recorded: bool
    cost_class: str
    date: str
    table: str
    command: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return asdict(self)

    def as_score(self) -> Score:
        """The score as cards have it; the clusters are in the table."""
        ends = None
        if self.low is not None and self.high is not None:
            ends = Interval(low=self.low, high=self.high)
        return Score(
            metric=SCORER, value=self.score, interval=ends, n=self.n, clusters=self.clusters
        )

    def sentence(self) -> str:
        """For people: ``remote:x: .84 (.72 to .91) of 62 tasks with docs and tools …``."""
        parts = f" with {' and '.join(self.parts)}" if self.parts else " alone"
        ends = "" if self.low is None else f" ({self.low:.2f} to {self.high:.2f})"
        said = f"{self.base}: {self.score:.2f}{ends} on {self.eval}{parts}, {self.n} items"
        return f"{said}, {self.date}" + (", recorded answers" if self.recorded else "")


def kept(examination: Examination, bound: Bound | None = None) -> list[Kept]:
    """Rows for the ledger, in order: kind, digest, body.

    First the table; then, unless an answer was recorded elsewhere, the evidence of each
    comparison, and of the specialist itself against its rivals.

    Args:
        examination: The table with its findings.
        bound: What is installed under the specialist's name; ``None`` says nothing of it.
    """
    table, found = examination.table, examination.findings
    rows = found.to_dict(table)["rows"]
    body = {
        "format": FORMAT,
        "eval": table.eval,
        "fingerprint": table.fingerprint,
        "date": table.date,
        "command": table.command,
        "recorded": found.recorded,
        "rows": [{**row, "added": _verdict(row["added"])} for row in rows],
        "toolchain": dict(table.toolchain),
        "proved": {} if bound is None else proved_on(table, bound),
    }
    result: list[Kept] = [("result", table.digest, body)]
    recorded = {number for number, one in enumerate(table.entries, start=1) if one.recorded}
    for one in found.comparisons:
        if not recorded & {one.first, one.second}:
            system = table.entries[one.first - 1].result.digest
            result.append(("evidence", system, one.evidence.model_dump(mode="json")))
    for own in evidence_of(table, bound) if bound is not None else ():
        result.append(("evidence", own.results[0], own.model_dump(mode="json")))
    return result


def standings(bodies: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Standing]:
    """Which bases were measured, best evidence first; each base once for each eval.

    Args:
        bodies: Digest and body of the ledger's ``result`` rows on a specialist, oldest first;
            rows that hold no table are left out.

    Returns:
        The newest table of a base on an eval counts. Measured bases stand before recorded ones,
        then lower groups, then higher lower ends of the interval.
    """
    newest: dict[tuple[str, str], Standing] = {}
    for digest, body in bodies:
        if body.get("format") != FORMAT:
            continue
        for base in dict.fromkeys(row["base"] for row in body["rows"]):
            own = [row for row in body["rows"] if row["base"] == base]
            newest[base, body["fingerprint"]] = _standing(digest, body, own)
    return sorted(
        newest.values(),
        key=lambda one: (one.recorded, one.low is None, one.group, -(one.low or 0.0), one.base),
    )


def _standing(digest: str, body: Mapping[str, Any], own: list[Mapping[str, Any]]) -> Standing:
    scored = [row for row in own if row["score"]["n"]] or own
    best = min(scored, key=lambda row: (row["group"], -row["score"]["value"], len(row["parts"])))
    alone = next((row for row in scored if not row["parts"]), None)
    ends = best["score"]["interval"]
    return Standing(
        base=best["base"],
        parts=tuple(best["parts"]),
        eval=body["eval"],
        fingerprint=body["fingerprint"],
        score=best["score"]["value"],
        low=ends["low"] if ends else None,
        high=ends["high"] if ends else None,
        n=best["score"]["n"],
        clusters=best["score"]["clusters"],
        group=best["group"],
        alone=alone["score"]["value"] if alone else None,
        verdict=best["added"],
        recorded=best["recorded"],
        cost_class=best["cost"]["cost_class"],
        date=body["date"],
        table=digest,
        command=body["command"],
    )


def _verdict(added: Mapping[str, Any] | None) -> str | None:
    return None if added is None else str(added["difference"]["verdict"])
