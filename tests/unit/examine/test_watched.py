"""Two systems on the same items: each asked once, paired where both answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.evals.items import Eval, EvalItem
from metier.examine.watched import Asking, Side, meet
from metier.messages import Answer, Progress, silent

ITEMS = tuple(
    EvalItem(f"i{n}", f"text {n}", "ab"[n % 2], f"g{n // 2}", f"2026-11-{n + 1:02d}")
    for n in range(10)
)
SEALED = Eval(ITEMS)


@dataclass
class Says:
    """Always says one label, counts, and cannot answer some texts."""

    label: str
    digest: str
    name: str = "it"
    fails: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        self.asked += texts
        return [
            Answer(self.label, 0.002, error="no" if text in self.fails else None) for text in texts
        ]


def sides() -> tuple[Says, Says]:
    return Says("a", "sha256:" + "aa" * 32), Says("b", "sha256:" + "bb" * 32)


def asking(folder: Path, stop: bool = False) -> Asking:
    return Asking(folder, silent, lambda: stop)


def test_outcomes_are_paired_with_cluster_date_and_freshness(tmp_path: Path) -> None:
    one, two = sides()
    met = meet(Side(one), Side(two), "base", SEALED, asking(tmp_path), fresh_from="2026-11-05")
    assert len(met.pairs) == 10
    first, last = met.pairs[0], met.pairs[-1]
    assert (first.own, first.other, first.cluster, first.fresh) == (1.0, 0.0, "g0", False)
    assert (last.own, last.other, last.date, last.fresh) == (0.0, 1.0, "2026-11-10", True)
    assert (met.own_ms, met.rival_ms, met.unscored) == (2.0, 2.0, 0)


def test_nobody_is_asked_twice_and_left_out_items_not_at_all(tmp_path: Path) -> None:
    one, two = sides()
    meet(Side(one), Side(two), "base", SEALED, asking(tmp_path), without={"i0", "i1"})
    assert len(one.asked) == len(two.asked) == 8
    met = meet(Side(one), Side(two), "base", SEALED, asking(tmp_path))
    assert len(one.asked) == len(two.asked) == 10
    assert len(met.pairs) == 10
    assert not any(pair.fresh for pair in met.pairs)


def test_what_one_could_not_answer_is_no_pair_and_is_asked_again(tmp_path: Path) -> None:
    one, two = sides()
    two.fails = ("text 3",)
    met = meet(Side(one), Side(two), "base", SEALED, asking(tmp_path))
    assert (len(met.pairs), met.unscored) == (9, 1)
    two.fails = ()
    met = meet(Side(one), Side(two), "base", SEALED, asking(tmp_path), without={"i0"})
    assert (len(met.pairs), met.unscored) == (9, 0)
    assert two.asked.count("text 3") == 2


def test_a_stop_keeps_what_was_answered(tmp_path: Path) -> None:
    one, two = sides()
    heard: list[Progress] = []
    half = Asking(tmp_path, heard.append, lambda: len(heard) >= 2)
    with pytest.raises(UnavailableError) as stopped:
        meet(Side(one, batch=3), Side(two, batch=3), "base", SEALED, half)
    assert stopped.value.code == "cancelled"
    assert len(one.asked) == 6
    meet(Side(one, batch=3), Side(two, batch=3), "base", SEALED, asking(tmp_path))
    assert len(one.asked) == len(two.asked) == 10
    assert heard[0].fraction == pytest.approx(0.3)
