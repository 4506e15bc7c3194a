"""Answers many callers of one specialist together.

While one batch is being answered, the texts that arrive wait; they make the next batch. Nobody
waits for company: an idle specialist answers at once. It knows callers and batches, not HTTP.
The work runs in a small pool of threads, so the event loop stays free.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from metier.errors import MetierError, UnavailableError
from metier.messages import Prediction

Classify = Callable[[str, Sequence[str], int], Sequence[Prediction]]


@dataclass(slots=True)
class _Waiting:
    texts: tuple[str, ...]
    answer: asyncio.Future[Sequence[Prediction]]


@dataclass(slots=True)
class _Queue:
    items: deque[_Waiting] = field(default_factory=deque)
    texts: int = 0

    def push(self, item: _Waiting) -> None:
        self.items.append(item)
        self.texts += len(item.texts)

    def take(self, most: int) -> list[_Waiting]:
        """The next batch: at least one caller, further ones while they fit into ``most``."""
        batch: list[_Waiting] = []
        size = 0
        while self.items and (not batch or size + len(self.items[0].texts) <= most):
            item = self.items.popleft()
            size += len(item.texts)
            batch.append(item)
        self.texts -= size
        return batch


class Batches:
    """One queue per specialist and number of scores.

    Args:
        classify: ``(name, texts, top)`` to predictions; called in a thread.
        most: Texts per batch; a single call with more of them is never split.
        waiting: Texts that may wait in one queue.
        threads: How many specialists answer at the same moment.
    """

    def __init__(
        self, classify: Classify, *, most: int = 64, waiting: int = 20_000, threads: int = 2
    ) -> None:
        self._classify = classify
        self._most = most
        self._limit = waiting
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="metier-answer")
        self._queues: dict[tuple[str, int], _Queue] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def answer(self, name: str, texts: tuple[str, ...], top: int) -> Sequence[Prediction]:
        """One prediction per text.

        Raises what ``classify`` raises, and UnavailableError when too many texts wait already.
        """
        key = (name, top)
        answer: asyncio.Future[Sequence[Prediction]] = asyncio.get_running_loop().create_future()
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue()
            task = asyncio.create_task(self._drain(key, queue))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        elif queue.texts + len(texts) > self._limit:
            raise UnavailableError(
                f"{name!r} has {queue.texts:,} texts waiting already.",
                code="overloaded",
                remedy="Wait a moment and call again.",
                retryable=True,
            )
        queue.push(_Waiting(texts, answer))
        return await answer

    async def _drain(self, key: tuple[str, int], queue: _Queue) -> None:
        try:
            while queue.items:
                await self._settle(key, queue.take(self._most))
        finally:
            del self._queues[key]
            for left in queue.items:
                left.answer.cancel()

    async def _settle(self, key: tuple[str, int], batch: list[_Waiting]) -> None:
        name, top = key
        texts = [text for item in batch for text in item.texts]
        work = asyncio.get_running_loop().run_in_executor(
            self._pool, self._classify, name, texts, top
        )
        await asyncio.wait((work,))
        error = work.exception()
        if error is not None and len(batch) > 1 and isinstance(error, MetierError):
            # One caller's text must not fail its neighbours: answer each alone.
            for item in batch:
                await self._settle(key, [item])
            return
        start = 0
        for item in batch:
            end = start + len(item.texts)
            if item.answer.done():
                pass
            elif error is not None:
                item.answer.set_exception(error)
            else:
                item.answer.set_result(work.result()[start:end])
            start = end

    def close(self) -> None:
        """Let the threads end once they have answered."""
        self._pool.shutdown(wait=False, cancel_futures=True)
