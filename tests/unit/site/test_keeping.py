"""The words of the fleet's page."""

from __future__ import annotations

from typing import Any

import pytest

from metier.site import keeping

JOB: dict[str, Any] = {
    "id": "a",
    "kind": "pull",
    "name": "m",
    "state": "running",
    "position": 0,
    "asked": "2026-11-20T10:00:00+00:00",
    "page": "/jobs/a",
    "rungs": [],
    "result": None,
    "progress": None,
}


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        (None, "stays"),
        (100.5, "goes now"),
        (104.0, "goes in 4\u202fs if nobody asks"),
        (400.0, "goes in 5\u202fmin if nobody asks"),
    ],
)
def test_how_long_a_model_stays(expires: float | None, said: str) -> None:
    assert keeping.stays(expires, 100.0) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(1100, "1\u202fk"), (246_000_000, "246\u202fM"), (1_500_000_000, "1.5\u202fB")],
)
def test_parameters_are_short(number: int, said: str) -> None:
    assert keeping.parameters(number) == said


def fleet(**more: Any) -> dict[str, Any]:
    memory = {"total": 16e9, "free": 9e9, "used": 0, "room": 0, "limited": True}
    disk = {"store": 5, "partial": 7, "reclaimable": None, "free": 9, "problem": None}
    machine = {"memory": memory, "disk": disk}
    return {"specialists": [], "files": [], "machine": machine, "downloads": [], **more}


@pytest.mark.parametrize(
    ("done", "name", "said"),
    [
        ("loaded", "<b>", "<b> is in memory."),
        ("gc", "0 0", "The gc found nothing to remove."),
        ("gc", "1 2000", "The gc removed 1 file: 2.0\u202fkB came back."),
        ("gc", "x y", ""),
        ("odd", "x", ""),
    ],
)
def test_what_was_done_is_said(done: str, name: str, said: str) -> None:
    assert keeping.fleet_values(fleet(), "", {"done": done, "name": name})["done"] == said


def test_what_is_not_known_is_said_and_nothing_divides_by_nothing() -> None:
    shown = keeping.fleet_values(fleet(), "", {})
    assert shown["disk"]["reclaimable"] == "not known"
    assert shown["disk"]["partial"] == "7\u202fB"
    assert shown["memory"]["room"].endswith("(METIER_MEMORY)")


def test_what_is_in_memory_stands_first_and_the_list_is_narrowed() -> None:
    resident = {"memory_bytes": 10, "context": 0, "expires": None, "users": 2}
    entry = {"page": "/x", "kind": "base", "size_bytes": 5}
    rows = [
        {**entry, "name": "a", "task": "embed", "resident": None},
        {**entry, "name": "b", "task": "generate", "resident": resident, "parameters": 5e8},
    ]
    shown = keeping.fleet_values(fleet(specialists=rows), "", {})
    assert [row["name"] for row in shown["rows"]] == ["b", "a"]
    assert shown["rows"][0]["resident"] == ["answers 2 requests", "stays"]
    narrowed = keeping.fleet_values(fleet(specialists=rows), "EMBED", {})
    assert [row["name"] for row in narrowed["rows"]] == ["a"]
    assert (narrowed["total"], narrowed["resident"]) == (2, 1)


def test_a_download_says_how_far_it_is() -> None:
    data = {"total": 10, "completed": 5, "whole_total": 4e6, "whole_completed": 1e6}
    progress = {"message": "pulling abc", "fraction": 0.25, "seconds_left": 70.0}
    told = {**progress, "data": {**data, "bytes_per_second": 2e6}}
    jobs = [{**JOB, "progress": told}, {**JOB, "state": "queued", "position": 3}]
    one, waits = keeping.fleet_values(fleet(downloads=jobs), "", {})["downloads"]
    assert (one["bytes"], one["rate"], one["left"]) == (
        "1.0\u202fMB of 4.0\u202fMB",
        "2.0\u202fMB/s",
        "about 70\u202fs left",
    )
    assert waits["said"] == "waits, position 3"


def test_each_kin_is_told_what_it_would_lose() -> None:
    made = [
        {"name": name, "how": how}
        for name, how in (("a", "adapter"), ("b", "reads it"), ("c", "classify"))
    ]
    shown = keeping.removal_values({"made": made, "size_bytes": 1000, "users": 0})
    assert [what.split()[0] for _, what in shown["losses"]] == ["keeps", "answers", "may"]
