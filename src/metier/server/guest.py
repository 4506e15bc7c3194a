"""An application of another unit inside this server: made at its first request, ended with it.

It knows that a guest is an ASGI application with a lifespan, and nothing of what it answers. It
stands behind the guard like every other route.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from metier.server.guard import Receive, Scope, Send


class Guest:
    """A guest application.

    Args:
        make: Makes it, in a thread, at the first request; it may import what is heavy. It has
            ``router.lifespan_context`` as Starlette's applications have.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._ended = asyncio.Event()
        self._living: asyncio.Task[None] | None = None
        self._app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self._lock:
            if self._app is None:
                await self._open()
        await self._app(scope, receive, send)

    async def close(self) -> None:
        """End its lifespan, if it began."""
        self._ended.set()
        if self._living is not None:
            await self._living

    async def _open(self) -> None:
        app = await run_in_threadpool(self._make)
        begun = asyncio.Event()
        # A task of its own, because a lifespan must end in the task that it began in.
        self._living = asyncio.create_task(self._live(app, begun))
        waiting = asyncio.create_task(begun.wait())
        await asyncio.wait([self._living, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not begun.is_set():
            await self._living
        self._app = app

    async def _live(self, app: Any, begun: asyncio.Event) -> None:
        async with app.router.lifespan_context(app):
            begun.set()
            await self._ended.wait()
