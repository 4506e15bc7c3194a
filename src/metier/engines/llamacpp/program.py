"""The program inside the sandbox: reads requests, answers many at once, writes replies.

It knows the pipes and the order of things; what a request means is known to the modules it calls.
Started as ``python -I -S -B -c … FOLDER… - FILE…`` (see :mod:`metier.engines.llamacpp.opening`).

Lines in: the plan first; then ``{"id", "do", …}`` with ``do`` one of ``ask``, ``embed``, ``rank``,
``tokens``, ``cancel``, ``ping``. Lines out: ``{"ready": …}`` or ``{"failed": …}`` first; then
``{"id", "piece"}``, and at the end of each ``{"id", "done"}`` or ``{"id", "error"}``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from metier.engines.llamacpp import wire
from metier.engines.llamacpp.plan import Plan
from metier.engines.llamacpp.serving import Served, too_long
from metier.engines.llamacpp.trial import Trial
from metier.engines.llamacpp.vocabulary import Vocabulary
from metier.engines.llamacpp.writing import Writer
from metier.errors import InternalError, MetierError
from metier.generating import Piece

_MOST_AT_ONCE: Final = 256  # requests that are waited for; the engine's slots are fewer
_USUAL_CONTEXT: Final = 4096


class Desk:
    """Does what requests ask, each in a thread of its own.

    Args:
        plan: What to load.
        reply: Writes one line.
    """

    def __init__(self, plan: Plan, reply: Callable[[dict[str, Any]], None]) -> None:
        self._reply = reply
        self._plan = plan
        self._vocabulary = Vocabulary(Path(plan.model))
        architecture = self._vocabulary.value("general.architecture") or ""
        trained = int(self._vocabulary.value(f"{architecture}.context_length") or _USUAL_CONTEXT)
        self.context = plan.context or min(trained, _USUAL_CONTEXT)
        pools = self._vocabulary.value(f"{architecture}.pooling_type") is not None
        self._served = Served(plan, context=self.context, pools=pools)
        if plan.trial and plan.task == "generate":
            Trial(self._served, self._vocabulary.size).run()
        self._writer = Writer(self._served, self._vocabulary)
        self._do = {
            "ask": self._ask,
            "embed": self._embed,
            "rank": self._rank,
            "tokens": self._tokens,
        }
        self._under_way: set[int] = set()
        self._stopping: set[int] = set()
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="ask")

    def take(self, request: dict[str, Any]) -> None:
        """Take one request; returns at once."""
        number = request["id"]
        if request["do"] == "cancel":
            if number in self._under_way:
                self._stopping.add(number)
        elif request["do"] == "ping":
            self._reply({"id": number, "done": None})
        else:
            self._under_way.add(number)
            self._pool.submit(self._answer, number, request).add_done_callback(_trace)

    def _answer(self, number: int, request: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"error": _OURS}
        try:
            if number not in self._stopping:
                reply = {"done": self._do[request["do"]](request)}
        except MetierError as error:
            reply = {"error": wire.from_error(error)}
        finally:  # a defect of ours is told too, and its trace goes to stderr
            self._under_way.discard(number)
            self._stopping.discard(number)
            self._reply({"id": number, **reply})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        number = request["id"]

        def pass_on(piece: Piece) -> None:
            self._reply({"id": number, "piece": wire.from_piece(piece)})

        written = self._writer.write(
            wire.to_question(request["question"]),
            wire.to_voice(request["voice"]),
            pass_on if request["pieces"] else None,
            lambda: number in self._stopping,
        )
        return wire.from_written(written)

    def _embed(self, request: dict[str, Any]) -> dict[str, Any]:
        truncated = False
        prompts = []
        for text in request["texts"]:
            tokens = self._vocabulary.tokens(text)
            if len(tokens) > self.context:
                if not request["truncate"]:
                    raise too_long(len(tokens), self.context)
                truncated = True
                last = tokens[-1:] if self._vocabulary.adds_eos else []
                tokens = tokens[: self.context - len(last)] + last
            prompts.append(tokens)
        vectors = self._served.embed(prompts) if prompts else []
        count = sum(len(tokens) for tokens in prompts)
        return {"vectors": vectors, "tokens": count, "truncated": truncated}

    def _rank(self, request: dict[str, Any]) -> dict[str, Any]:
        order, tokens = self._served.rank(request["query"], request["documents"])
        return {"order": order, "tokens": tokens}

    def _tokens(self, request: dict[str, Any]) -> list[int]:
        return self._vocabulary.tokens(request["text"])


def _trace(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        traceback.print_exception(error)


_OURS: Final = wire.from_error(InternalError("The engine's worker failed; its log says where."))


def main(asked: int, replies: int, files: Sequence[str]) -> None:
    """Serve until the requests end.

    Args:
        asked: Descriptor of the requests.
        replies: Descriptor of the replies.
        files: What the plan's numbers stand for.
    """
    requests = os.fdopen(asked, "rb")
    writing = threading.Lock()

    def reply(line: dict[str, Any]) -> None:
        data = memoryview(wire.pack(line))
        with writing:
            while data:
                data = data[os.write(replies, data) :]

    try:
        desk = Desk(Plan.of(json.loads(requests.readline()), files), reply)
    except MetierError as error:
        reply({"failed": wire.from_error(error)})
        return
    reply({"ready": {"context": desk.context}})
    for line in requests:
        desk.take(json.loads(line))
    sys.stderr.flush()
    os._exit(0)  # whoever asked is gone: nothing that is under way matters
