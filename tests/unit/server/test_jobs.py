"""Jobs: one at a time, the others with a position; progress that can be followed and resumed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metier.errors import DidNotPassError, InputError, NotFoundError, UnavailableError
from metier.messages import Progress, Report
from metier.server.jobs import Jobs, Order
from metier.server.limits import Limits

Cancelled = Callable[[], bool]


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    queue = Jobs(Limits(waiting_jobs=3, kept_jobs=2, kept_events=50))
    yield queue
    queue.close()


def order(work: Callable[[Report, Cancelled], Any], folder: Path | None = None) -> Order:
    return Order("make", "x", "metier make", work, folder)


def wait(jobs: Jobs, identifier: str, *states: str) -> dict[str, Any]:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        snapshot = jobs.snapshot(identifier)
        if snapshot["state"] in (states or ("done", "failed", "stopped")):
            return snapshot
        time.sleep(0.005)
    raise AssertionError(snapshot)


def until_stopped(report: Report, cancelled: Cancelled) -> None:
    report(Progress("rung", "Trying.", 0.5))
    while not cancelled():
        time.sleep(0.005)
    raise DidNotPassError("It was stopped.")


def test_a_job_ends_with_its_result(jobs: Jobs) -> None:
    def work(report: Report, cancelled: Cancelled) -> dict[str, int]:
        report(Progress("rung", "One.", 0.5, data={"name": "linear"}))
        both = [{"name": "linear", "state": "chosen"}, {"name": "encoder"}]
        report(Progress("choose", "Chosen.", data={"name": "linear", "ladder": both}))
        return {"made": 1}

    first = jobs.submit(order(work))
    assert first["href"] == f"/metier/v1/jobs/{first['id']}"
    done = wait(jobs, first["id"])
    assert (done["state"], done["result"], done["error"]) == ("done", {"made": 1}, None)
    assert done["rungs"] == [{"name": "linear", "state": "chosen"}, {"name": "encoder"}]
    assert done["started"] <= done["ended"]


def test_the_others_wait_with_a_position(jobs: Jobs) -> None:
    running = jobs.submit(order(until_stopped))
    wait(jobs, running["id"], "running")
    second, third = (jobs.submit(order(until_stopped)) for _ in range(2))
    assert jobs.snapshot(running["id"])["position"] == 0
    assert (second["position"], third["position"]) == (1, 2)
    assert jobs.ask_to_stop(second["id"])["state"] == "stopped"
    assert jobs.snapshot(third["id"])["position"] == 1
    jobs.ask_to_stop(running["id"])
    assert wait(jobs, running["id"])["state"] == "stopped"
    wait(jobs, third["id"], "running")
    jobs.ask_to_stop(third["id"])
    assert wait(jobs, third["id"])["error"] is None


def test_a_full_queue_says_so(jobs: Jobs) -> None:
    running = jobs.submit(order(until_stopped))
    wait(jobs, running["id"], "running")
    for _ in range(3):
        jobs.submit(order(until_stopped))
    with pytest.raises(UnavailableError) as caught:
        jobs.submit(order(until_stopped))
    assert caught.value.code == "queue_full"


def test_an_error_of_ours_keeps_its_remedy(jobs: Jobs) -> None:
    def work(report: Report, cancelled: Cancelled) -> None:
        raise InputError("Row 7 has no label.", remedy="Fill it in.")

    failed = wait(jobs, jobs.submit(order(work))["id"])
    assert failed["state"] == "failed"
    assert failed["error"]["message"] == "Row 7 has no label."
    assert failed["error"]["remedy"] == "Fill it in."


def test_a_defect_is_reported_without_its_inside(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    def work(report: Report, cancelled: Cancelled) -> None:
        raise KeyError("/secret/path")

    failed = wait(jobs, jobs.submit(order(work))["id"])
    assert failed["state"] == "failed"
    assert "secret" not in str(failed["error"])
    assert failed["error"]["code"] == "internal"
    assert "secret" in caplog.text
    assert wait(jobs, jobs.submit(order(lambda report, cancelled: 1))["id"])["result"] == 1


def test_the_files_of_a_job_go_with_it(jobs: Jobs, tmp_path: Path) -> None:
    for number, work in enumerate((lambda r, c: 1, until_stopped)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "rows.csv").write_text("text,label\n")
        job = jobs.submit(order(work, folder))
        jobs.ask_to_stop(job["id"])
        wait(jobs, job["id"])
        assert not folder.exists()


def test_old_jobs_are_forgotten_and_say_so(jobs: Jobs) -> None:
    made = [jobs.submit(order(lambda report, cancelled: 1))["id"] for _ in range(1)]
    for _ in range(4):
        wait(jobs, made[-1])
        made.append(jobs.submit(order(lambda report, cancelled: 1))["id"])
    wait(jobs, made[-1])
    with pytest.raises(NotFoundError, match="no job"):
        jobs.snapshot(made[0])
    assert jobs.all()[0]["id"] == made[-1]


async def collect(jobs: Jobs, identifier: str, after: int = 0) -> list[tuple[int, str]]:
    return [
        (number, event.get("message", event["event"]))
        async for number, event in jobs.events(identifier, after)
        if event
    ]


def test_events_come_live_and_resume_after_a_number(jobs: Jobs) -> None:
    go = threading.Event()

    def work(report: Report, cancelled: Cancelled) -> int:
        report(Progress("data", "a"))
        go.wait(5)
        report(Progress("rung", "b"))
        report(Progress("rung", "c"))
        return 1

    async def main() -> None:
        job = jobs.submit(order(work))["id"]
        early = asyncio.create_task(collect(jobs, job))
        await asyncio.sleep(0.05)
        go.set()
        expected = [(1, "a"), (2, "b"), (3, "c"), (4, "done")]
        assert await early == expected
        assert await collect(jobs, job, 2) == expected[2:]
        assert await collect(jobs, job, 99) == []

    asyncio.run(main())


def test_only_the_last_events_are_kept(jobs: Jobs) -> None:
    def work(report: Report, cancelled: Cancelled) -> None:
        for number in range(200):
            report(Progress("rung", str(number)))

    job = jobs.submit(order(work))["id"]
    wait(jobs, job)
    events = asyncio.run(collect(jobs, job))
    assert len(events) == 50
    assert events[-1] == (201, "done")


def test_closing_stops_everything_and_lets_listeners_go() -> None:
    jobs = Jobs(Limits())

    async def main() -> None:
        job = jobs.submit(order(until_stopped))["id"]
        waiting = jobs.submit(order(until_stopped))["id"]
        listener = asyncio.create_task(collect(jobs, job))
        await asyncio.sleep(0.05)
        jobs.close()
        await asyncio.wait_for(listener, 5)
        assert wait(jobs, job)["state"] == "stopped"
        assert wait(jobs, waiting)["state"] == "stopped"

    asyncio.run(main())
