"""Everything that doors do with models by name: local models, specialists and encoders as one.

It knows which of them answers what, and hands a question to the scheduler's workers, to the answer
policy or to an encoder. How a name becomes files is ``residences``' matter, how it is listed is
``catalogue``'s.
"""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from metier.assembly.abilities import lacking
from metier.assembly.catalogue import Catalogue, Known
from metier.assembly.localbases import FileBases, LocalGenerator
from metier.assembly.residences import Loadable, Residences
from metier.assembly.sheets import Sheets
from metier.assembly.translating import turns_of, written_of
from metier.conversing import OnText, Reply, Sampling, Turn
from metier.errors import InputError, MetierError, UnavailableError
from metier.generating import (
    Cancelled,
    Embedded,
    Loading,
    ModelListing,
    ModelSheet,
    OnPiece,
    Order,
    Piece,
    Question,
    Ranked,
    Residence,
    Resident,
    RunningModel,
    Taken,
    Written,
)
from metier.messages import Encoder
from metier.reference import parted

if TYPE_CHECKING:
    from metier.scheduler import LocalScheduler


RETRY_WITHIN = 0.25
"""Seconds: a worker that ended so soon after it got a question had ended before."""
TIME = "%Y-%m-%dT%H:%M:%SZ"
UNSAID = Loading()
"""A loading that says nothing."""


class AskSpecialist(Protocol):
    """Answers by a chat specialist: ``Metier.answer``."""

    def __call__(
        self,
        name: str,
        turns: Sequence[Turn],
        *,
        base: str | None,
        sampling: Sampling | None,
        on_text: OnText | None,
        cancelled: Callable[[], bool],
    ) -> Reply:
        """Answer the last turn."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How what is installed changes.

    Attributes:
        create: Makes a model and names it; the second argument gets a sentence for each stage.
        copy: Gives an installed thing a second name.
        remove: Takes a name away.
    """

    create: Callable[[Order, Callable[[str], None]], object]
    copy: Callable[[str, str], object]
    remove: Callable[[str], None]


class TextEncoder(Encoder, Protocol):
    """An encoder that counts too."""

    def counted(self, texts: Sequence[str]) -> list[tuple[int, bool]]:
        """Of each text: the tokens that are looked at, and whether some were cut off."""


OpenEncoder = Callable[[str], TextEncoder]
"""The encoder of an installed base, by its name."""


class LocalModels:
    """``generating.Models``; threads share it.

    Args:
        catalogue: What there is.
        residences: What local models are loaded as.
        scheduler: What is in memory.
        sheets: What is told of one.
        keeping: How names are given and taken.
        files: Bases that are files of the user's own.
        specialist: How chat specialists answer.
        encoder: How encoders are opened.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        residences: Residences,
        scheduler: LocalScheduler,
        *,
        sheets: Sheets,
        keeping: Keeping,
        files: FileBases,
        specialist: AskSpecialist,
        encoder: OpenEncoder,
    ) -> None:
        self._catalogue = catalogue
        self._sheets = sheets
        self._keeping = keeping
        self._files = files
        self._residences = residences
        self._scheduler = scheduler
        self._specialist = specialist
        self._encoder = encoder

    # --- what is here -----------------------------------------------------------------------------

    def listings(self) -> Sequence[ModelListing]:
        """Every model, specialist and encoder that is here, the latest first."""
        return self._catalogue.listings()

    def listing(self, name: str) -> ModelListing:
        """One of them; raises NotFoundError with near names."""
        return self._catalogue.known(name).listing

    def sheet(self, name: str, *, verbose: bool = False) -> ModelSheet:
        """Everything about one; with ``verbose`` the long lists and the tensors too."""
        return self._sheets.sheet(self._catalogue.known(name), verbose=verbose)

    def running(self) -> Sequence[RunningModel]:
        """What is in memory, the longest-lived first; names of one base share its memory."""
        found = []
        for resident in self._scheduler.residents():
            for name in resident.names:
                found.append(
                    RunningModel(
                        listing=self._resident_listing(name, resident),
                        memory_bytes=resident.memory_bytes,
                        context=resident.context,
                        expires=resident.stays[name],
                        users=resident.users,
                    )
                )
        return found

    def used_bytes(self) -> int:
        """Bytes that everything in memory holds together."""
        return sum(resident.memory_bytes for resident in self._scheduler.residents())

    def writers(self) -> list[str]:
        """Names of the installed models that write, the latest first."""
        return [
            known.listing.name
            for known in self._catalogue.all()
            if known.file is not None and known.file.task == "generate"
        ]

    def generator(self, name: str) -> LocalGenerator:
        """An installed model as a base; raises InputError (``no_capability``) if it cannot write.

        Raises NotFoundError with near names.
        """
        known = self._catalogue.known(name)
        if known.file is None or known.file.task != "generate":
            raise _cannot(known, "write")
        return LocalGenerator(self._residences.loadable(known), self.ask_loadable)

    def file_generator(self, path: Path) -> LocalGenerator:
        """A GGUF file of the user's own as a base, used where it lies; see ``FileBases``."""
        return LocalGenerator(self._files.loadable(path), self.ask_loadable)

    # --- memory -----------------------------------------------------------------------------------

    def load(
        self, name: str, *, keep_alive: float | None = None, loading: Loading = UNSAID
    ) -> float:
        """Bring one into memory; returns the seconds it took."""
        known = self._catalogue.known(name)
        if known.file is None:
            return 0.0
        loadable = self._residences.loadable(known)
        with self._scheduler.use(
            loadable.residence(loading), name=loadable.name, keep_alive=keep_alive
        ) as lease:
            return lease.load_seconds

    def unload(self, name: str) -> bool:
        """Let one go; whether it was in memory."""
        if self._scheduler.unload(name):
            return True  # also a file that is a base, which no list knows
        return self._scheduler.unload(self._catalogue.known(name).listing.name)

    # --- answering --------------------------------------------------------------------------------

    def ask(
        self,
        name: str,
        question: Question,
        *,
        loading: Loading = UNSAID,
        keep_alive: float | None = None,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        """Answer a question; a chat specialist answers through its documents and tools.

        ``name`` may name the base of a chat specialist too: ``sveltekit@NAME``.
        """
        name, base = parted(name)
        known = self._catalogue.known(name)
        if base and known.listing.task != "chat":
            raise InputError(
                f"{name!r} takes no base; only chat specialists do.",
                code="bad_base",
                remedy=f"Write {name}, without @{base[:80]}.",
            )
        if known.file is not None and known.listing.task == "generate":
            return self.ask_loadable(
                self._residences.loadable(known),
                question,
                loading=loading,
                keep_alive=keep_alive,
                on_piece=on_piece,
                cancelled=cancelled,
            )
        if known.listing.task == "chat":
            return self._ask_specialist(known, question, base or None, on_piece, cancelled)
        raise _cannot(known, "write")

    def embed(
        self,
        name: str,
        texts: Sequence[str],
        *,
        truncate: bool = True,
        loading: Loading = UNSAID,
        keep_alive: float | None = None,
        cancelled: Cancelled | None = None,
    ) -> Embedded:
        """Vectors of texts."""
        known = self._catalogue.known(name)
        if known.listing.task != "embed":
            raise _cannot(known, "embed")
        if known.file is None:
            return _encoded(self._encoder(known.listing.name), texts, truncate=truncate)
        residence = self._residences.loadable(known).residence(loading)
        with self._scheduler.use(
            residence, name=known.listing.name, keep_alive=keep_alive, cancelled=cancelled
        ) as lease:
            found = lease.worker.embed(texts, truncate=truncate, cancelled=cancelled)
            return replace(found, taken=_loaded(found.taken, lease.load_seconds))

    def rank(self, name: str, query: str, documents: Sequence[str]) -> Ranked:
        """Documents by relevance: by a reranker, or by the cosine of an embedding model."""
        known = self._catalogue.known(name)
        if known.listing.task == "embed":
            embedded = self.embed(name, [query, *documents])
            return Ranked(by_cosine(embedded.vectors), embedded.tokens)
        if known.listing.task != "rerank":
            raise _cannot(known, "rank")
        residence = self._residences.loadable(known).residence(UNSAID)
        with self._scheduler.use(residence, name=known.listing.name) as lease:
            return lease.worker.rank(query, documents)

    # --- keeping ----------------------------------------------------------------------------------

    def create(self, order: Order, *, report: Callable[[str], None]) -> ModelListing:
        """Make a model and name it, all or nothing; see ``creating.create`` for what it raises.

        A model of that name in memory is let go: it was another one.
        """
        self._keeping.create(order, report)
        listing = self._catalogue.known(order.name).listing
        self._scheduler.unload(listing.name)
        return listing

    def copy(self, source: str, destination: str) -> None:
        """Give a model a second name; see ``Fleet.copy``."""
        self._keeping.copy(source, destination)

    def remove(self, name: str) -> None:
        """Remove a name; a model in memory is let go."""
        known = self._catalogue.known(name)
        self._keeping.remove(known.listing.name)
        self._scheduler.unload(known.listing.name)

    def close(self) -> None:
        """End every worker."""
        self._scheduler.close()

    # --- inside -----------------------------------------------------------------------------------

    def ask_loadable(
        self,
        loadable: Loadable,
        question: Question,
        *,
        loading: Loading = UNSAID,
        keep_alive: float | None = None,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        """Answer a question by a local model, installed or a file.

        If the worker had ended before the question reached it, another one is started and asked:
        once, and only if nothing was said yet. If the prompt is too long for a context that
        nobody named, the model is loaded once more with a larger one, if there is room.
        """
        lacks = lacking(question, loadable.capabilities)
        if lacks is not None:
            raise _lacks(loadable, lacks)
        residence, whole = loadable.residence(loading), loadable.opened(question)
        asking = _Asking(
            self._scheduler, loadable, whole, keep_alive, _Heard(on_piece), on_piece, cancelled
        )
        try:
            return asking.of(residence)
        except InputError as error:
            larger = self._residences.larger(residence, error)
            if larger is None or asking.heard.any:
                raise
            try:
                return asking.of(larger)
            except UnavailableError as other:
                if other.code != "no_memory":
                    raise
                raise error from other

    def _resident_listing(self, name: str, resident: Resident) -> ModelListing:
        """What is listed of a name in memory: also of files, and of what was removed meanwhile."""
        try:
            return self._catalogue.known(name).listing
        except MetierError:
            weights = resident.residence.weights
            return ModelListing(
                name=name,
                digest=weights.digest.removeprefix("sha256:"),
                size_bytes=sum(file.stat().st_size for file in weights.files if file.exists()),
                modified=datetime.fromtimestamp(resident.loaded, UTC).strftime(TIME),
                task=resident.residence.task,
            )

    def _ask_specialist(
        self,
        known: Known,
        question: Question,
        base: str | None,
        on_piece: OnPiece | None,
        cancelled: Cancelled | None,
    ) -> Written:
        turns, sampling = turns_of(question)
        say: OnText | None = None
        if on_piece is not None:
            heard = on_piece

            def say(text: str) -> None:
                heard(Piece(text=text))

        reply = self._specialist(
            known.listing.name,
            turns,
            base=base,
            sampling=sampling,
            on_text=say,
            cancelled=cancelled or _never,
        )
        return written_of(reply)


class _Heard:
    """Hands pieces on, and knows whether there were any."""

    def __init__(self, on_piece: OnPiece | None) -> None:
        self._on_piece = on_piece
        self.any = False

    def piece(self, piece: Piece) -> None:
        self.any = True
        if self._on_piece is not None:
            self._on_piece(piece)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question on its way to a worker, and whether anything was heard of its answer."""

    scheduler: LocalScheduler
    loadable: Loadable
    question: Question
    keep_alive: float | None
    heard: _Heard
    on_piece: OnPiece | None
    cancelled: Cancelled | None

    def of(self, residence: Residence) -> Written:
        """The answer; a worker that had ended before the question is replaced once."""
        for attempt in range(2):
            with self.scheduler.use(
                residence,
                name=self.loadable.name,
                keep_alive=self.keep_alive,
                cancelled=self.cancelled,
            ) as lease:
                began = time.monotonic()
                try:
                    written = lease.worker.ask(
                        self.question,
                        self.loadable.voice,
                        on_piece=self.heard.piece if self.on_piece is not None else None,
                        cancelled=self.cancelled,
                    )
                    return replace(written, taken=_loaded(written.taken, lease.load_seconds))
                except UnavailableError as error:
                    soon = time.monotonic() - began < RETRY_WITHIN
                    if error.code != "engine_ended" or attempt or self.heard.any or not soon:
                        raise
        raise AssertionError("unreachable")


def _encoded(encoder: TextEncoder, texts: Sequence[str], *, truncate: bool) -> Embedded:
    """Vectors by an encoder of ours, which are unit vectors."""
    began = time.monotonic()
    counted = encoder.counted(texts)
    cut = [place for place, (_, over) in enumerate(counted) if over]
    if cut and not truncate:
        raise InputError(
            f"Text {cut[0] + 1} is longer than the {counted[cut[0]][0]} tokens that {encoder.name} "
            "looks at.",
            code="prompt_too_long",
            remedy="Shorten it, or let it be truncated.",
        )
    vectors = encoder.encode(texts)
    tokens, seconds = sum(count for count, _ in counted), time.monotonic() - began
    return Embedded(
        tuple(tuple(row) for row in vectors.tolist()),
        tokens,
        truncated=bool(cut),
        taken=Taken(total=seconds, prompt=seconds, tokens_in=tokens),
    )


def _loaded(taken: Taken, seconds: float) -> Taken:
    """What an answer took, with the wait for its model."""
    return replace(taken, total=taken.total + seconds, load=seconds)


def by_cosine(vectors: Sequence[Sequence[float]]) -> tuple[tuple[int, float], ...]:
    """The places of all vectors but the first by their cosine with the first, best first."""
    query, *documents = vectors
    scores = [_cosine(query, document) for document in documents]
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return tuple((place, scores[place]) for place in order)


def _cosine(first: Sequence[float], second: Sequence[float]) -> float:
    norms = math.hypot(*first) * math.hypot(*second)
    return sum(map(operator.mul, first, second)) / norms if norms else 0.0


def _never() -> bool:
    return False


def _lacks(loadable: Loadable, ability: str) -> InputError:
    return InputError(
        f"{loadable.name!r} does not support {ability}; it does this: "
        f"{', '.join(loadable.capabilities)}.",
        code="no_capability",
        remedy=f"Ask a model with {ability}; 'metier show NAME' tells what each can do.",
    )


def _cannot(known: Known, what: str) -> InputError:
    does = ", ".join(known.listing.capabilities) or known.listing.task
    return InputError(
        f"{known.listing.name!r} does not {what}; it does this: {does}.",
        code="no_capability",
        remedy="'metier list' shows the task of each.",
    )
