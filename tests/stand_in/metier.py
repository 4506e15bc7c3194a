"""A façade that answers without models: what the server's tests and its page checks talk to.

It keeps a fleet in memory and its parts in a folder, classifies by counting shared letters, and
makes a specialist of an upload by climbing the ladder with a pause at each rung.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.card import Card
from metier.datasets.cleaning import clean
from metier.errors import DidNotPassError, InputError, NotFoundError, UnavailableError
from metier.finding import Entry as Catalogued
from metier.finding import Facet, Fit, Found, Hit, Query
from metier.fleet import lineage
from metier.making.asking import Columns
from metier.making.previewing import preview
from metier.messages import Prediction, Progress, Report, silent
from metier.recipe import DataPart, Recipe, SpecialistPart
from metier.reference import Digest, Reference
from stand_in import cards
from stand_in.hopping import Hops, Moves, Rebases
from stand_in.models import ScriptedModels, Shelf
from stand_in.routing import NoRoutes
from stand_in.running import NoPlans
from stand_in.timelines import Timelines
from stand_in.trials import NoTrials
from stand_in.watching import Watched

Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Entry:
    reference: Reference
    card: Card | None
    digest: Digest
    size_bytes: int
    kind: str = "specialist"
    model: None = None

    @property
    def name(self) -> str:
        return self.reference.familiar


def catalogued(entry: Entry) -> Catalogued:
    """An entry of the fleet as a catalogue's."""
    card = entry.card
    return Catalogued(
        name=entry.reference.familiar[:200],
        kind="specialist",
        task=card.task if card is not None else "chat",
        description=card.description[:2000] if card is not None else "",
        size_bytes=entry.size_bytes,
        evidence=card.evidence if card is not None else (),
    )


@dataclass(frozen=True)
class File:
    filepath: str
    digest: Digest
    size: int
    path: Path


def _no_chat(name: str) -> InputError:
    """Its specialists classify; chat specialists are tested over a real fleet (coding_fleet)."""
    return InputError(f"{name!r} is no chat specialist.", code="not_a_chat_specialist")


class Rows:
    """Looks at rows as the real one does, without a base."""

    def preview(
        self, data: Path, *, columns: Mapping[str, str | None] | None = None, **asked: Any
    ) -> dict[str, Any]:
        return preview(data, columns=Columns(**(columns or {})), **asked)

    def clean(self, data: Path, target: Path, *, text: str, label: str) -> dict[str, int]:
        return clean(data, target, text=text, label=label).reasons


class NothingToCompare:
    """Its cards have no sealed evals."""

    def evals(self) -> Sequence[Any]:
        return []

    def gather(self, names: Sequence[str], *, on: str) -> Any:
        raise NotFoundError(f"There is no eval of {on!r}, which {names} could answer.")

    def measure(self, names: Sequence[str], *, on: str, **_how: Any) -> Any:
        return self.gather(names, on=on)


class Holdings:
    """A machine of 16 GB, a store of which a gc would give 2 MB back."""

    def __init__(self) -> None:
        self.forgotten = 0
        self.reclaimable: int | None = 2_000_000

    def machine(self) -> dict[str, dict[str, Any]]:
        memory = {"total": 16 * 10**9, "free": 9 * 10**9, "used": 10**9, "room": 8 * 10**9}
        disk = {
            "store": 5 * 10**9,
            "partial": 0,
            "reclaimable": self.reclaimable,
            "free": 10**11,
            "problem": None,
        }
        return {"memory": {**memory, "limited": False}, "disk": disk}

    def forget(self) -> None:
        self.forgotten += 1


class NoPictures:
    """Satisfies ``metier.server.picturing.Depicts``; real ones are tested over a real home."""

    def decoded(self, files: Sequence[bytes], *, where: str = "picture") -> list[Any]:
        raise InputError(f"Nothing here decodes a {where}.", code="not_a_picture")

    def classify_decoded(self, name: str, pictures: Sequence[Any], *, top: int = 5) -> list[Any]:
        raise InputError(f"{name!r} classifies no pictures.", code="wants_texts")


class StandIn(Shelf):
    """Satisfies ``metier.server.Facade``."""

    def __init__(self, folder: Path, fleet: Sequence[Card] = (), *, pause: float = 0.0) -> None:
        super().__init__(folder)
        self.models = ScriptedModels()
        self.trying = NoTrials()
        self.picturing = NoPictures()
        self.browsing = NoPlans()
        self.watching = Watched(self.show)
        self.hopping = Hops(self.show)
        self.moving = Moves()
        self.rebasing = Rebases()
        self.routing = NoRoutes()
        self.rows = Rows()
        self.comparing = NothingToCompare()
        self.holdings = Holdings()
        self.timelines = Timelines()
        self.pause = pause
        self.calls: list[tuple[str, int]] = []
        self.catalogue: dict[tuple[str, str], Hit] = {}
        self.made: list[dict[str, Any]] = []
        self.found: list[Hit] = []
        self.of_hub: list[Hit] = []
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        for card in fleet:
            self._add(card)

    def _add(self, card: Card) -> None:
        reference = Reference.parse(card.name)
        folder = self.folder / Digest.of(card.name.encode()).hex
        files = {
            "card.json": card.to_bytes(),
            "recipe.toml": f'[specialist]\nname = "{card.name}"\n'.encode(),
            "linear.safetensors": b"\0" * 2048,
        }
        for row in card.rows:
            if row.score is not None:
                line = json.dumps({"id": "1", "outcome": 1.0})
                files[f"results/{row.role}.jsonl"] = f"{line}\n".encode()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        size = card.cost.size_bytes or 0
        entry = Entry(reference, card, Digest.of(card.to_bytes()), size)
        with self._lock:
            self._entries[reference.familiar] = entry

    def list(self) -> list[Entry]:
        with self._lock:
            return list(self._entries.values())

    def show(self, name: str) -> Entry:
        entry = self._entries.get(Reference.parse(name).familiar)
        if entry is None:
            near = ", ".join(list(self._entries)[:3]) or "none"
            raise NotFoundError(f"There is no specialist {name!r}.", remedy=f"There are: {near}.")
        return entry

    def _folder(self, name: str) -> Path:
        return self.folder / Digest.of(self.show(name).reference.familiar.encode()).hex

    def parts(self, name: str) -> Sequence[File]:
        folder = self._folder(name)
        return [
            File(
                str(path.relative_to(folder)),
                Digest.of(path.read_bytes()),
                path.stat().st_size,
                path,
            )
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        ]

    def classify(self, name: str, texts: Sequence[str], *, top: int = 5) -> Sequence[Prediction]:
        card = self.show(name).card
        assert card is not None
        self.calls.append((name, len(texts)))
        if "FAIL" in texts:
            raise InputError("A text could not be read.", remedy="Leave FAIL out.")
        time.sleep(self.pause)
        return [predict(card.labels, text, top) for text in texts]

    def lacks(self, name: str) -> list[Any]:
        raise _no_chat(name)

    def bases(self, name: str) -> list[Any]:
        raise _no_chat(name)

    def search(self, name: str, query: str, *, top: int = 5) -> list[Any]:
        raise _no_chat(name)

    def answer(
        self,
        name: str,
        turns: Sequence[Any],
        *,
        base: str | None = None,
        sampling: Any = None,
        manner: Any = None,
        on_text: Any = None,
        on_step: Any = None,
        cancelled: Cancelled = lambda: False,
    ) -> Any:
        raise _no_chat(name)

    def check(self, name: str, files: Sequence[Any]) -> Any:
        raise _no_chat(name)

    def explain(self, name: str, files: Sequence[Any]) -> Any:
        raise _no_chat(name)

    def repair(self, name: str, files: Sequence[Any]) -> Any:
        raise _no_chat(name)

    def migrate(self, name: str, files: Sequence[Any]) -> Any:
        raise _no_chat(name)

    def recipe_for(self, data: Path, **fields: Any) -> Recipe:
        self.made.append({"data": data, **fields})
        return Recipe(
            specialist=SpecialistPart(name=fields["name"]),
            data=(DataPart(kind="file", path=str(data)),),
        )

    def make(
        self,
        recipe: Recipe,
        *,
        folder: Path,
        report: Report,
        cancelled: Cancelled,
        confined: bool = False,
    ) -> Card:
        assert confined, "what comes over HTTP names no path of this machine"
        path = Path(str(recipe.data[0].path))
        assert not path.is_absolute()
        if len((folder / path).read_text(encoding="utf-8").splitlines()) < 2:
            raise InputError(f"{path} has no rows.", remedy="Give a header and two rows.")
        report(Progress("data", "1,000 rows, 77 labels.", 0.02, 20.0))
        report(Progress("leaks", "No leaks.", 0.05, 19.0))
        rungs = cards.ladder()
        for number, rung in enumerate(rungs):
            if cancelled():
                raise DidNotPassError("It was stopped.", code="stopped")
            report(Progress("rung", f"Trying {rung.title}.", data={"name": rung.name}))
            time.sleep(1.0 if recipe.specialist.name == "slow" else self.pause)
            facts = rung.model_copy(update={"state": "tried", "why": ""}).model_dump(mode="json")
            share = 0.1 + 0.8 * (number + 1) / len(rungs)
            report(Progress("rung", f"{rung.title}: tried.", share, 20 * (1 - share), facts))
        ladder = [rung.model_dump(mode="json") for rung in rungs]
        report(Progress("choose", "Chosen: ensemble.", data={"name": "ensemble", "ladder": ladder}))
        card = cards.banking().model_copy(update={"name": recipe.specialist.name})
        self._add(card)
        report(Progress("done", "Made.", 1.0, 0.0))
        return card

    def evaluate(
        self,
        name: str,
        *,
        on: str,
        against: Sequence[str] = (),
        report: Report = silent,
        cancelled: Cancelled = lambda: False,
    ) -> dict[str, Any]:
        report(Progress("eval", f"{name} answers.", 0.5))
        return {"name": name, "items": len(Path(on).read_text().splitlines()), "against": against}

    def compare(self, first: str, second: str, *, on: str) -> Any:
        assert Path(on).is_file()
        assert first != second
        return cards.banking().evidence[0]

    def check_eval(self, on: str) -> dict[str, Any]:
        return {"items": len(Path(on).read_text().splitlines()), "problems": []}

    def find(self, query: Query, /) -> Found:
        """Every word of the query, among names and descriptions."""
        words = query.words.casefold().split()
        hits = [
            Hit(catalogued(entry), "here", installed=entry.reference.familiar)
            for entry in self.list()
        ]
        hits += self.found
        hits = [
            hit
            for hit in hits
            if (not query.task or hit.entry.task == query.task)
            and all(
                word in f"{hit.entry.name[:300]} {hit.entry.description[:300]}".casefold()
                for word in words
            )
        ]
        shown = tuple(hits[query.offset : query.offset + query.limit])
        facets = Counter(hit.entry.task for hit in hits)
        return Found(
            query,
            shown,
            len(hits),
            {"task": tuple(Facet(*pair) for pair in facets.most_common())},
            milliseconds=0.1,
        )

    def remove(self, name: str) -> None:
        entry = self.show(name)
        with self._lock:
            del self._entries[entry.reference.familiar]

    def collect_garbage(self) -> dict[str, int]:
        return {"removed": 0, "bytes": 0}

    def lineage(self, name: str) -> tuple[Any, ...]:
        entry = self.show(name)
        return lineage(entry, self.list())  # type: ignore[arg-type,type-var]

    def search_hub(self, query: Query) -> list[Hit]:
        if query.words == "offline":
            raise UnavailableError("The hub cannot be reached.", remedy="Look at the network.")
        return [hit for hit in self.of_hub if query.words in hit.entry.name]

    def entry(self, origin: str, name: str) -> Hit:
        if (origin, name) not in self.catalogue:
            raise NotFoundError(f"{origin!r} has no entry {name!r}.", code="no_entry")
        return self.catalogue[origin, name]

    def fit(self, what: Any) -> Fit:
        return Fit("unknown", why="Nothing was measured here.")

    def mistakes(self, name: str) -> Any:
        return None

    def verify(self, *, remake: bool = False, report: Report = silent) -> dict[str, Any]:
        report(Progress("verify", "Checked."))
        return {"checked": len(self._entries), "problems": [], "remake": remake}


def predict(labels: Sequence[str], text: str, top: int) -> Prediction:
    """An answer that depends on the letters of ``text`` only."""
    seen = Counter(text.lower())
    logits = [sum(min(seen[c], n) for c, n in Counter(label).items()) / 3 for label in labels]
    peak = max(logits)
    weights = [math.exp(value - peak) for value in logits]
    total = sum(weights)
    order = sorted(range(len(labels)), key=lambda index: -weights[index])[:top]
    scores = tuple((labels[index], weights[index] / total) for index in order)
    best, probability = scores[0]
    out = text.isupper()
    abstained = out or len(text) < 4
    energy = peak + math.log(total)
    return Prediction(
        None if abstained else best, probability, best, abstained, out, energy, scores
    )
