"""The bitter-lesson plot's values: what this home knows of general models and a specialist, dated.

It gathers points from the ledger (recorded answers, tables, evidence) and the card; what they show
is ``history.timelines``'. It measures nothing, and it fetches only when a record is taken in.
"""

from __future__ import annotations

import shlex
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from metier.assembly.outcomes import standings_of
from metier.card import Card, Evidence, Score
from metier.errors import MetierError
from metier.fleet import Fleet, Installed
from metier.history import elsewhere
from metier.history.timelines import timeline
from metier.ledger import Ledger
from metier.manifest import canonical_json
from metier.messages import Report, silent
from metier.overtaking import Point, Role, Timeline
from metier.reference import Digest
from metier.settings import Settings
from metier.watching import Standing

if TYPE_CHECKING:
    from metier.evals.tables import Table

HISTORIES = Path(__file__).resolve().parent.parent / "histories"
TABLE = "metier.table/1"
MOST = 3
"""Evals that are drawn for one specialist, the richest first."""
_KEPT = 32
_METRICS = {"macro_f1": "macro F1"}
_RIVALS: dict[str, Role] = {"base": "base", "general": "general", "other": "general"}


class Timelines:
    """Of one home; threads may share it."""

    def __init__(self, settings: Settings, fleet: Fleet, ledger: Callable[[], Ledger]) -> None:
        self._settings = settings
        self._fleet = fleet
        self._ledger = ledger
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], tuple[Timeline, ...]] = OrderedDict()

    def known(self) -> list[str]:
        """Records of others that can be taken in."""
        return sorted(path.stem for path in HISTORIES.glob("*.toml"))

    def take(self, name: str, record: str, *, report: Report = silent) -> tuple[Timeline, ...]:
        """Take in answers that others recorded, as what general models did on an eval.

        They are kept in the ledger as recorded elsewhere: counts by system and task, no answer.
        Taken in a second time they are the same, and nothing is written.

        Args:
            name: The specialist that they concern.
            record: One of ``known``.
            report: Told what is fetched.

        Returns:
            ``of(name)``, with them.

        Raises:
            NotFoundError: No such specialist, or no such record (``no_history``).
            UnavailableError: The rows are not here and cannot be fetched (``offline`` …).
            InputError: What was fetched does not have its digest (``wrong_sha256``).
        """
        subject = self._fleet.show(name).name
        body = elsewhere.take(
            elsewhere.pinned(HISTORIES, record),
            folder=HISTORIES,
            mirror=self._settings.mirror,
            cache=self._settings.home / "cache",
            report=report,
        )
        digest = Digest.of(canonical_json(body))
        ledger = self._ledger()
        if all(row.digest != digest for row in ledger.rows("result", subject)):
            ledger.append("result", subject, digest, body)
        return self.of(name)

    def of(self, name: str) -> tuple[Timeline, ...]:
        """General models by date against a specialist, one for each eval, the richest first.

        Raises:
            NotFoundError: No such specialist.
        """
        item = self._fleet.show(name)
        key = (item.name, str(item.digest), self._ledger().head())
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        found = self._gathered(item)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def looks(self, name: str) -> tuple[tuple[str, Standing], ...]:
        """When the watch looked at what is installed under a name, and what it came to.

        Raises:
            NotFoundError: No such specialist.
        """
        item = self._fleet.show(name)
        rows = standings_of(self._ledger(), item.name)
        return tuple((row.date, one) for row, one in rows if one.system == str(item.system))

    def _gathered(self, item: Installed) -> tuple[Timeline, ...]:
        rows = self._ledger().rows("result", item.name)
        found = list(self._over_bases(item, rows))
        asked = {str(row.body.get("fingerprint")) for row in rows}
        found += self._classified(item, asked)  # evidence of a table is in its points already
        found.sort(key=lambda one: -len(one.points))
        return tuple(found[:MOST])

    # --- executed evals -------------------------------------------------------------------------

    def _over_bases(self, item: Installed, rows: Sequence[Any]) -> Iterator[Timeline]:
        """What tables and recorded answers say of a chat specialist, an eval at a time."""
        tables = [row for row in rows if row.body.get("format") == TABLE]
        records = {
            row.body["eval"]: row for row in rows if row.body.get("format") == elsewhere.FORMAT
        }  # the newest of an eval counts
        evals = dict.fromkeys([*records, *(row.body["eval"] for row in tables)])
        for eval_name in evals:
            record = records.get(eval_name)
            own = [row for row in tables if row.body["eval"] == eval_name]
            points = [point for row in own for point in self._in_table(row)]
            source = None
            title = eval_name
            if record is not None:
                points += elsewhere.points_of(record.body)
                source = elsewhere.source_of(record.body, record.date)
                title = record.body["title"]
            quoted = shlex.quote(item.name)
            yield timeline(
                points,
                subject=item.name,
                eval_name=eval_name,
                title=title,
                metric="passed",
                source=source,
                command=f"metier history {quoted}",
                measure=f"metier eval {quoted} --on {shlex.quote(eval_name)} --base REF",
            )

    def _in_table(self, row: Any) -> Iterator[Point]:
        """The entries of a table: a base alone is a general model, with parts the specialist."""
        means = self._task_means(row.digest)
        for entry in row.body["rows"]:
            number = entry["number"] - 1  # the ledger's rows stand by group, the table's as asked
            score = Score.model_validate(entry["score"])
            if not score.n or entry["recorded"]:
                continue
            yield _point(
                entry["name"],
                "specialist" if entry["parts"] else "general",
                row.body["date"],
                score,
                by_cluster=means[number] if number < len(means) else (),
                result=str(row.digest),
            )

    def _task_means(self, digest: Digest) -> list[tuple[tuple[str, float], ...]]:
        """Mean outcome by cluster of each entry of a table, if its file is still here."""
        from metier.evals.tables import read_table

        path = self._settings.home / "evals" / "tables" / f"{digest.hex}.jsonl"
        try:
            table: Table = read_table(path)
        except MetierError:
            return []  # the plot stands without: then intervals are held against each other
        return [_means(entry.result.items) for entry in table.entries]

    # --- sealed questions -----------------------------------------------------------------------

    def _classified(self, item: Installed, drawn: set[str]) -> Iterator[Timeline]:
        """What evidence says of a specialist and its rivals, an eval at a time."""
        by_eval: dict[str, list[Evidence]] = {}
        for one in self._evidence(item):
            by_eval.setdefault(one.eval_fingerprint, []).append(one)
        card = item.classifier
        for fingerprint, several in by_eval.items():
            points = list(_points(several, card.system if card else None, self._specialists()))
            if fingerprint in drawn or all(point.role == "specialist" for point in points):
                continue
            own = card is not None and any(one.system == card.system for one in several)
            quoted = shlex.quote(item.name)
            yield timeline(
                points,
                subject=item.name,
                eval_name="its sealed questions" if own else f"eval {fingerprint[7:19]}",
                title=_title(card) if own and card else "",
                metric=_METRICS.get(several[0].metric, several[0].metric),
                source=None,
                command=f"metier history {quoted}",
            )

    def _evidence(self, item: Installed) -> Iterator[Evidence]:
        card = item.card
        if isinstance(card, Card):
            yield from card.evidence
        for row in self._ledger().rows("evidence", item.name):
            try:
                yield Evidence.model_validate(row.body)
            except ValidationError:
                continue  # of a version that this one does not know

    def _specialists(self) -> frozenset[str]:
        return frozenset(one.name for one in self._fleet.list() if isinstance(one.card, Card))


def _points(
    evidence: Iterable[Evidence], system: str | None, specialists: frozenset[str]
) -> Iterator[Point]:
    """Both sides of each comparison, each system once a day."""
    seen: set[tuple[str, str]] = set()
    for one in evidence:
        today = system is None or one.system == system
        sides: list[tuple[str, str, Role, Score, tuple[float, float, float] | None]] = [
            (one.system, one.system_name, "specialist" if today else "earlier", one.score, None)
        ]
        role = _RIVALS.get(one.against)
        if role is not None and one.rival_name not in specialists and "@" not in one.rival_name:
            ends = one.difference.interval
            ahead = (-ends.high, -one.difference.difference, -ends.low)
            sides.append(
                (one.rival, one.rival_name, role, one.rival_score, ahead if today else None)
            )
        for digest, name, place, score, leads in sides:
            if (digest, one.date[:10]) not in seen:
                seen.add((digest, one.date[:10]))
                yield _point(name, place, one.date, score, ahead=leads, result=digest)


def _point(
    name: str,
    role: Role,
    date: str,
    score: Score,
    *,
    by_cluster: tuple[tuple[str, float], ...] = (),
    ahead: tuple[float, float, float] | None = None,
    result: str = "",
) -> Point:
    ends = score.interval
    return Point(
        name=name,
        role=role,
        date=date[:10],
        score=score.value,
        low=ends.low if ends else 0.0,
        high=ends.high if ends else 1.0,
        n=score.n,
        clusters=score.clusters,
        by_cluster=by_cluster,
        ahead=ahead,
        result=result,
    )


def _means(items: Iterable[Any]) -> tuple[tuple[str, float], ...]:
    told: dict[str, list[float]] = {}
    for item in items:
        if item.outcome != "unscored":
            told.setdefault(item.cluster, []).append(float(item.outcome))
    return tuple(sorted((name, sum(values) / len(values)) for name, values in told.items()))


def _title(card: Card) -> str:
    return f"{card.data.eval_rows:,} sealed questions of {card.data.source}"
