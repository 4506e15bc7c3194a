"""What people should know of the watch now, from everything that happened."""

from __future__ import annotations

from metier.assembly.notices import notices_of
from stand_in.watching import standing


def kinds(*states: str, suspect: bool = False) -> list[str]:
    looks = [
        (f"2026-11-{day:02d}T08:00:00Z", standing("a", state=state, suspect=suspect))
        for day, state in enumerate(states, 1)
    ]
    return [notice.kind for notice in notices_of(looks)]


def test_nothing_is_said_of_what_nobody_looked_at_or_what_goes_well() -> None:
    assert notices_of([]) == []
    assert kinds("PROMOTED", "PROMOTED") == []


def test_the_last_change_is_told_with_its_day() -> None:
    looks = [
        ("2026-11-01T08:00:00Z", standing("a", state="PROMOTED")),
        ("2026-11-02T08:00:00Z", standing("a")),
        ("2026-11-03T08:00:00Z", standing("a")),
    ]
    (notice,) = notices_of(looks)
    assert (notice.kind, notice.date, notice.name) == ("demoted", "2026-11-02", "a")


def test_what_holds_no_longer_is_not_told() -> None:
    assert kinds("PROMOTED", "DEMOTED", "PROMOTED") == ["restored"]
    assert "restored" not in kinds("DEMOTED", "PROMOTED", "DEMOTED")
    assert set(kinds("PROMOTED", "HOP")) == {"demoted", "hop"}
    assert "hop" not in kinds("HOP", "DEMOTED")
    assert kinds("WATCH", "PROMOTED") == []


def test_a_win_on_old_items_only_is_suspect() -> None:
    assert "suspect" in kinds("PROMOTED", suspect=True)
