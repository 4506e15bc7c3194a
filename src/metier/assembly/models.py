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
from typing import TYPE_CHECKING, Any, Protocol

from metier.assembly.catalogue import Catalogue, Known
from metier.assembly.residences import Residences, with_opening
from metier.assembly.translating import turns_of, written_of
from metier.conversing import OnText, Reply, Sampling, Turn
from metier.errors import InputError
from metier.generating import (
    Cancelled,
    Embedded,
    Loading,
    ModelListing,
    ModelSheet,
    OnPiece,
    Piece,
    Question,
    Ranked,
    RunningModel,
    Taken,
    Written,
)

if TYPE_CHECKING:
    from metier.messages import Encoder
    from metier.scheduler import LocalScheduler


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


OpenEncoder = Callable[[str], "Encoder"]
"""The encoder of an installed base, by its name."""


class LocalModels:
    """``generating.Models``; threads share it.

    Args:
        catalogue: What there is.
        residences: What local models are loaded as.
        scheduler: What is in memory.
        specialist: How chat specialists answer.
        encoder: How encoders are opened.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        residences: Residences,
        scheduler: LocalScheduler,
        *,
        specialist: AskSpecialist,
        encoder: OpenEncoder,
    ) -> None:
        self._catalogue = catalogue
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
        known = self._catalogue.known(name)
        metadata: dict[str, Any] = {
            "general.architecture": known.listing.details.family or "specialist"
        }
        if verbose:
            metadata["metier.task"] = known.listing.task
        return ModelSheet(listing=known.listing, metadata=metadata)

    def running(self) -> Sequence[RunningModel]:
        """What is in memory, the longest-lived first; names of one base share its memory."""
        found = []
        for resident in self._scheduler.residents():
            for name in resident.names:
                found.append(
                    RunningModel(
                        listing=self._catalogue.known(name).listing,
                        memory_bytes=resident.memory_bytes,
                        context=resident.context,
                        expires=resident.stays[name],
                        users=resident.users,
                    )
                )
        return found

    # --- memory -----------------------------------------------------------------------------------

    def load(
        self, name: str, *, keep_alive: float | None = None, loading: Loading = UNSAID
    ) -> float:
        """Bring one into memory; returns the seconds it took."""
        known = self._catalogue.known(name)
        if known.file is None:
            return 0.0
        residence = self._residences.residence(known, loading)
        with self._scheduler.use(
            residence, name=known.listing.name, keep_alive=keep_alive
        ) as lease:
            return lease.load_seconds

    def unload(self, name: str) -> bool:
        """Let one go; whether it was in memory."""
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
        name, _, base = name.partition("@")
        known = self._catalogue.known(name)
        if known.file is not None:
            return self._ask_model(known, question, loading, keep_alive, on_piece, cancelled)
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
        began = time.monotonic()
        if known.file is None:
            vectors = self._encoder(known.listing.name).encode(list(texts))
            return Embedded(
                tuple(tuple(float(value) for value in row) for row in vectors),
                tokens=0,
                taken=Taken(total=time.monotonic() - began),
            )
        residence = self._residences.residence(known, loading)
        with self._scheduler.use(
            residence, name=known.listing.name, keep_alive=keep_alive, cancelled=cancelled
        ) as lease:
            return lease.worker.embed(texts, truncate=truncate, cancelled=cancelled)

    def rank(self, name: str, query: str, documents: Sequence[str]) -> Ranked:
        """Documents by relevance: by a reranker, or by the cosine of an embedding model."""
        known = self._catalogue.known(name)
        if known.listing.task == "embed":
            embedded = self.embed(name, [query, *documents])
            return Ranked(by_cosine(embedded.vectors), embedded.tokens)
        if known.listing.task != "rerank":
            raise _cannot(known, "rank")
        residence = self._residences.residence(known, UNSAID)
        with self._scheduler.use(residence, name=known.listing.name) as lease:
            return lease.worker.rank(query, documents)

    def close(self) -> None:
        """End every worker."""
        self._scheduler.close()

    # --- inside -----------------------------------------------------------------------------------

    def _ask_model(
        self,
        known: Known,
        question: Question,
        loading: Loading,
        keep_alive: float | None,
        on_piece: OnPiece | None,
        cancelled: Cancelled | None,
    ) -> Written:
        residence = self._residences.residence(known, loading)
        voice = self._residences.voice(known)
        whole = with_opening(known, question)
        with self._scheduler.use(
            residence, name=known.listing.name, keep_alive=keep_alive, cancelled=cancelled
        ) as lease:
            return lease.worker.ask(whole, voice, on_piece=on_piece, cancelled=cancelled)

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


def _cannot(known: Known, what: str) -> InputError:
    does = ", ".join(known.listing.capabilities) or known.listing.task
    return InputError(
        f"{known.listing.name!r} does not {what}; it does this: {does}.",
        code="no_capability",
        remedy="'metier list' shows the task of each.",
    )
