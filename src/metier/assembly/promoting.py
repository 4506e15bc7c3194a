"""The act of a hop: names change, the ledger says why, and both survive a crash together.

It takes challengers that somebody else made and asked, applies ``metier.hop``'s rule, and puts the
promoted one under the name, the champion under ``NAME@previous`` and the losers under names of
their own. It makes and asks nothing. What a process that died between the store and the ledger
left undone is done by the next act.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from metier.errors import InputError, StorageError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.hop import (
    Challenger,
    Done,
    Promotion,
    Ruling,
    back,
    body_of,
    decide,
    earlier_of,
    history,
)
from metier.ledger import Ledger
from metier.reference import Digest, Reference
from metier.store.disk import storage_errors, write_whole
from metier.store.locks import locked

MOST_REJECTED = 5
"""Losers of one name that are kept to be looked at; of older ones the ledger keeps the evidence."""


class Promoting:
    """The acts on one home; processes may share it."""

    def __init__(
        self,
        fleet: Fleet,
        ledger: Callable[[], Ledger],
        home: Path,
        answers: Callable[[str], object],
    ) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._folder = home / "hops"
        self._answers = answers

    @contextmanager
    def alone(self, name: str) -> Iterator[Installed]:
        """The champion of a name, with nobody else hopping it meanwhile.

        Raises:
            UnavailableError: It is being hopped already (code ``hopping``).
            InputError: The name is of something put aside (``bad_name``), or of a base.
        """
        champion = self.champion(name)
        path = self._file(name, "lock")
        lock = locked(path, exclusive=True, wait=0.0, what=name)
        with storage_errors(f"Hopping {champion.name}"):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.__enter__()
            except StorageError as error:
                raise UnavailableError(
                    f"{champion.name!r} is being hopped already.",
                    code="hopping",
                    remedy="Wait until that hop has ended, then do it again.",
                    retryable=True,
                ) from error
        try:
            with self._changing(champion.reference):
                self._settle(champion.reference)
            yield self.champion(name)
        finally:
            lock.__exit__(None, None, None)

    def champion(self, name: str) -> Installed:
        """What answers under a name; raises InputError for a base and for what is put aside."""
        reference = Reference.parse(name)
        if reference.side:
            raise InputError(
                f"{reference.familiar!r} was put aside by a hop; {reference.front.familiar!r} is "
                "what hops.",
                code="bad_name",
                remedy=f"Name {reference.front.familiar}.",
            )
        installed = self._fleet.show(name)
        if installed.kind != "specialist":
            raise InputError(
                f"{installed.name!r} is a {installed.kind}: specialists hop, bases are hopped to.",
                code="not_a_specialist",
                remedy="'metier list' shows the specialists.",
            )
        return installed

    def previous(self, name: str) -> Installed | None:
        """The champion before this one, or ``None``."""
        reference = Reference.parse(name).front.previous
        if reference not in self._fleet.store.entries():
            return None
        return self._fleet.show(str(reference))

    def history(self, name: str) -> tuple[Done, ...]:
        """What hops did to a name, the latest first."""
        front = Reference.parse(name).front
        if self._file(str(front), "json").exists():
            # Of a process that died; one that is at work writes its row itself.
            with suppress(StorageError), self._changing(front, wait=0.0):
                self._settle(front)
        return history(self._ledger().rows("decision", front.familiar))

    def conclude(
        self,
        champion: Installed,
        challengers: Sequence[Challenger],
        *,
        rule: Callable[[Sequence[Challenger]], Promotion] | None = None,
    ) -> Promotion:
        """Judge, change the names, and write down what was done.

        Args:
            champion: As it was when the challengers were asked; the caller holds ``alone``.
            challengers: Each installed under a name of its own (``aside``), and asked.
            rule: Who is promoted, where it is not ``metier.hop.decide``: of moving documents.

        Raises:
            StorageError: Somebody else changed the name meanwhile (``name_changed``), or the
                disk is full: the champion stays.
        """
        done = self.history(champion.name)
        system = str(champion.system)
        asked = [one.evidence for one in challengers if one.evidence is not None]
        now = {one.system for one in challengers}
        earlier = 0
        if asked:
            earlier = earlier_of(done, system, asked[0].eval_fingerprint, but=now)
        promotion = rule(challengers) if rule else decide(challengers, earlier=earlier)
        for ruling in promotion.rulings:
            if ruling.act == "kept" and ruling.ground != "failed":
                body = body_of("kept", system, ruling)
                self._ledger().append("decision", champion.name, champion.system, body)
        for ruling in promotion.rulings:
            if ruling.act == "hop":
                self._promote(champion, ruling, suspect=promotion.suspect)
        self._forget_old(champion.reference, promotion)
        return promotion

    def rollback(self, name: str, *, to: str | None = None) -> Done:
        """Put the champion before this one back; once more brings this one forth again.

        Args:
            name: The specialist.
            to: What was put aside and is promoted by hand instead, like ``rejected-1a2b3c4d``.

        Raises:
            NotFoundError: There is nothing to go back to.
            UnavailableError: What would come back cannot answer: its base is gone.
        """
        champion = self.champion(name)
        front = champion.reference
        target = front.previous if to is None else _side(front, to)
        restored = self._fleet.show(str(target))
        self._answers(str(target))
        names: dict[Reference, Digest | None]
        if target == front.previous:
            names = {front: restored.digest, front.previous: champion.digest}
            why = f"{restored.system.short} answers again, in place of {champion.system.short}."
            body = back(str(champion.system), str(restored.system), why)
        else:
            names = {front: restored.digest, front.previous: champion.digest, target: None}
            why = f"{target.familiar}, which a hop had not promoted, was promoted by hand."
            body = back(str(champion.system), str(restored.system), why, act="by-hand")
        self._change(front, names, {front: champion.digest, target: restored.digest}, body)
        return self.history(front.familiar)[0]

    def aside(self, champion: Reference, system: str) -> Reference:
        """Where a challenger stands until it is judged, and after that if it loses."""
        return champion.beside(f"rejected-{Digest.parse(system).hex[:8]}")

    # --- names and rows -------------------------------------------------------------------------

    def _promote(self, champion: Installed, ruling: Ruling, *, suspect: bool) -> None:
        front = champion.reference
        stood = Reference.parse(ruling.challenger.name)
        entry = self._fleet.store.entries()[stood]
        names = {front: entry.digest, front.previous: champion.digest, stood: None}
        expect = {front: champion.digest, stood: entry.digest}
        body = body_of("hop", str(champion.system), ruling, suspect=suspect)
        self._change(front, names, expect, body)

    def _change(
        self,
        front: Reference,
        names: Mapping[Reference, Digest | None],
        expect: Mapping[Reference, Digest | None],
        body: Mapping[str, Any],
    ) -> None:
        """The store's one step, with what the ledger shall say of it laid down before."""
        stood = {str(name): str(digest) if digest else None for name, digest in names.items()}
        note: dict[str, Any] = {"names": stood, "body": dict(body)}
        with self._changing(front):
            self._settle(front)
            note["rows"] = self._count(front)
            with storage_errors(f"Writing down a change of {front.familiar}"):
                data = json.dumps(note).encode()
                write_whole(self._file(str(front), "json"), data, drafts=self._folder)
            try:
                self._fleet.store.rename(names, expect=expect)
            finally:
                self._settle(front)

    @contextmanager
    def _changing(self, front: Reference, wait: float = 30.0) -> Iterator[None]:
        """The right to change the names of one specialist; held for moments only."""
        path = self._file(str(front), "change.lock")
        with storage_errors(f"Changing the names of {front.familiar}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            holder = locked(path, exclusive=True, wait=wait, what=front.familiar)
            holder.__enter__()
        try:
            yield
        finally:
            holder.__exit__(None, None, None)

    def _settle(self, front: Reference) -> None:
        """Write the row of an act whose names were changed; forget one that did not happen."""
        path = self._file(str(front), "json")
        try:
            note = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            note = {}
        entries = {str(name): entry for name, entry in self._fleet.store.entries().items()}
        now = {name: entries.get(name) for name in note.get("names", {})}
        stands = {name: str(entry.digest) if entry else None for name, entry in now.items()}
        if stands and stands == note["names"] and self._count(front) == note["rows"]:
            system = Digest.parse(note["body"]["to"])
            self._ledger().append("decision", front.familiar, system, note["body"])
        path.unlink(missing_ok=True)

    def _count(self, front: Reference) -> int:
        """How many changes of this name the ledger has: tells whether a row was written."""
        acts = history(self._ledger().rows("decision", front.familiar))
        return sum(one.act != "kept" for one in acts)

    def _forget_old(self, front: Reference, promotion: Promotion) -> None:
        """Remove the oldest losers and twins of the champion; the ledger keeps what they did."""
        twins = {one.challenger.name for one in promotion.rulings if one.ground == "same"}
        rejected = [
            item
            for item in self._fleet.aside(front.familiar)
            if item.reference.side.startswith("rejected-")
        ]
        rejected.sort(key=lambda item: item.modified, reverse=True)
        gone = [item.reference for item in rejected if item.name in twins]
        gone += [item.reference for item in rejected[MOST_REJECTED:] if item.name not in twins]
        if gone:
            self._fleet.store.rename(dict.fromkeys(gone))

    def _file(self, name: str, kind: str) -> Path:
        key = sha256(str(Reference.parse(name).front).encode()).hexdigest()[:24]
        return self._folder / f"{key}.{kind}"


def _side(front: Reference, to: str) -> Reference:
    """``rejected-…``, or the whole name with an ``@``."""
    if "@" not in to:
        return front.beside(to)
    target = Reference.parse(to)
    if target.front != front or not target.side:
        raise InputError(
            f"{to[:120]!r} was not put aside from {front.familiar!r}.",
            code="bad_name",
            remedy=f"'metier hop {front.familiar}' names what was.",
        )
    return target
