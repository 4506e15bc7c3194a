"""Work in a thread of its own whose words go to the caller as they are said.

It knows threads, the loop and ASGI; it knows no model and no dialect. The caller who leaves is
seen at once, while the work is silent too, and the work is told to stop. An error before the first
byte is raised, so that it becomes an ordinary reply with its status; a later one is a last line.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable

from starlette.responses import Response

from metier.errors import InternalError, MetierError
from metier.server.guard import Receive, Scope, Send

Put = Callable[[bytes], None]
Cancelled = Callable[[], bool]
Work = Callable[[Put, Cancelled], None]
"""Blocks; says bytes as it goes; stops soon after ``Cancelled`` is true."""
LateHeaders = Callable[[], Iterable[tuple[str, str]]]
"""Headers that are known only once the work has begun to speak: who speaks."""
LEFT = 499


class Lines(Response):
    """The answer that some work gives.

    Args:
        work: Says the answer.
        failed: The last line for an error after the first byte.
        media_type: Of the answer.
        whole: The work says one thing; it goes out with its length.
        status: Of the answer.
        late: Gives further headers when the first word is there; see ``LateHeaders``.
    """

    def __init__(
        self,
        work: Work,
        *,
        failed: Callable[[MetierError], bytes],
        media_type: str = "application/x-ndjson",
        whole: bool = False,
        status: int = 200,
        late: LateHeaders | None = None,
    ) -> None:
        super().__init__(status_code=status, media_type=media_type)
        self._work = work
        self._failed = failed
        self._whole = whole
        self._late = late
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the work and pass on what it says; raises the error that came before a word."""
        del scope
        spoken = _Spoken(self._work)
        gone = asyncio.ensure_future(_until_gone(receive, spoken))
        try:
            await self._pass_on(spoken, send)
        finally:
            spoken.stop.set()
            gone.cancel()

    async def _pass_on(self, spoken: _Spoken, send: Send) -> None:
        said = await spoken.heard()
        if spoken.left:
            await send({"type": "http.response.start", "status": LEFT, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        if spoken.error is not None and not said:
            raise spoken.error
        headers = list(self.raw_headers)
        if self._late is not None:
            headers += [(name.encode(), value.encode("latin-1")) for name, value in self._late()]
        if self._whole:
            while not (spoken.ended or spoken.left):
                said += await spoken.heard()
            headers.append((b"content-length", b"%d" % len(said)))
        else:
            headers += [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
        start = {"type": "http.response.start", "status": self.status_code, "headers": headers}
        await send(start)
        while not (spoken.ended or spoken.left):
            await send({"type": "http.response.body", "body": said, "more_body": True})
            said = await spoken.heard()
        if spoken.error is not None:
            said += self._failed(spoken.error)
        await send({"type": "http.response.body", "body": said})


class _Spoken:
    """What the work has said and the loop has not yet passed on."""

    def __init__(self, work: Work) -> None:
        self.stop = threading.Event()
        self.left = False
        self.ended = False
        self.error: MetierError | None = None
        self._said: deque[bytes] = deque()
        self._done = False
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        threading.Thread(target=self._run, args=(work,), name="metier-lines", daemon=True).start()

    def _run(self, work: Work) -> None:
        try:
            work(self._put, self.stop.is_set)
        except MetierError as error:
            self.error = error
        except BaseException:
            self.error = InternalError(
                "The answer broke off: a defect of Metier.", remedy="See the log of 'metier up'."
            )
            raise
        finally:
            self._done = True
            self._tell()

    def _put(self, said: bytes) -> None:
        self._said.append(said)
        self._tell()

    def _tell(self) -> None:
        # The loop is gone when the server stops; nobody listens then.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake.set)

    def leave(self) -> None:
        """The caller left."""
        self.left = True
        self.stop.set()
        self._wake.set()

    async def heard(self) -> bytes:
        """What was said since the last call; waits for a word, the end, or that the caller left.

        Sets ``ended`` once everything was heard.
        """
        while not (self._said or self._done or self.left):
            self._wake.clear()
            await self._wake.wait()
        # Read before the words: what is said before the end is heard with it.
        done = self._done
        said = []
        while self._said:
            said.append(self._said.popleft())
        self.ended = done
        return b"".join(said)


async def _until_gone(receive: Receive, spoken: _Spoken) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    spoken.leave()
