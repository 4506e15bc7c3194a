"""The log of decisions: chained rows, several writers, rotation, damage, a disk that says no."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from metier.assembly import routelog
from metier.assembly.routelog import GENESIS, RouteLog, breaks, read_rows
from metier.errors import CorruptError, NotFoundError


def test_rows_are_chained_and_read_back(tmp_path: Path) -> None:
    log = RouteLog(tmp_path / "routes")
    for number in range(5):
        log.append("decided", {"id": str(number)})
    rows = list(log.rows())
    assert [row["id"] for row in rows] == list("01234")
    assert rows[0]["previous"] == GENESIS
    assert [row["previous"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert breaks(rows) == []
    assert log.files()[0].stat().st_mode & 0o077 == 0, "others may not read it"


def test_the_chain_goes_on_after_a_restart_and_between_processes(tmp_path: Path) -> None:
    first, second = RouteLog(tmp_path), RouteLog(tmp_path)
    for number in range(6):
        (first if number % 2 else second).append("decided", {"id": str(number)})
    third = RouteLog(tmp_path)
    third.append("decided", {"id": "6"})
    assert breaks(list(third.rows())) == []
    assert len(list(third.rows())) == 7


def test_threads_share_one_log(tmp_path: Path) -> None:
    log = RouteLog(tmp_path)

    def write() -> None:
        for number in range(50):
            log.append("decided", {"id": f"{threading.get_ident()} {number}"})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = list(log.rows())
    assert len(rows) == 200
    assert breaks(rows) == []


def test_a_changed_or_missing_row_is_found(tmp_path: Path) -> None:
    log = RouteLog(tmp_path)
    for number in range(4):
        log.append("decided", {"id": str(number)})
    rows = [dict(row) for row in log.rows()]
    rows[1]["id"] = "other"
    assert [one.row for one in breaks(rows)] == [2]
    assert [one.row for one in breaks([*list(log.rows())[:1], *list(log.rows())[2:]])] == [2]


def test_it_is_put_aside_when_it_is_large_and_the_oldest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routelog, "MOST_BYTES", 1000)
    log = RouteLog(tmp_path)
    for number in range(60):
        log.append_once("candidates", "one", lambda: {"candidates": []})
        log.append("decided", {"id": str(number), "filled": "x" * 100})
    assert len(log.files()) <= routelog.KEPT + 1
    assert sum(path.stat().st_size for path in log.files()) < 7000
    rows = list(log.rows())
    assert rows[-1]["id"] == "59"
    assert breaks(rows) == [], "the chain goes on from file to file"
    for path in log.files():
        kinds = [row["kind"] for row in read_rows(path)]
        assert "candidates" in kinds, "each file can be read by itself"


def test_half_a_row_of_a_killed_process_breaks_nothing_after_it(tmp_path: Path) -> None:
    log = RouteLog(tmp_path)
    log.append("decided", {"id": "0"})
    with log.files()[0].open("ab") as file:
        file.write(b'{"kind":"decided","id":"hal')
    log.append("decided", {"id": "1"})
    assert [row["id"] for row in log.latest(10)] == ["1", "0"]
    lines = log.files()[0].read_bytes().splitlines()
    assert json.loads(lines[2])["previous"] == json.loads(lines[0])["hash"]
    rows = list(log.rows())
    assert [row.get("id") for row in rows] == ["0", None, "1"]
    assert [one.row for one in breaks(rows)] == [2], "it is told, and the rest is read"


def test_a_file_without_a_single_row_is_no_log(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text("hello\n[]\n", "utf-8")
    with pytest.raises(CorruptError) as caught:
        list(read_rows(other))
    assert caught.value.code == "bad_route_log"


def test_the_latest_come_with_who_answered(tmp_path: Path) -> None:
    log = RouteLog(tmp_path)
    for number in range(5):
        log.append("decided", {"id": str(number)})
        log.append("answered", {"id": str(number), "model": f"m{number}"})
    found = log.latest(2)
    assert [row["id"] for row in found] == ["4", "3"]
    assert found[0]["answered"]["model"] == "m4"


def test_a_disk_that_takes_nothing_is_told_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "routes").write_text("a file where the folder should be")
    log = RouteLog(tmp_path / "routes")
    log.append("decided", {"id": "0"})
    assert "cannot be written" in log.problem
    assert log.latest(5) == []
    (tmp_path / "routes").unlink()
    log.append("decided", {"id": "1"})
    assert log.problem == ""


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    folder = tmp_path / "routes"
    folder.mkdir()
    (folder / routelog.NAME).symlink_to(elsewhere)
    log = RouteLog(folder)
    log.append("decided", {"id": "0"})
    assert log.problem
    assert elsewhere.read_text() == ""


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(read_rows(tmp_path / "none.jsonl"))
    other = tmp_path / "other.jsonl"
    other.write_text("[1]\n")
    with pytest.raises(CorruptError):
        list(read_rows(other))
