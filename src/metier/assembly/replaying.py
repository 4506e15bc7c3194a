"""A decision that remembers what the domain model said, and logged ones made again from that.

It knows the rows of the log and the router's values. A text is not needed: what it looked like
stands in the log, and the model itself only by its digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from metier.assembly.candidates import of_document
from metier.assembly.routelog import Break, breaks
from metier.errors import CorruptError
from metier.router import Router, Rules, decision_bytes
from metier.routing import Candidate, Decision, Refused, Request

if TYPE_CHECKING:
    from metier.router import DomainModel, Likeness

UNHEARD = "–"
"""Stands for a text that the log did not keep: what it looked like is written down beside it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Decisions that were made again.

    Attributes:
        decisions: How many there are.
        same: How many came out byte for byte as they were logged.
        differing: Ids of those that did not.
        other: Ids of those that were decided by another version of the router's rules.
        lost: Ids of those whose candidates stand in no file that is kept.
        broken: Where the chain of the log is broken.
    """

    decisions: int
    same: int
    differing: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    broken: tuple[Break, ...] = ()


class Heard:
    """A domain model that remembers what it said, or one that only remembers.

    Args:
        model: The model; ``None`` if there is none, or if only what it said is known.
        digest: Of the model, where only what it said is known.
        likeness: What it said.
    """

    def __init__(
        self,
        model: DomainModel | None,
        *,
        digest: str = "",
        likeness: Likeness | None = None,
    ) -> None:
        self._model = model
        self.digest = model.digest if model is not None else digest
        self.likeness = likeness

    def asked(self, text: str, *, language: str = "", code: bool = False) -> Likeness:
        """What the text looks like; asked of the model once."""
        if self.likeness is None:
            if self._model is None:
                raise CorruptError("What the text looked like is missing.", code="bad_route_log")
            found = self._model.asked(text, language=language, code=code)
            if found.sure and found.margin < 0:
                # A domain of few questions may have a threshold of nearly nothing.
                why = f"it looks less like {found.domain} than like no domain in particular"
                found = replace(found, against=why)
            self.likeness = found
        return self.likeness

    def scores(self, text: str) -> tuple[tuple[str, float], ...]:
        """The probabilities of all domains, the likeliest first."""
        return self._model.chances(text) if self._model is not None and text else ()

    def router(self, rules: Rules) -> Router:
        """The router that decides with it."""
        # A router asks its model for a digest and for what a text looks like, and for no more.
        return Router(cast("DomainModel", self) if self.digest else None, rules)


def replay(rows: Sequence[Mapping[str, Any]]) -> Replayed:
    """Make every decision of some rows again and compare the bytes.

    Raises:
        CorruptError: A row is not as it was written (``bad_route_log``).
    """
    counted, same = 0, 0
    differing: list[str] = []
    other: list[str] = []
    lost: list[str] = []
    for row, candidates in _decisions(rows):
        counted += 1
        if candidates is None:
            lost.append(str(row.get("id")))
            continue
        again, logged = remade(row, candidates)
        if again is None:
            other.append(str(row.get("id")))
        elif decision_bytes(again) == decision_bytes(logged):
            same += 1
        else:
            differing.append(str(row.get("id")))
    return Replayed(counted, same, tuple(differing), tuple(other), tuple(lost), tuple(breaks(rows)))


def remade(
    row: Mapping[str, Any], candidates: Sequence[Candidate]
) -> tuple[Decision | None, Decision]:
    """A logged decision made again, ``None`` if other rules made it; and as it was logged.

    Raises:
        CorruptError: The row is not as it was written (``bad_route_log``).
    """
    from metier.router import Likeness

    try:
        told = dict(row["decision"])
        refused = tuple(Refused(**one) for one in told.pop("refused"))
        logged = Decision(**{**told, "then": tuple(told["then"]), "refused": refused})
        request = Request(**row["request"], text=UNHEARD if row["characters"] else "")
        likeness = Likeness(**row["likeness"]) if row["likeness"] is not None else None
        heard = Heard(None, digest=str(row["model"]), likeness=likeness)
        router = heard.router(Rules(**row["rules"]))
        if router.digest != logged.router:
            return None, logged
        if row["override"]:
            name = logged.chosen or (logged.refused[0].name if logged.refused else "")
            return router.override(name, request, tuple(candidates)), logged
        return router.decide(request, tuple(candidates)), logged
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptError(
            f"A logged decision cannot be read: {error!r}.", code="bad_route_log"
        ) from error


def _decisions(
    rows: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Sequence[Candidate] | None]]:
    """Decided rows with their candidates, ``None`` where they were dropped with an old file."""
    known: dict[str, Sequence[Candidate]] = {}
    for row in rows:
        if row["kind"] == "candidates":
            with suppress(KeyError, TypeError, ValueError):
                known[str(row["digest"])] = [of_document(one) for one in row["candidates"]]
        elif row["kind"] == "decided":
            yield row, known.get(str(row.get("candidates")))
