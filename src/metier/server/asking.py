"""Answers in the making: threads that write, a reader that leaves, errors before and after.

It knows threads, a queue and the event loop; it knows no dialect and no model. Each answer has a
thread of its own and none of the pool's, so that however many wait for a model, the server's other
calls are answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from metier.errors import InternalError, MetierError

QUIET_SECONDS = 10.0
"""After so long without a word ``alive`` is sent, so that nobody on the way hangs up."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Put = Callable[[Item], None]


@dataclass(frozen=True, slots=True)
class Ended(Generic[Result]):
    """The end of one of the answers of a request: which one, and the whole of it."""

    place: int
    result: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no answer; ``defect`` is what to log if it is ours."""

    error: MetierError
    defect: Exception | None = None


class Asking(Generic[Item, Result]):
    """One request's answers, each made by a job in a thread of its own.

    Args:
        jobs: Each is called with what takes its pieces and makes one answer; it blocks, and gives
            up when ``stop`` is set.
        stop: Set when the caller has left, or another of the answers failed.
    """

    def __init__(self, jobs: Sequence[Callable[[Put[Item]], Result]], stop: threading.Event) -> None:
        self._jobs = jobs
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Item | Ended[Result] | Failed] = asyncio.Queue()

    def _put(self, item: Item | Ended[Result] | Failed) -> None:
        # The loop is gone when the server stops; the answer then has no reader.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)

    def _start(self) -> None:
        def work(place: int) -> None:
            try:
                self._put(Ended(place, self._jobs[place](self._put)))
            except MetierError as error:
                self._put(Failed(error))
            except Exception as error:  # noqa: BLE001  handed to the request, which raises it
                defect = InternalError(
                    "The answer broke off: a defect of Metier.", code="internal"
                )
                self._put(Failed(defect, error))

        for place in range(len(self._jobs)):
            threading.Thread(
                target=work, args=(place,), name=f"metier-answer-{place}", daemon=True
            ).start()

    async def whole(self, request: Request) -> list[Result]:
        """The answers in order; the work is stopped if the caller leaves.

        Raises what a job raised.
        """
        self._start()
        leaving = asyncio.ensure_future(_left(request))
        found: dict[int, Result] = {}
        try:
            while len(found) < len(self._jobs):
                reading = asyncio.ensure_future(self._queue.get())
                await asyncio.wait(
                    [reading, leaving] if not leaving.done() else [reading],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if leaving.done():
                    self._stop.set()
                item = await reading
                if isinstance(item, Failed):
                    raise item.defect or item.error
                if isinstance(item, Ended):
                    found[item.place] = item.result
        finally:
            self._stop.set()
            leaving.cancel()
        return [found[place] for place in sorted(found)]

    async def streamed(
        self,
        written: Callable[[Item | Ended[Result] | MetierError], bytes],
        *,
        opening: bytes = b"",
        closing: Callable[[], bytes] = bytes,
        alive: bytes = b"",
        media_type: str = "text/event-stream",
    ) -> Response:
        """The answers as they are written; a caller who leaves ends them.

        Args:
            written: A piece, an end or an error as bytes of the stream.
            opening: What the stream starts with.
            closing: What follows the last end; not sent after an error.
            alive: Sent when nothing was written for a while; nothing if empty.
            media_type: Of the stream.

        An error before the first piece is raised, so that it is an ordinary error with its status.
        """
        self._start()
        first = await self._queue.get()
        if isinstance(first, Failed):
            self._stop.set()
            raise first.defect or first.error

        async def stream() -> AsyncIterator[bytes]:
            left = len(self._jobs)
            items: list[Item | Ended[Result] | Failed] = [first]
            out = [opening]
            try:
                while True:
                    for item in items:
                        if isinstance(item, Failed):
                            out.append(written(item.error))
                            yield b"".join(out)
                            return
                        left -= isinstance(item, Ended)
                        out.append(written(item))
                    if left == 0:
                        out.append(closing())
                        yield b"".join(out)
                        return
                    if any(out):
                        yield b"".join(out)
                    out = []
                    items = await self._more()
                    if not items:
                        out = [alive]
            finally:
                self._stop.set()

        return StreamingResponse(
            stream(),
            media_type=media_type,
            headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
        )

    async def _more(self) -> list[Item | Ended[Result] | Failed]:
        """Everything that waits, after waiting for the first of it; empty after a quiet while."""
        try:
            items = [await asyncio.wait_for(self._queue.get(), QUIET_SECONDS)]
        except TimeoutError:
            return []
        while not self._queue.empty():
            items.append(self._queue.get_nowait())
        return items


async def _left(request: Request) -> None:
    """Return once the caller has left; the body was read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
