"""The leak gate finds what stands in train already, shows it with rows, and takes it out."""

import json
import random

import pytest

from metier.card import LeakReport
from metier.errors import InputError
from metier.evals.leaks import drop_leaks, scan
from metier.messages import Example

CHANCE = random.Random(11)
NAMES = ["".join(CHANCE.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(4_000)]


def texts(count: int, seed: int, start: int, length: int = 7) -> list[Example]:
    """Rows of random words, none like another, numbered from ``start``."""
    chance = random.Random(seed)
    return [
        Example(" ".join(chance.choices(NAMES, k=length)), f"label {n % 3}", row=start + n)
        for n in range(count)
    ]


TRAIN = texts(600, 1, start=2)
EVAL = texts(400, 2, start=602)


def planted(items: list[Example], change) -> list[Example]:
    return [Example(change(item.text), item.label, row=2_000 + n) for n, item in enumerate(items)]


def test_clean_data_is_clean():
    report = scan(TRAIN, EVAL).report
    assert (report.leaked, report.share, report.blocks_win) == (0, 0.0, False)
    assert report.by_kind == {"exact": 0, "folded": 0, "13-gram": 0, "near-duplicate": 0}
    assert report.rows == ()
    assert "paraphrase" in report.method


def test_every_kind_is_found_once_under_its_strongest():
    long = texts(20, 3, start=5_000, length=30)
    evaluation = [*EVAL, *long]
    train = [
        *TRAIN,
        *planted(EVAL[:10], lambda text: text),
        *planted(EVAL[10:20], lambda text: f"  {text.upper()}!! "),
        *planted(long[:10], lambda text: "before " + " ".join(text.split()[3:20]) + " after it"),
        *planted(EVAL[20:40], lambda text: "please " + text),
    ]
    found = scan(train, evaluation)
    assert found.report.by_kind == {"exact": 10, "folded": 10, "13-gram": 10, "near-duplicate": 20}
    assert found.leaked == (*range(40), *range(400, 410))
    assert found.report.leaked == 50
    assert found.report.share == pytest.approx(50 / 420)
    assert found.report.blocks_win
    assert found.sources == tuple(range(600, 650))
    shown = found.report.rows
    assert {row.kind for row in shown} == set(found.report.by_kind)
    assert len(shown) == 20
    first = shown[0]
    assert (first.eval_row, first.train_row) == (EVAL[0].row, 2_000)
    assert first.eval_excerpt.endswith(f"[{EVAL[0].label}]")


@pytest.mark.parametrize(("count", "blocks"), [(4, False), (5, True)])
def test_more_than_one_in_a_hundred_blocks_a_win(count, blocks):
    report = scan([*TRAIN, *planted(EVAL[:count], lambda text: text)], EVAL).report
    assert report.leaked == count
    assert report.blocks_win is blocks


def test_duplicates_and_conflicting_labels():
    train = [
        *TRAIN,
        Example(TRAIN[0].text.title(), "label 9", row=700),
        Example(TRAIN[1].text, TRAIN[1].label, row=701),
        Example(EVAL[0].text, "label 8", row=702),
    ]
    report = scan(train, EVAL).report
    assert report.duplicate_train_rows == 2
    assert report.conflicting_labels == 2
    inside, across = report.conflicts
    assert (inside.where, inside.eval_row, inside.train_row) == ("train", 700, 2)
    assert (across.where, across.eval_row, across.train_row) == ("train and eval", 602, 702)
    assert "[label 8]" in across.train_excerpt


def test_texts_without_words_are_compared_as_they_are():
    train = [*TRAIN, Example("🙂", "label 0", row=900), Example("🎉", "label 1", row=901)]
    report = scan(
        train, [*EVAL, Example("🎉", "label 1", row=902), Example("?!", "label 1")]
    ).report
    assert report.by_kind["exact"] == 1
    assert report.duplicate_train_rows == 0


def test_dropping_takes_out_train_rows_only_and_leaves_nothing():
    train = [
        *TRAIN,
        *planted(EVAL[:30], lambda text: text),
        *planted(EVAL[30:60], lambda t: t + " x"),
    ]
    found = scan(train, EVAL)
    kept, report = drop_leaks(train, found)
    assert kept == TRAIN
    assert (report.dropped, report.leaked, report.blocks_win) == (60, 0, False)
    assert report.rows == found.report.rows
    again = scan(kept, EVAL).report
    assert again.leaked == 0
    assert again.duplicate_train_rows == report.duplicate_train_rows


def test_dropping_must_leave_two_rows_of_each_label():
    rare = [Example(EVAL[0].text, "rare", row=1), Example("something else", "rare", row=2)]
    train = [*TRAIN, *rare]
    with pytest.raises(InputError) as error:
        drop_leaks(train, scan(train, EVAL))
    assert error.value.code == "leaks_hold_label"
    assert "'rare'" in error.value.message


def test_light_paraphrases_are_found():
    chance = random.Random(5)

    def edited(text: str) -> str:
        words = text.split()
        at = chance.randrange(len(words) - 1)
        edit = chance.choice(("typo", "order", "insert"))
        if edit == "typo":
            words[at] = words[at][0] + words[at][2:]
        elif edit == "order":
            words[at], words[at + 1] = words[at + 1], words[at]
        else:
            words.insert(at, chance.choice(NAMES))
        return " ".join(words)

    found = scan([*TRAIN, *planted(EVAL[:100], edited)], EVAL)
    assert len(set(found.leaked) & set(range(100))) >= 95
    assert not set(found.leaked) - set(range(100))


def test_empty_sides():
    assert not scan(TRAIN, []).report.blocks_win
    assert scan([], EVAL).report.leaked == 0


def test_the_report_is_a_card_s_document():
    report = scan([*TRAIN, *planted(EVAL[:10], lambda text: text)], EVAL).report
    assert LeakReport.model_validate_json(report.model_dump_json()) == report
    json.dumps(report.model_dump(mode="json"))


def test_the_same_data_gives_the_same_report():
    train = [*TRAIN, *planted(EVAL[:20], lambda text: text + " x")]
    assert scan(train, EVAL) == scan(train, EVAL)
