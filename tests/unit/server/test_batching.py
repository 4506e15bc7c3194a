"""Batches: texts that arrive together are answered together, and nobody pays for a neighbour."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from metier.errors import InputError, UnavailableError
from metier.messages import Prediction
from metier.server.batching import Batches


def prediction(text: str) -> Prediction:
    return Prediction(text, 1.0, text, False, False, None, ((text, 1.0),))


class Recorder:
    """Classifies by repeating the text, and remembers which texts came together."""

    def __init__(self, pause: float = 0.0) -> None:
        self.calls: list[tuple[str, list[str], int]] = []
        self.threads: set[str] = set()
        self.pause = pause

    def __call__(self, name: str, texts: Sequence[str], top: int) -> list[Prediction]:
        self.calls.append((name, list(texts), top))
        self.threads.add(threading.current_thread().name)
        time.sleep(self.pause)
        if "bad" in texts:
            raise InputError("It is bad.")
        return [prediction(text) for text in texts]


async def ask(batches: Batches, *texts: str, name: str = "m", top: int = 5) -> list[str | None]:
    return [answer.label for answer in await batches.answer(name, texts, top)]


def test_each_caller_gets_its_own_answers_in_order() -> None:
    async def main() -> None:
        batches = Batches(Recorder(0.01))
        asked = [(f"a{i}", f"b{i}") for i in range(40)]
        assert await asyncio.gather(*(ask(batches, *texts) for texts in asked)) == [
            list(texts) for texts in asked
        ]
        batches.close()

    asyncio.run(main())


def test_what_arrives_while_one_is_answered_goes_together() -> None:
    async def main() -> None:
        recorder = Recorder(0.05)
        batches = Batches(recorder, most=8)
        await asyncio.gather(*(ask(batches, str(i)) for i in range(20)))
        sizes = [len(texts) for _, texts, _ in recorder.calls]
        assert sum(sizes) == 20
        assert max(sizes) == 8
        assert len(sizes) <= 4
        batches.close()

    asyncio.run(main())


def test_the_event_loop_stays_free() -> None:
    async def main() -> None:
        batches = Batches(Recorder(0.3))
        started = time.perf_counter()
        slow = asyncio.create_task(ask(batches, "a"))
        await asyncio.sleep(0.01)
        assert time.perf_counter() - started < 0.2
        assert await slow == ["a"]
        batches.close()

    asyncio.run(main())


def test_a_large_call_is_never_split() -> None:
    async def main() -> None:
        recorder = Recorder()
        batches = Batches(recorder, most=4)
        await ask(batches, *"abcdefghij")
        assert [len(texts) for _, texts, _ in recorder.calls] == [10]
        batches.close()

    asyncio.run(main())


def test_names_and_numbers_of_scores_never_mix() -> None:
    async def main() -> None:
        recorder = Recorder(0.01)
        batches = Batches(recorder)
        await asyncio.gather(
            *(ask(batches, f"{name}{top}", name=name, top=top) for name in "mn" for top in (1, 2))
        )
        for name, texts, top in recorder.calls:
            assert texts == [f"{name}{top}"]
        batches.close()

    asyncio.run(main())


def test_a_bad_text_fails_its_own_caller_only() -> None:
    async def main() -> None:
        batches = Batches(Recorder(0.02))
        answers = await asyncio.gather(
            *(ask(batches, text) for text in ("first", "a", "bad", "b")), return_exceptions=True
        )
        assert answers[:2] == [["first"], ["a"]]
        assert isinstance(answers[2], InputError)
        assert answers[3] == ["b"]
        batches.close()

    asyncio.run(main())


def test_a_caller_that_leaves_does_not_disturb_the_others() -> None:
    async def main() -> None:
        batches = Batches(Recorder(0.05))
        first = asyncio.create_task(ask(batches, "a"))
        second = asyncio.create_task(ask(batches, "b"))
        third = asyncio.create_task(ask(batches, "c"))
        await asyncio.sleep(0.01)
        second.cancel()
        assert await first == ["a"]
        assert await third == ["c"]
        batches.close()

    asyncio.run(main())


def test_too_many_waiting_texts_are_refused_for_now() -> None:
    async def main() -> None:
        batches = Batches(Recorder(0.1), waiting=3)
        first = asyncio.create_task(ask(batches, "a"))
        await asyncio.sleep(0.02)
        others = [asyncio.create_task(ask(batches, text)) for text in "bcd"]
        await asyncio.sleep(0.02)
        with pytest.raises(UnavailableError) as caught:
            await ask(batches, "e")
        assert caught.value.code == "overloaded"
        assert caught.value.retryable
        assert await asyncio.gather(first, *others) == [["a"], ["b"], ["c"], ["d"]]
        assert await ask(batches, "e") == ["e"]
        batches.close()

    asyncio.run(main())
