"""What people say of answers: checked, kept, counted once, weighed, erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.assembly import feedback
from metier.assembly.feedback import Said, balanced, check, erase, labelled, record, thumbs
from metier.errors import InputError
from metier.ledger import Ledger
from metier.watching import Pair
from stand_in.watching import SYSTEM

LABELS = ("spam", "ham")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger.sqlite")


@pytest.mark.parametrize(
    "said",
    [
        Said(thumb="up"),
        Said(text="  ", thumb="up"),
        Said(text="a"),
        Said(text="a", thumb="sideways"),
        Said(text="a", label="eggs"),
        Said(text="a", thumb="up", keep=True),
        Said(answer="<script>", thumb="up"),
        Said(answer="x" * 200, thumb="up"),
        Said(text="a" * 20_001, thumb="up"),
        Said(text="a", comment="b" * 2_001),
        Said(text="a\x00b", thumb="up"),
        Said(text="half \ud800 pair", thumb="up"),
        Said(answer="id", label="spam", keep=True),
    ],
)
def test_what_cannot_be_taken_is_refused(said: Said) -> None:
    with pytest.raises(InputError) as refused:
        check(said, LABELS)
    assert refused.value.code == "bad_feedback"


def test_labels_are_for_those_who_answer_with_labels() -> None:
    with pytest.raises(InputError):
        check(Said(text="a", label="spam"), ())
    assert check(Said(text="a\nb", label="spam", comment=" so "), LABELS).comment == "so"


def test_each_answer_counts_once_by_its_latest_thumb(ledger: Ledger) -> None:
    for said in (
        Said(text="Hello, you", thumb="down"),
        Said(text="hello you!", thumb="up"),  # the same after folding
        Said(answer="a-1", thumb="down"),
        Said(answer="a-1", thumb="up"),
        Said(answer="a-2", thumb="down"),
    ):
        record(ledger, "n", SYSTEM, said)
    found = thumbs(ledger, "n", SYSTEM)
    assert (found.up, found.down) == (2, 1)
    assert found.low is not None
    assert found.share is not None
    assert found.low < found.share == pytest.approx(2 / 3)
    assert thumbs(ledger, "n", "sha256:" + "ff" * 32).share is None
    assert thumbs(ledger, "other", SYSTEM).up == 0


def test_no_row_holds_a_text_and_erasing_leaves_counts(ledger: Ledger, tmp_path: Path) -> None:
    said = Said(text="a secret of mine", label="spam", comment="my words", thumb="down", keep=True)
    record(ledger, "n", SYSTEM, said)
    assert all("secret" not in str(row.body) for row in ledger.rows())
    (one,) = labelled(ledger, "n")
    assert (one.text, one.label) == ("a secret of mine", "spam")
    assert erase(ledger, "n") == 2
    assert labelled(ledger, "n") == []
    assert thumbs(ledger, "n", SYSTEM).down == 1
    assert ledger.verify_chain() == ()
    ledger.close()
    assert b"secret" not in (tmp_path / "ledger.sqlite").read_bytes()


def test_after_erasing_the_same_text_is_a_new_one(ledger: Ledger) -> None:
    """The key went with the texts, so that nobody can find out what a row was about."""
    record(ledger, "n", SYSTEM, Said(text="a", thumb="down"))
    first = ledger.rows("feedback", "n")[-1].body["item"]
    record(ledger, "n", SYSTEM, Said(text="A!", thumb="down"))
    assert ledger.rows("feedback", "n")[-1].body["item"] == first
    erase(ledger, "n")
    record(ledger, "n", SYSTEM, Said(text="a", thumb="down"))
    assert ledger.rows("feedback", "n")[-1].body["item"] != first


def test_of_one_text_the_latest_label_counts_and_without_leave_none_is_kept(
    ledger: Ledger,
) -> None:
    record(ledger, "n", SYSTEM, Said(text="a", label="ham", keep=True))
    record(ledger, "n", SYSTEM, Said(text="b", label="ham"))
    record(ledger, "n", SYSTEM, Said(text="a", label="spam", keep=True))
    (one,) = labelled(ledger, "n")
    assert (one.text, one.label) == ("a", "spam")


def test_there_is_an_end_to_what_is_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_KEPT", 1)
    record(ledger, "n", SYSTEM, Said(answer="1", thumb="up"))
    with pytest.raises(InputError) as refused:
        record(ledger, "n", SYSTEM, Said(answer="2", thumb="up"))
    assert refused.value.code == "too_much_feedback"


def pair(own: float, source: str = "feedback", other: float = 1.0) -> Pair:
    return Pair("base", "i", "i", own, other, source=source)  # type: ignore[arg-type]


def test_those_who_complain_do_not_tip_the_scale() -> None:
    """Nine in ten are right on the eval: of feedback one wrong counts for nine right ones."""
    evaluated = [pair(1.0, "eval")] * 9 + [pair(0.0, "eval")]
    complaints = [pair(0.0)] * 30
    counted, waiting = balanced([*evaluated, *complaints])
    assert (len(counted), waiting) == (10, 30)
    counted, waiting = balanced([*evaluated, *complaints, *[pair(1.0)] * 18])
    assert (len(counted), waiting) == (10 + 18 + 2, 28)
    assert sum(one.own for one in counted) / len(counted) == pytest.approx(0.9)


def test_without_an_eval_or_feedback_there_is_nothing_to_weigh() -> None:
    assert balanced([]) == ([], 0)
    assert balanced([pair(0.0)]) == ([], 1)
    assert balanced([pair(0.0, "eval")]) == ([pair(0.0, "eval")], 0)
    assert balanced([pair(0.0, "eval"), pair(1.0), pair(0.0)])[1] == 1
