"""Fresh labelled items: what is taken in, what is refused, and that a name is never a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.assembly.freshitems import Gate, add, folder_of, item_id, kept, leaked_ids
from metier.errors import InputError, StorageError
from metier.evals.items import seal
from metier.messages import Example

TRAINING = [Example(f"the parcel number {n} is late", "delivery") for n in range(20)]
SEALED = seal([Example(f"my card {n} was declined twice", "payment") for n in range(20)])


def gate(**told: object) -> Gate:
    facts: dict[str, object] = {
        "labels": ("delivery", "payment"),
        "training": TRAINING,
        "sealed": SEALED,
        "scorer": "accuracy",
        "made": "2026-11-01",
        "today": "2026-11-12",
    }
    return Gate(**{**facts, **told})  # type: ignore[arg-type]


def add_rows(tmp_path: Path, lines: str, **told: object) -> tuple[object, Path]:
    source = tmp_path / "new.csv"
    source.write_text(f"text,label,date\n{lines}")
    folder = tmp_path / "fresh"
    return add(folder, "n", source, gate(**told), waits=lambda _: None), folder


def test_good_rows_are_sealed_with_their_dates(tmp_path: Path) -> None:
    added, folder = add_rows(
        tmp_path,
        "where has my parcel gone today,delivery,2026-11-10\n"
        "somebody used my card in a shop,payment,\n"
        "an old question of last year,payment,20251112\n",
    )
    assert (added.added, added.undated, added.old) == (3, 1, 1)  # type: ignore[attr-defined]
    (sealed,) = kept(folder)
    dates = sorted(item.date or "" for item in sealed.items)
    assert dates == ["2025-11-12", "2026-11-10", "2026-11-12"]


def test_what_was_seen_before_or_is_of_tomorrow_is_refused(tmp_path: Path) -> None:
    added, folder = add_rows(
        tmp_path,
        "THE PARCEL number 3 is late!,delivery,\n"
        "my card 7 was declined twice,payment,\n"
        "where has my parcel gone today,delivery,\n"
        "Where has my parcel gone today?,delivery,\n"
        "a question from tomorrow,payment,2026-11-13\n",
    )
    told = (added.added, added.leaked, added.repeated, added.future)  # type: ignore[attr-defined]
    assert told == (1, 2, 1, 1)
    assert {why for _, why, _ in added.examples} == {  # type: ignore[attr-defined]
        "leaked",
        "repeated",
        "future",
    }
    with pytest.raises(InputError) as refused:
        add_rows(tmp_path, "where has my parcel gone today,delivery,\n")
    assert refused.value.code == "nothing_fresh"
    assert len(kept(folder)) == 1


def test_a_label_that_it_does_not_know_is_named_with_near_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        add_rows(tmp_path, "where is it,delivry,\n")
    assert refused.value.code == "unknown_label"
    assert "'delivery'" in refused.value.message


def test_that_nobody_could_look_is_told(tmp_path: Path) -> None:
    added, _ = add_rows(
        tmp_path, "the parcel number 3 is late,delivery,\n", training=None, sealed=None
    )
    told = (added.added, added.training_seen, added.eval_seen)  # type: ignore[attr-defined]
    assert told == (1, False, False)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "fresh").write_text("a file")
    with pytest.raises(StorageError):
        add_rows(tmp_path, "where has my parcel gone today,delivery,\n")


def test_an_item_is_known_by_what_it_says() -> None:
    assert item_id("Hello, you") == item_id("hello you!")
    assert item_id("hello you") != item_id("hello yes")
    assert item_id("🙂") != item_id("🙃")
    assert leaked_ids(SEALED.items, TRAINING, SEALED) == {item.id for item in SEALED.items}
    assert leaked_ids(SEALED.items, None, None) == frozenset()


def test_a_name_never_becomes_a_path(tmp_path: Path) -> None:
    for name in ("../../etc", "a/b:c", "n"):
        assert folder_of(tmp_path, name).parent == tmp_path / "watch" / "fresh"
