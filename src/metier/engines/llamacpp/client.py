"""Our side of a worker: many threads ask, one thread reads what comes back and hands it out.

It knows requests under way, hangs and endings; it knows neither the sandbox's kind nor how an
answer is made.
"""

from __future__ import annotations

import itertools
import json
import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from metier.engines.llamacpp import wire
from metier.errors import InputError, MetierError, UnavailableError
from metier.generating import (
    Cancelled,
    Embedded,
    OnPiece,
    Question,
    Ranked,
    Taken,
    Voice,
    Written,
)
from metier.sandbox import Talking

_PATIENCE: Final = 30.0  # seconds without a word after which a worker is taken for hung
_ASKING: Final = 10.0  # seconds of silence after which it is asked for a word
_LOOK: Final = 0.05  # seconds between two looks at whether a caller has given up
_LINES_KEPT: Final = 12
_CLOCK: Final = re.compile(r"^[\d.]+ [A-Z] ")
_FACTS: Final = ("print_info:", "llama_model_loader:")  # about every model, told at each start


class LocalWorker:
    """A worker process; see :class:`metier.generating.Worker`. Threads share it.

    Args:
        talking: The started process.
        plan: What it is to load, as it sees it.
        seconds: How long loading may take.

    Raises:
        UnavailableError: ``engine_failed``, with the engine's own words.
    """

    def __init__(self, talking: Talking, plan: Mapping[str, Any], *, seconds: float) -> None:
        self._talking = talking
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._heard = time.monotonic()
        self._over = False
        first: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._waiting[0] = first
        threading.Thread(target=self._read, name="metier-engine", daemon=True).start()
        try:
            self._send(plan)
            said = first.get(timeout=seconds)
        except (queue.Empty, MetierError):
            said = None
        if said is None or "failed" in said:
            self.close()
            raise self._failed(said)
        self._context = int(said["ready"]["context"])

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return not self._over and self._talking.alive

    @property
    def context(self) -> int:
        """Tokens of context for one request."""
        return self._context

    @property
    def memory_bytes(self) -> int:
        """What it holds in memory now (proportional share of mapped files)."""
        return self._talking.memory_bytes

    def ask(
        self,
        question: Question,
        voice: Voice,
        *,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        """Answer one question; ``on_piece`` is called in this thread."""
        began = time.monotonic()
        request = {
            "do": "ask",
            "question": wire.from_question(question),
            "voice": wire.from_voice(voice),
            "pieces": on_piece is not None,
        }
        for reply in self._under_way(request, cancelled):
            if "piece" not in reply:
                written = wire.to_written(reply["done"])
                taken = {**_fields(written.taken), "total": time.monotonic() - began}
                return Written(**{**_fields(written), "taken": Taken(**taken)})
            if on_piece is not None:
                on_piece(wire.to_piece(reply["piece"]))
        raise self._ended()

    def embed(
        self, texts: Sequence[str], *, truncate: bool = True, cancelled: Cancelled | None = None
    ) -> Embedded:
        """Vectors of texts."""
        began = time.monotonic()
        request = {"do": "embed", "texts": list(texts), "truncate": truncate}
        done = self._done(request, cancelled)
        vectors = tuple(tuple(vector) for vector in done["vectors"])
        taken = Taken(total=time.monotonic() - began, tokens_in=done["tokens"])
        return Embedded(vectors, done["tokens"], done["truncated"], taken)

    def rank(
        self, query: str, documents: Sequence[str], *, cancelled: Cancelled | None = None
    ) -> Ranked:
        """Documents by relevance to a query."""
        request = {"do": "rank", "query": query, "documents": list(documents)}
        done = self._done(request, cancelled)
        return Ranked(tuple((place, score) for place, score in done["order"]), done["tokens"])

    def tokens(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, special tokens of the vocabulary recognised."""
        return tuple(self._done({"do": "tokens", "text": text}, None))

    def close(self) -> None:
        """End the process; questions in flight fail with ``engine_ended``."""
        self._talking.close()

    def _done(self, request: dict[str, Any], cancelled: Cancelled | None) -> Any:
        for reply in self._under_way(request, cancelled):
            return reply["done"]
        raise self._ended()

    def _under_way(
        self, request: dict[str, Any], cancelled: Cancelled | None
    ) -> Iterator[dict[str, Any]]:
        """The replies to one request; what is not read to its end is cancelled."""
        replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        number = next(self._numbers)
        with self._lock:
            if self._over:
                raise self._ended()
            self._waiting[number] = replies
        ended = False
        try:
            self._send({**request, "id": number})
            while not ended:
                reply = self._next(replies, cancelled)
                ended = "piece" not in reply
                if "error" in reply:
                    raise wire.to_error(reply["error"])
                yield reply
        finally:
            with self._lock:
                self._waiting.pop(number, None)
            if not ended and self.alive:
                self._send({"id": number, "do": "cancel"})

    def _next(
        self,
        replies: queue.SimpleQueue[dict[str, Any] | None],
        cancelled: Cancelled | None,
    ) -> dict[str, Any]:
        since = asked = time.monotonic()
        while True:
            if cancelled is not None and cancelled():
                raise InputError("The question was cancelled.", code="cancelled")
            try:
                reply = replies.get(timeout=_ASKING if cancelled is None else _LOOK)
            except queue.Empty:
                now = time.monotonic()
                silence = now - max(self._heard, since)
                if silence > _PATIENCE:
                    self._talking.end()
                elif silence >= _ASKING and now - asked >= _ASKING:
                    asked = now
                    self._send({"id": 0, "do": "ping"})
                continue
            if reply is None:
                raise self._ended()
            return reply

    def _send(self, line: Mapping[str, Any]) -> None:
        try:
            self._talking.send(wire.pack(line))
        except UnavailableError:
            raise self._ended() from None

    def _read(self) -> None:
        """In a thread of its own: hand out what arrives, until the process ends."""
        lines = wire.Lines()
        while data := self._talking.receive():
            self._heard = time.monotonic()
            for line in lines.add(data):
                reply = json.loads(line)
                waiting = self._waiting.get(reply.get("id", 0))
                if waiting is not None:
                    waiting.put(reply)
        with self._lock:
            self._over = True
            waiting_now = list(self._waiting.values())
        for waiting in waiting_now:
            waiting.put(None)

    def _failed(self, said: Mapping[str, Any] | None) -> MetierError:
        """Why it did not start, with the engine's last words."""
        words = last_words(self._talking.said)
        if said is None:
            return UnavailableError(
                f"The engine ended while it loaded the model{_because(words)}.",
                code="engine_failed",
                details={"stderr": words},
            )
        error = wire.to_error(said["failed"])
        adapter = next((word for word in words if "lora adapter" in word), None)
        if adapter is not None:
            return InputError(
                f"An adapter does not fit the base: {adapter.rpartition('adapter: ')[2]}.",
                code="wrong_base",
                remedy="Use the adapter with the base that it was made for.",
                details={"stderr": words},
            )
        if error.code != "engine_failed" or error.details:
            return error
        return UnavailableError(
            f"{error.message.rstrip('.')}{_because(words)}.",
            code="engine_failed",
            details={**error.details, "stderr": words},
        )

    def _ended(self) -> MetierError:
        words = last_words(self._talking.said)
        return UnavailableError(
            "The engine's process ended while it answered.",
            code="engine_ended",
            remedy="Ask again: it is started anew.",
            retryable=True,
            details={"stderr": words},
        )


def last_words(said: bytes) -> list[str]:
    """The last lines that the engine wrote, without its clock."""
    lines = (_CLOCK.sub("", line).strip() for line in said.decode("utf-8", "replace").splitlines())
    return [line for line in lines if line and not line.startswith(_FACTS)][-_LINES_KEPT:]


def _because(words: Sequence[str]) -> str:
    telling = [word for word in words if "error" in word.lower() or "fail" in word.lower()]
    return f": {(telling or list(words))[0].rstrip('.')}" if words else ""


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
