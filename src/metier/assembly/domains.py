"""The router's domain model of this home: from which questions it is made, where it is kept.

It knows which texts of an installed specialist may be learned from: a classifier's training rows,
the headings and code of a chat specialist's documents, the lines of its prompt. Sealed items are
never among them: of a classifier they are left out by its own split, and the tasks of executed
evals are all sealed. It asks no network; rows that are not here are not fetched.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metier.card import Card, ChatCard
from metier.errors import MetierError
from metier.fleet import Installed
from metier.manifest import canonical_json
from metier.store.disk import storage_errors, write_whole

if TYPE_CHECKING:
    from metier.retrieval.chunking import Chunk
    from metier.router import DomainModel

REVISION = 1
"""Raised when the questions that are taken change."""
MOST_QUESTIONS = 1500
"""Of one specialist: more teach a linear model little and make it wait."""
REVISION_OF_DECISIONS = 1
KEPT = 4
"""Models that stay in the home: the fleet may go back to what it was."""
_ASKED = (
    "How do I {verb} in {subject}?",
    "Write a {subject} {thing}.",
    "My {subject} {thing} does not work.",
    "What is wrong with this {subject} {thing}?",
)
_VERBS = ("show a list", "load data", "handle a click", "pass a value", "test this", "fix an error")
_THINGS = ("example", "component", "function", "page", "form", "test")
_FENCE = re.compile(r"^(`{3,})[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_MOST_CODE = 1200
_SHORTEST = 3
_NAMED_IN = 5
"""One heading in so many is asked for with the name of what is documented."""
_LEAST_SPACES = 4
_MOST_SENTENCE = 300


@dataclass(frozen=True, slots=True)
class Means:
    """What questions are read from.

    Attributes:
        home: The home folder.
        installed: Everything that is here.
        rows: A classifier's training texts that are on this machine, or ``None``.
        prompt: A chat specialist's prompt.
        chunks: The passages of an installed pack, by its name.
    """

    home: Path
    installed: Callable[[], Sequence[Installed]]
    rows: Callable[[Installed], Sequence[str] | None]
    prompt: Callable[[Installed], str]
    chunks: Callable[[str], Sequence[Chunk]]


class Domains:
    """The domain model of one home; threads may share it.

    While a changed fleet's model is made in a thread, the one before it answers.
    """

    def __init__(self, means: Means) -> None:
        self._means = means
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._held: tuple[str, DomainModel | None] | None = None
        self._thread: threading.Thread | None = None

    def model(self, *, wait: bool = True) -> DomainModel | None:
        """The model of the fleet as it is; ``None`` where no specialist has a question.

        Args:
            wait: Whether to wait for a model that has to be made; else the one before it is
                given, and this one is made in a thread.
        """
        key = self.key()
        held = self._held
        if held is not None and held[0] == key:
            return held[1]
        kept = self._read(key)
        if kept is not None:
            self._held = (key, kept)
            return kept
        if not wait and held is not None:
            self._start(key)
            return held[1]
        return self._made(key)

    def key(self) -> str:
        """What says that the model must be made again: over everything that it is made from."""
        told = sorted(
            [item.name, str(item.system), str(item.digest)]
            for item in self._means.installed()
            if isinstance(item.card, Card | ChatCard) or item.pack is not None
        )
        return _hash([REVISION, REVISION_OF_DECISIONS, told])

    def questions(self) -> dict[str, tuple[str, ...]]:
        """Domain to its questions; those of no domain in particular are the router's own."""
        found: dict[str, list[str]] = {}
        for item in self._means.installed():
            if isinstance(item.card, Card | ChatCard) and item.card.domain:
                own = picked(self._of(item, item.card), MOST_QUESTIONS)
                found.setdefault(item.card.domain, []).extend(own)
        return {
            domain: tuple(dict.fromkeys(texts))
            for domain, texts in sorted(found.items())
            if texts and domain != "general"
        }

    # --- inside ---------------------------------------------------------------------------------

    def _of(self, item: Installed, card: Card | ChatCard) -> Iterable[str]:
        if isinstance(card, Card):
            if card.task == "classify-image":
                return ()  # its rows are pictures, which say nothing of a text
            rows = self._means.rows(item)
            return rows if rows is not None else _of_labels(card)
        found = [card.description, *_of_names(card)]
        with suppress(MetierError):
            found += lines_of(self._means.prompt(item))
        for pack in card.packs:
            with suppress(MetierError):
                found += questions_of(self._means.chunks(pack))
        return found

    def _start(self, key: str) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return

            def work() -> None:
                with suppress(MetierError):  # the model before it goes on answering
                    self._made(key)

            self._thread = threading.Thread(target=work, name="metier-domains", daemon=True)
            self._thread.start()

    def _made(self, key: str) -> DomainModel | None:
        from metier.router.learning import fit_domains

        with self._making:
            if self._held is not None and self._held[0] == key:
                return self._held[1]
            questions = self.questions()
            model = fit_domains(questions) if questions else None
            if model is not None:
                self._keep(key, model.to_bytes())
            self._held = (key, model)
            return model

    def _read(self, key: str) -> DomainModel | None:
        from metier.router import DomainModel

        try:
            data = (self._folder / f"{key}.model").read_bytes()
            digest, _, body = data.partition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != digest:
                return None  # damaged: it is made again
            return DomainModel.from_bytes(body)
        except (OSError, MetierError):
            return None

    @property
    def _folder(self) -> Path:
        return self._means.home / "routes" / "models"

    def _keep(self, key: str, body: bytes) -> None:
        # Only a convenience: a home that cannot be written costs time, not a decision.
        with suppress(MetierError), storage_errors("Keeping the router's model"):
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{key}.model"
            data = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
            write_whole(path, data, drafts=self._folder)
            kept = sorted(self._folder.glob("*.model"), key=lambda one: one.stat().st_mtime)
            for old in kept[:-KEPT]:
                old.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------- the questions


def questions_of(chunks: Sequence[Chunk]) -> list[str]:
    """Documents as questions: headings, the sentences below them, and the code that stands there.

    A heading is what somebody looks for who asks, a sentence has the words that he uses, the code
    is what he pastes. The subject is named in some only: most people who ask do not name it, and a
    model that saw it everywhere would be sure of nothing without it.
    """
    found: list[str] = []
    for place, chunk in enumerate(chunks):
        subject = chunk.version.partition("@")[0]
        headings = dict.fromkeys((*chunk.covers, *chunk.trail[-1:]))
        for heading in headings:
            asked = heading.strip("`# ").strip()
            if len(asked) < _SHORTEST:
                continue
            named = bool(subject) and place % _NAMED_IN == 0
            found.append(f"How do I use {asked}{f' in {subject}' if named else ''}?")
            found.append(f"{subject} {asked}" if named else asked)
        found += [match[2][:_MOST_CODE] for match in _FENCE.finditer(chunk.text)]
        found += _sentences(_FENCE.sub("", chunk.text))
    return found


def _sentences(text: str) -> list[str]:
    lines = (line.strip(" \t-*#>|") for line in text.splitlines())
    said = [one.strip() for line in lines for one in re.split(r"(?<=[.?!])\s+", line)]
    return [one[:_MOST_SENTENCE] for one in said if one.count(" ") >= _LEAST_SPACES]


def lines_of(prompt: str) -> list[str]:
    """The lines of a prompt: each says something of what the specialist is asked."""
    lines = (line.strip(" \t-*#") for line in prompt.splitlines())
    return [line for line in lines if len(line) >= _SHORTEST]


def picked(texts: Iterable[str], most: int) -> list[str]:
    """At most so many different texts, the same ones every time and from everywhere among them."""
    different = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(different) <= most:
        return different
    ordered = sorted(different, key=lambda text: hashlib.sha256(_bytes(text)).digest())
    chosen = set(ordered[:most])
    return [text for text in different if text in chosen]


def _of_names(card: ChatCard) -> list[str]:
    """What somebody asks who names the subject: its domain, its toolchains, its tools."""
    versions = (name.partition("@")[0] for name in card.toolchains)
    subjects = dict.fromkeys((card.domain, *versions, *card.tools))
    return [
        pattern.format(subject=subject, verb=verb, thing=thing)
        for subject in subjects
        for pattern in _ASKED
        for verb, thing in zip(_VERBS, _THINGS, strict=True)
    ]


def _of_labels(card: Card) -> list[str]:
    """Its labels as words, where the rows that it was made from are not here."""
    words = [re.sub(r"[\W_]+", " ", label).strip() for label in card.labels]
    return [card.description, *(f"{word} {card.domain}" for word in words if word), *words]


def _hash(value: Mapping[str, object] | Sequence[object]) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
