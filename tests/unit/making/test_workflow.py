"""The whole of making, attacked: wrong rows, odd labels, leaks, stops, and what is left behind."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

import made_up
import workshop
from metier.assembly import Metier
from metier.card import Card, Verdict
from metier.errors import InputError, MetierError
from metier.making.climbing import Climb
from metier.messages import Progress

LABELS = ("delivery", "payment", "account", "returns")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("workflow")


@pytest.fixture(scope="module")
def metier(home) -> Metier:
    """A home with the tiny base."""
    return workshop.opened(home)


def make(metier: Metier, data: Path, name: str = "made", **choices: Any) -> Card:
    recipe = workshop.recipe(metier, data, name=name, **{"curve": False, **choices})
    return metier.make(recipe, folder=data.parent)


def rows_file(folder: Path, content: list[dict[str, str]]) -> Path:
    return made_up.write(folder / "rows.jsonl", content)


def files(home: Path) -> set[Path]:
    """Everything in a home but the ledger and what a stopped make goes on with."""
    return {
        path.relative_to(home)
        for path in home.rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".npz") and "ledger" not in path.name
    }


# --- rows that nothing can be made of -----------------------------------------------------------

WRONG = {
    "one-class": (b"text,label\na one,x\na two,x\na three,x\n", "one_class"),
    "one-example": (b"text,label\na,x\nb,x\nc,y\nd,y\ne,z\n", "one_example"),
    "two-rows": (b"text,label\na,x\nb,y\n", "one_example"),
    "no-rows": (b"text,label\n", "no_rows"),
    "nothing": (b"", "empty_file"),
    "empty-texts": (b"text,label\na,x\n,y\n b,x\n  ,y\n", "empty_text"),
    "ragged": (b"text,label\na,x\nb,y,z,w\nc\n", None),
    "no-label": (b"text,number\nfirst,1\nsecond,2\nthird,3\nfourth,4\n", "no_label_column"),
    "not-text": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x00\x00", "binary_file"),
    "same-text": (b"text,label\n" + b"same,x\nsame,y\n" * 10, "cannot_split"),
    "two-of-each": (b"text,label\na b,x\nc d,x\ne f,y\ng h,y\n", "cannot_split"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_rows_are_refused_with_a_remedy_and_leave_nothing(
    metier, home, tmp_path, kind
) -> None:
    content, code = WRONG[kind]
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    before = files(home)
    with pytest.raises(InputError) as caught:
        make(metier, path)
    assert code is None or caught.value.code == code
    assert caught.value.remedy
    assert "made" not in {item.name for item in metier.list()}
    assert files(home) == before


def test_rows_with_too_many_or_too_few_cells_are_named(metier, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(WRONG["ragged"][0])
    with pytest.raises(InputError) as caught:
        make(metier, path)
    said = caught.value.message + json.dumps(caught.value.details)
    assert "3" in said
    assert "4" in said


def test_an_eval_with_labels_of_its_own_is_refused(metier, tmp_path) -> None:
    data = rows_file(tmp_path, made_up.rows(5))
    held = made_up.write(tmp_path / "held.jsonl", [{"text": "x", "label": "other"}] * 2)
    with pytest.raises(InputError) as caught:
        make(metier, data, eval_file=held)
    assert caught.value.code == "unseen_labels"


def test_two_equal_texts_are_too_few_for_a_label(metier, tmp_path) -> None:
    content = [{"text": f"hello there {number}", "label": "a"} for number in range(30)]
    data = rows_file(tmp_path, content + [{"text": "the same", "label": "b"}] * 2)
    with pytest.raises(InputError) as caught:
        make(metier, data)
    assert caught.value.code == "one_class"
    assert "different texts" in str(caught.value.remedy)


def test_a_base_is_never_replaced_by_a_specialist(metier, tmp_path) -> None:
    data = rows_file(tmp_path, made_up.rows(5))
    with pytest.raises(InputError) as caught:
        make(metier, data, name=workshop.BASE)
    assert caught.value.code == "name_taken"
    assert metier.show(workshop.BASE).kind == "base"


# --- odd rows that something can be made of -----------------------------------------------------


def renamed(names: dict[str, str]) -> list[dict[str, str]]:
    return [{**row, "label": names.get(row["label"], row["label"])} for row in made_up.rows(12)]


@pytest.mark.parametrize(
    "odd",
    ["two words", "a/b/../c", "né 🦊 ünï", "x" * 200, "line\nbreak", "none", "0", "majority", "-"],
)
def test_labels_may_be_any_text(metier, tmp_path, odd) -> None:
    card = make(metier, rows_file(tmp_path, renamed({"returns": odd})))
    assert odd in card.labels
    (guess,) = metier.classify("made", ["the refund is broken, my jacket does not fit"], top=4)
    assert odd in dict(guess.scores)
    assert metier.verify()["problems"] == []


def test_two_classes_and_no_more(metier, tmp_path) -> None:
    content = [row for row in made_up.rows(20) if row["label"] in LABELS[:2]]
    card = make(metier, rows_file(tmp_path, content))
    assert card.labels == LABELS[:2]
    assert card.accuracy().value > 0.8
    for guess in metier.classify("made", ["the parcel is late", "my card was declined"]):
        assert sum(share for _, share in guess.scores) == pytest.approx(1.0, abs=1e-5)


def test_three_rows_of_each_are_enough(metier, tmp_path) -> None:
    card = make(
        metier,
        rows_file(
            tmp_path,
            [
                {"text": f"{word} {number}", "label": label}
                for label, word in (("a", "yes please"), ("b", "no thanks"))
                for number in range(3)
            ],
        ),
    )
    assert card.data.train_rows + card.data.eval_rows == 6
    assert card.data.smallest_class >= 2
    assert card.against("majority").difference.verdict is Verdict.UNDERPOWERED


def test_very_unequal_classes(metier, tmp_path) -> None:
    content = [{"text": f"hello there {number}", "label": "often"} for number in range(200)]
    content += [{"text": f"goodbye, see you {number}", "label": "seldom"} for number in range(4)]
    card = make(metier, rows_file(tmp_path, content))
    assert (card.data.smallest_class, card.data.largest_class) == (3, 160)
    assert card.accuracy().value > 0.9


def test_long_texts(metier, tmp_path) -> None:
    content = [{**row, "text": (row["text"] + " ") * 250} for row in made_up.rows(6)]
    assert max(len(row["text"]) for row in content) > 10_000
    card = make(metier, rows_file(tmp_path, content))
    assert card.data.train_rows == 19
    assert metier.classify("made", [content[0]["text"]])


@pytest.mark.parametrize("codec", ["cp1252", "utf-16", "utf-8-sig"])
def test_other_encodings(metier, tmp_path, codec) -> None:
    lines = [f"{row['text']} café naïveté déjà,{row['label']}" for row in made_up.rows(10)]
    lines = [line.replace("hello, ", "hello ").replace("help, ", "help ") for line in lines]
    path = tmp_path / "rows.csv"
    path.write_bytes("\r\n".join(["text,label", *lines]).encode(codec))
    assert make(metier, path).labels == tuple(sorted(LABELS))


@pytest.mark.parametrize("text", ["🦊", "...", "12"])
def test_texts_without_a_word_do_not_break_it(metier, tmp_path, text) -> None:
    content = [{"text": text * (number + 1), "label": LABELS[number % 2]} for number in range(30)]
    card = make(metier, rows_file(tmp_path, content))
    assert card.accuracy().n == card.data.eval_rows > 0


def test_one_item_can_be_an_eval_that_proves_nothing(metier, tmp_path) -> None:
    content = [{**row, "split": "train"} for row in made_up.rows(10)]
    content += [{**row, "split": "test"} for row in made_up.rows(1, seed=9)[:1]]
    card = make(metier, rows_file(tmp_path, content), curve=True)
    assert card.accuracy().n == 1
    assert {item.difference.verdict for item in card.evidence} == {Verdict.UNDERPOWERED}


def test_groups_are_kept_together_all_the_way(metier, tmp_path) -> None:
    content = [{**row, "author": f"a{number // 4}"} for number, row in enumerate(made_up.rows(30))]
    card = make(metier, rows_file(tmp_path, content), group="author")
    assert card.data.grouped
    assert card.accuracy().clusters < card.accuracy().n
    linear = next(rung for rung in card.ladder if rung.name == "linear")
    assert linear.accuracy.clusters < linear.accuracy.n


def test_an_out_of_scope_label_without_training_rows(metier, tmp_path) -> None:
    content = [{**row, "split": "train"} for row in made_up.rows(20)]
    held = made_up.rows(10, seed=7) + made_up.outside(30)
    content += [{**row, "split": "test"} for row in held]
    recipe = workshop.recipe(metier, rows_file(tmp_path, content), name="made", curve=False)
    part = recipe.specialist.model_copy(update={"out_of_scope_label": "none"})
    card = metier.make(recipe.model_copy(update={"specialist": part}), folder=tmp_path)
    assert "none" not in card.labels
    assert card.out_of_scope.false_alarms == 0.01
    assert card.out_of_scope.n_out == 30
    assert card.out_of_scope.auroc > 0.8


# --- leaks --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def leaky(tmp_path_factory) -> Path:
    """A file whose test part repeats five training rows: 5 of 100."""
    train = made_up.rows(40, noise=0.0)
    words = ("indeed", "again", "sadly", "today", "kindly")
    fresh = [
        {"text": f"{words[number % 5]} it is said, {row['text']}, {number}", "label": row["label"]}
        for number, row in enumerate(made_up.rows(24, seed=50, noise=0.0)[:95])
    ]
    content = [{**row, "split": "train"} for row in train]
    content += [{**row, "split": "test"} for row in fresh + train[:5]]
    return rows_file(tmp_path_factory.mktemp("leaky"), content)


def test_a_leak_of_more_than_a_hundredth_blocks_every_win(metier, leaky) -> None:
    card = make(metier, leaky)
    assert card.leaks.blocks_win
    assert card.leaks.by_kind["exact"] == 5
    evidence = card.against("majority")
    assert evidence.difference.interval.low > 0
    assert evidence.difference.verdict is Verdict.NOT_WORSE
    assert evidence.without_leaks.verdict is Verdict.WIN
    assert evidence.without_leaks.n <= 95
    assert card.data.train_rows == 160


def test_dropping_the_leaks_gives_the_win_back(metier, leaky) -> None:
    card = make(metier, leaky, drop_leaks=True)
    assert card.leaks.dropped >= 5
    assert not card.leaks.blocks_win
    assert card.data.train_rows == 160 - card.leaks.dropped
    evidence = card.against("majority")
    assert evidence.difference.verdict is Verdict.WIN
    assert evidence.without_leaks is None


# --- stops and budgets --------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["data", "leaks", "rung", "choose", "eval", "curve"])
def test_a_stop_at_any_stage_leaves_nothing(tmp_path, stage) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    data = rows_file(tmp_path, made_up.rows(15))
    before = files(tmp_path / "home")
    asked = threading.Event()

    def report(progress: Progress) -> None:
        if progress.stage == stage:
            asked.set()

    recipe = workshop.recipe(metier, data, name="stopped")
    with pytest.raises(MetierError) as caught:
        metier.make(recipe, folder=tmp_path, report=report, cancelled=asked.is_set)
    assert caught.value.code == "cancelled"
    assert metier.list() == []
    left = files(tmp_path / "home") - before
    assert all("journals" in str(path) for path in left), left
    texts = [row["text"].encode() for row in made_up.rows(15)]
    for path in left:
        content = (tmp_path / "home" / path).read_bytes()
        assert not any(text in content for text in texts)
    card = metier.make(recipe, folder=tmp_path)
    assert card.data.eval_rows == 12
    assert metier.verify()["problems"] == []


def test_a_crash_in_the_middle_leaves_nothing(tmp_path, monkeypatch) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    data = rows_file(tmp_path, made_up.rows(10))
    before = files(tmp_path / "home")
    monkeypatch.setattr(Climb, "choose", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make(metier, data)
    assert files(tmp_path / "home") == before


def test_a_spent_budget_still_ends_in_a_whole_card(metier, tmp_path) -> None:
    data = rows_file(tmp_path, made_up.rows(10))
    card = make(metier, data, budget=0.0001, curve=True)
    assert card.rung == "majority"
    states = {rung.name: rung.state for rung in card.ladder}
    assert states["linear"] == "stopped"
    assert card.curve is None
    base = next(row for row in card.rows if row.role == "base")
    assert base.score is None
    assert "budget" in base.note
    assert metier.classify("made", ["x"])


# --- what is kept -------------------------------------------------------------------------------


def test_making_a_name_again_forgets_the_eval_it_had(metier, home, tmp_path) -> None:
    one = make(metier, rows_file(tmp_path, made_up.rows(10, seed=21)), name="again")
    other = make(metier, rows_file(tmp_path, made_up.rows(10, seed=22)), name="again")
    kept = {path.stem for path in (home / "evals").iterdir()}
    assert other.data.eval_digest.removeprefix("sha256:") in kept
    assert one.data.eval_digest.removeprefix("sha256:") not in kept


def test_an_eval_that_two_have_stays_until_both_are_gone(metier, home, tmp_path) -> None:
    data = rows_file(tmp_path, made_up.rows(10, seed=33))
    card = make(metier, data, name="one")
    make(metier, data, name="two")
    kept = home / "evals" / f"{card.data.eval_digest.removeprefix('sha256:')}.jsonl"
    metier.remove("one")
    assert kept.is_file()
    metier.remove("two")
    assert not kept.exists()


def test_no_path_of_this_machine_is_in_any_part(metier, home, tmp_path) -> None:
    make(metier, rows_file(tmp_path, made_up.rows(10)), name="clean")
    for part in metier.parts("clean"):
        content = part.path.read_bytes()
        for secret in (str(tmp_path), str(home), str(Path.home())):
            assert secret == "/" or secret.encode() not in content, part.filepath


def test_what_is_installed_answers_as_what_was_proved(metier, tmp_path) -> None:
    data = workshop.tickets(tmp_path, train=10, held_out=10)
    recipe = workshop.recipe(metier, data, name="proved", curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("linear", "static", "encoder", "ensemble")})
    card = metier.make(recipe.model_copy(update={"ladder": ladder}), folder=tmp_path)
    texts = [row["text"] for row in made_up.rows(10, seed=77)]
    truth = [row["label"] for row in made_up.rows(10, seed=77)]
    guesses = metier.classify("proved", texts)
    right = sum(guess.best == label for guess, label in zip(guesses, truth, strict=True))
    assert right / len(truth) == card.accuracy().value
    assert str(metier.show("proved").system) == card.system


def test_the_build_says_what_could_change_it(metier, tmp_path) -> None:
    data = rows_file(tmp_path, made_up.rows(10))
    one = make(metier, data)
    same = make(metier, data)
    other = make(metier, data, seed=1)
    assert (one.recipe_id, one.build_id, one.system) == (same.recipe_id, same.build_id, same.system)
    assert one.build_id != other.build_id
    assert one.data.eval_digest != other.data.eval_digest
