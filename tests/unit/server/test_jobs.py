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
from metier.server.jobfiles import JobFiles
from metier.server.jobrecords import Order
from metier.server.jobs import Jobs
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
        if snapshot["state"] in (states or ("done", "failed", "stopped", "interrupted")):
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
    folder = tmp_path / "done"
    folder.mkdir()
    (folder / "rows.csv").write_text("text,label\n")
    wait(jobs, jobs.submit(order(lambda r, c: 1, folder))["id"])
    assert not folder.exists()


def test_the_files_of_a_stopped_job_stay_until_it_is_forgotten(jobs: Jobs, tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    folder.mkdir()
    job = jobs.submit(order(until_stopped, folder))["id"]
    with pytest.raises(InputError, match="The job is"):
        jobs.forget(job)
    jobs.ask_to_stop(job)
    wait(jobs, job)
    assert folder.exists()
    jobs.forget(job)
    assert not folder.exists()
    with pytest.raises(NotFoundError):
        jobs.snapshot(job)


def test_a_stopped_job_goes_on_under_its_own_address(jobs: Jobs) -> None:
    ends = iter([False, True])

    def work(report: Report, cancelled: Cancelled) -> int:
        if next(ends):
            return 2
        until_stopped(report, cancelled)
        return 1

    job = jobs.submit(order(work))["id"]
    wait(jobs, job, "running")
    with pytest.raises(InputError, match="nothing to resume"):
        jobs.resume(job)
    jobs.ask_to_stop(job)
    assert wait(jobs, job)["resumable"]
    again = jobs.resume(job)
    assert (again["id"], again["runs"]) == (job, 2)
    done = wait(jobs, job, "done")
    assert (done["result"], done["resumable"]) == (2, False)
    events = [name for _, name in asyncio.run(collect(jobs, job))]
    assert events == ["started", "Trying.", "stopped", "resumed", "started", "done"]


def test_a_queued_job_says_who_is_before_it(jobs: Jobs) -> None:
    first = jobs.submit(order(until_stopped))["id"]
    wait(jobs, first, "running")
    second = jobs.submit(order(until_stopped))
    assert [(one["id"], one["state"]) for one in second["ahead"]] == [(first, "running")]
    for job in (second["id"], first):
        jobs.ask_to_stop(job)


def pull(work: Callable[[Report, Cancelled], Any], name: str = "m") -> Order:
    return Order("pull", name, "metier pull", work, lane="pull")


def test_downloads_do_not_wait_for_a_make_and_none_runs_twice(jobs: Jobs) -> None:
    make = jobs.submit(order(until_stopped))["id"]
    first = jobs.submit(pull(until_stopped))["id"]
    other = jobs.submit(pull(until_stopped, "n"))["id"]
    for job in (make, first, other):
        wait(jobs, job, "running")
    assert jobs.submit(pull(until_stopped))["id"] == first
    for job in (make, first, other):
        jobs.ask_to_stop(job)
        wait(jobs, job, "stopped")


def kept(home: Path, ordered: list[str] | None = None) -> Jobs:
    def again(kind: str, folder: Path | None, fields: Any, files: Any) -> Order:
        if ordered is not None:
            ordered.append(f"{kind} {fields['name']} {sorted(files)} {folder is not None}")
        return order(lambda report, cancelled: "again", folder)

    return Jobs(Limits(), JobFiles(home), again)


def test_jobs_outlive_the_server(tmp_path: Path) -> None:
    jobs = kept(tmp_path)
    assert jobs.uploads is not None
    folder = jobs.uploads / "0123"
    folder.mkdir()
    (folder / "rows.csv").write_text("text,label\n")
    done = jobs.submit(order(lambda report, cancelled: {"made": 1}))["id"]
    wait(jobs, done)
    asked = Order("make", "x", "c", until_stopped, folder, {"name": "x"}, {"data": "rows.csv"})
    running = jobs.submit(asked)["id"]
    wait(jobs, running, "running")

    beside = kept(tmp_path)
    assert [job["id"] for job in beside.all()] == [done], "the other one is at work elsewhere"
    beside.close()
    jobs.close()
    assert wait(jobs, running, "interrupted")["resumable"]

    ordered: list[str] = []
    later = kept(tmp_path, ordered)
    assert later.snapshot(done)["result"] == {"made": 1}
    assert later.snapshot(running)["state"] == "interrupted"
    later.resume(running)
    assert wait(later, running, "done")["result"] == "again"
    assert ordered == ["make x ['data'] True"]
    assert not folder.exists()
    later.close()


def test_a_killed_server_leaves_its_jobs_to_be_resumed(tmp_path: Path) -> None:
    jobs = kept(tmp_path)
    job = jobs.submit(order(until_stopped))["id"]
    wait(jobs, job, "running")
    record = (tmp_path / "jobs" / f"{job}.json").read_text()
    jobs.close()
    wait(jobs, job, "interrupted")
    (tmp_path / "jobs" / f"{job}.json").write_text(record)  # as a kill would have left it
    (tmp_path / "jobs" / "0123456789abcdef.json").write_text("{")
    (tmp_path / "jobs" / "0123456789abcdee.json").write_text('{"format": 1, "kind": 3}')
    later = kept(tmp_path)
    assert [(one["id"], one["state"]) for one in later.all()] == [(job, "interrupted")]
    events = asyncio.run(collect(later, job, 7))
    assert [name for _, name in events] == ["snapshot"]
    later.close()


def test_a_job_without_its_files_cannot_go_on(tmp_path: Path) -> None:
    jobs = kept(tmp_path)
    folder = tmp_path / "tmp" / "gone"
    folder.mkdir()
    asked = Order("make", "x", "c", until_stopped, folder, {"name": "x"}, {"data": "rows.csv"})
    job = jobs.submit(asked)["id"]
    wait(jobs, job, "running")
    jobs.close()
    wait(jobs, job, "interrupted")
    folder.rename(tmp_path / "elsewhere")
    later = kept(tmp_path)
    with pytest.raises(InputError, match="files of this job are gone"):
        later.resume(job)
    assert later.snapshot(job)["state"] == "interrupted"
    later.close()


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
        expected = [(1, "started"), (2, "a"), (3, "b"), (4, "c"), (5, "done")]
        assert await early == expected
        assert await collect(jobs, job, 2) == expected[2:]
        assert await collect(jobs, job, 5) == []
        assert await collect(jobs, job, 99) == [(5, "snapshot")]

    asyncio.run(main())


def test_only_the_last_events_are_kept(jobs: Jobs) -> None:
    def work(report: Report, cancelled: Cancelled) -> None:
        for number in range(200):
            report(Progress("rung", str(number)))

    job = jobs.submit(order(work))["id"]
    wait(jobs, job)
    events = asyncio.run(collect(jobs, job))
    assert len(events) == 50
    assert events[-1] == (202, "done")
    assert asyncio.run(collect(jobs, job, 3)) == [(202, "snapshot")]


def test_a_stream_of_small_steps_is_thinned(jobs: Jobs) -> None:
    def work(report: Report, cancelled: Cancelled) -> None:
        for number in range(1001):
            report(Progress("pull", "pulling abc", number / 1000, data={"file": "a"}))

    job = jobs.submit(order(work))["id"]
    wait(jobs, job)
    events = asyncio.run(collect(jobs, job))
    assert len(events) < 30
    assert jobs.snapshot(job)["progress"]["fraction"] == 1.0


def test_closing_stops_everything_and_lets_listeners_go() -> None:
    jobs = Jobs(Limits())

    async def main() -> None:
        job = jobs.submit(order(until_stopped))["id"]
        waiting = jobs.submit(order(until_stopped))["id"]
        listener = asyncio.create_task(collect(jobs, job))
        await asyncio.sleep(0.05)
        jobs.close()
        await asyncio.wait_for(listener, 5)
        assert wait(jobs, job)["state"] == "interrupted"
        assert wait(jobs, waiting)["state"] == "interrupted"

    asyncio.run(main())
