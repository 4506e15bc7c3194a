"""Rows before training: the split, the seal, the leak gate, and what is recorded of the sources."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import made_up
from metier.errors import InputError, NotFoundError
from metier.making.rows import Places, Rows, gather, rows_digest
from metier.messages import Example, Progress, silent
from metier.recipe import Recipe


def recipe(*data: dict[str, Any], oos: str | None = None, **split: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "specialist": {"name": "mine", "out_of_scope_label": oos},
            "data": [{"kind": "file", **part} for part in data],
            "split": split,
        }
    )


def gathered(folder: Path, made: Recipe, report=silent, **places: Any) -> Rows:
    return gather(made, Places(folder, None, folder / "cache", **places), report)


def written(folder: Path, content: list[dict[str, str]], name: str = "rows.jsonl") -> dict:
    made_up.write(folder / name, content)
    return {"path": name}


def leaky(folder: Path, leaked: int, held_out: int = 100) -> tuple[dict, dict]:
    """Training rows and an eval of which ``leaked`` items stand in them."""
    train = made_up.rows(60, noise=0.0)
    other = [
        {"text": f"{row['text']} and {number} more words", "label": row["label"]}
        for number, row in enumerate(made_up.rows(50, seed=9, noise=0.0))
    ][: held_out - leaked]
    return written(folder, train, "train.jsonl"), written(
        folder, [*other, *train[:leaked]], "eval.jsonl"
    )


def test_a_fifth_of_the_rows_is_sealed_and_the_rest_trains(tmp_path) -> None:
    rows = gathered(tmp_path, recipe(written(tmp_path, made_up.rows(25))))
    assert (len(rows.texts), len(rows.sealed.items)) == (80, 20)
    assert not set(rows.texts) & {item.text for item in rows.sealed.items}
    assert rows.labels == tuple(sorted(made_up.SUBJECTS))
    assert [rows.labels[number] for number in rows.classes] == [
        item.label for item in rows.examples
    ]
    assert rows.summary.train_rows + rows.summary.eval_rows == 100
    assert not rows.summary.given_split
    assert any("set aside" in note for note in rows.notes)


def test_the_same_rows_in_another_order_are_split_alike(tmp_path) -> None:
    content = made_up.rows(25)
    one = gathered(tmp_path, recipe(written(tmp_path, content)))
    other = gathered(tmp_path, recipe(written(tmp_path, content[::-1], "turned.jsonl")))
    assert {item.text for item in one.sealed.items} == {item.text for item in other.sealed.items}


def test_rows_of_one_group_never_straddle(tmp_path) -> None:
    content = [{**row, "user": f"u{number // 5}"} for number, row in enumerate(made_up.rows(40))]
    rows = gathered(tmp_path, recipe(written(tmp_path, content), group="user"))
    train = {item.group for item in rows.examples}
    held = {item.cluster.removeprefix("group:") for item in rows.sealed.items}
    assert train
    assert held
    assert not train & held
    clusters = dict(zip([item.group for item in rows.examples], rows.clusters, strict=True))
    assert len(set(clusters.values())) == len(clusters)
    assert rows.summary.grouped


def test_copies_of_a_text_never_straddle(tmp_path) -> None:
    content = made_up.rows(20)
    content += [{**row, "text": row["text"].upper() + "!"} for row in content[:30]]
    rows = gathered(tmp_path, recipe(written(tmp_path, content)))
    assert rows.leaks.leaked == 0
    assert rows.leaks.duplicate_train_rows > 0
    assert len(set(rows.clusters.tolist())) < len(rows.texts)


def test_a_given_split_is_taken_as_it_is(tmp_path) -> None:
    content = [
        {**row, "split": ("train", "test", "dev")[number % 3]}
        for number, row in enumerate(made_up.rows(30))
    ]
    rows = gathered(tmp_path, recipe(written(tmp_path, content)))
    assert rows.summary.given_split
    assert (len(rows.texts), len(rows.sealed.items)) == (40, 40)
    assert [item.text for item in rows.sealed.items] == [row["text"] for row in content[1::3]]


@pytest.mark.parametrize(("leaked", "blocks"), [(1, False), (2, True)])
def test_more_than_a_hundredth_of_leaks_blocks_a_win(tmp_path, leaked, blocks) -> None:
    train, held = leaky(tmp_path, leaked)
    rows = gathered(tmp_path, recipe({**train, "role": "train"}, {**held, "role": "eval"}))
    assert rows.leaks.eval_items == 100
    assert rows.leaks.by_kind["exact"] == leaked == rows.leaks.leaked
    assert rows.leaks.blocks_win is blocks
    texts = {item.id: item.text for item in rows.sealed.items}
    assert {texts[item] for item in rows.leaked} <= set(rows.texts)
    assert rows.leaks.items == tuple(sorted(rows.leaked))
    assert rows.leaks.rows[0].kind == "exact"


def test_leaked_training_rows_are_dropped_when_asked(tmp_path) -> None:
    train, held = leaky(tmp_path, 5)
    parts = ({**train, "role": "train"}, {**held, "role": "eval"})
    kept = gathered(tmp_path, recipe(*parts))
    dropped = gathered(tmp_path, recipe(*parts, drop_leaks=True))
    assert dropped.leaks.dropped == 5
    assert len(dropped.texts) == len(kept.texts) - 5
    assert not set(dropped.texts) & {item.text for item in dropped.sealed.items}
    assert dropped.leaked == frozenset()
    assert not dropped.leaks.blocks_win
    assert dropped.sealed == kept.sealed
    assert dropped.summary.train_digest != kept.summary.train_digest
    assert dropped.summary.train_rows == len(dropped.texts)


def test_the_leak_gate_says_what_it_found(tmp_path) -> None:
    heard: list[Progress] = []
    train, held = leaky(tmp_path, 3)
    gathered(tmp_path, recipe({**train, "role": "train"}, {**held, "role": "eval"}), heard.append)
    said = [item.message for item in heard if item.stage == "leaks"]
    assert "3 of 100 eval items (3.00 %)" in said[-1]
    assert "no WIN" in said[-1]


def test_rows_of_the_out_of_scope_label_are_no_class(tmp_path) -> None:
    content = made_up.rows(20) + made_up.outside(30)
    rows = gathered(tmp_path, recipe(written(tmp_path, content), oos="none"))
    assert "none" not in rows.labels
    assert len(rows.outside) == 24
    assert len(rows.texts) + len(rows.outside) == len(rows.examples) == rows.summary.train_rows
    assert Counter(item.label for item in rows.sealed.items)["none"] == 6
    assert rows.summary.labels == 4


def test_an_out_of_scope_label_needs_no_training_rows(tmp_path) -> None:
    content = [{**row, "split": "train"} for row in made_up.rows(10)]
    content += [{**row, "split": "test"} for row in made_up.rows(3, seed=4) + made_up.outside(9)]
    rows = gathered(tmp_path, recipe(written(tmp_path, content), oos="none"))
    assert rows.outside == ()
    assert len(rows.sealed.items) == 21


def test_an_eval_of_out_of_scope_items_only_is_refused(tmp_path) -> None:
    content = [{**row, "split": "train"} for row in made_up.rows(10)]
    content += [{**row, "split": "test"} for row in made_up.outside(9)]
    with pytest.raises(InputError) as caught:
        gathered(tmp_path, recipe(written(tmp_path, content), oos="none"))
    assert caught.value.code == "no_ordinary_items"


def test_labels_that_no_training_row_has_are_named(tmp_path) -> None:
    train = {**written(tmp_path, made_up.rows(10), "a.jsonl"), "role": "train"}
    odd = [{"text": "hm", "label": "never seen"}]
    held = {**written(tmp_path, made_up.rows(3, seed=5) + odd, "b.jsonl"), "role": "eval"}
    with pytest.raises(InputError) as caught:
        gathered(tmp_path, recipe(train, held))
    assert caught.value.code == "unseen_labels"
    assert "'never seen'" in caught.value.message
    assert "row 13" in caught.value.message


def test_a_label_with_two_rows_keeps_both_to_train_on(tmp_path) -> None:
    content = [
        *made_up.rows(21, noise=0.0),
        {"text": "odd one out", "label": "odd"},
        {"text": "a strange thing", "label": "odd"},
    ]
    rows = gathered(tmp_path, recipe(written(tmp_path, content)))
    assert Counter(item.label for item in rows.examples)["odd"] == 2
    assert rows.summary.smallest_class == 2


@pytest.mark.parametrize("where", ["absolute", "above"])
def test_no_path_of_this_machine_is_recorded(tmp_path, where) -> None:
    home = tmp_path / "secret-user"
    home.mkdir()
    written(home, made_up.rows(20))
    path = str(home / "rows.jsonl") if where == "absolute" else "../secret-user/rows.jsonl"
    start = tmp_path / "start"
    start.mkdir()
    rows = gathered(start, recipe({"path": path}))
    (part,) = rows.recipe.data
    assert part.path == "rows.jsonl"
    assert "secret-user" not in json.dumps(rows.recipe.to_dict())
    assert "secret-user" not in rows.summary.source
    assert Path(rows.located[part.rows_sha256 or ""]).resolve() == (home / "rows.jsonl").resolve()


def test_a_path_beneath_the_recipe_stays(tmp_path) -> None:
    (tmp_path / "data").mkdir()
    written(tmp_path / "data", made_up.rows(20))
    rows = gathered(tmp_path, recipe({"path": "data/rows.jsonl"}))
    assert rows.recipe.data[0].path == "data/rows.jsonl"
    assert rows.recipe.data[0].rows_sha256


def test_what_was_recorded_finds_the_same_rows_again(tmp_path) -> None:
    one = gathered(tmp_path, recipe(written(tmp_path, made_up.rows(20))))
    again = gathered(tmp_path, one.recipe)
    assert again.summary == one.summary
    assert again.recipe == one.recipe


def test_changed_data_is_not_taken_for_what_was_recorded(tmp_path) -> None:
    one = gathered(tmp_path, recipe(written(tmp_path, made_up.rows(20))))
    written(tmp_path, made_up.rows(20, seed=1))
    with pytest.raises(InputError) as caught:
        gathered(tmp_path, one.recipe)
    assert caught.value.code == "wrong_sha256"


def test_a_folder_of_texts_per_label(tmp_path) -> None:
    for number, row in enumerate(made_up.rows(10, noise=0.0)):
        (tmp_path / "texts" / row["label"]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / row["label"] / f"{number}.txt").write_text(row["text"], "utf-8")
    rows = gathered(tmp_path, recipe({"kind": "dir", "path": "texts"}))
    assert rows.labels == tuple(sorted(made_up.SUBJECTS))
    assert len(rows.texts) == 32


def test_a_recipe_from_elsewhere_stays_in_its_folder(tmp_path) -> None:
    written(tmp_path, made_up.rows(20))
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError) as caught:
        gathered(tmp_path / "in", recipe({"path": "../rows.jsonl"}), confined=True)
    assert caught.value.code == "path_outside"


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(NotFoundError):
        gathered(tmp_path, recipe({"path": "nowhere.csv"}))


def test_the_digest_knows_text_label_group_and_order() -> None:
    one = Example("a", "x")
    rows = [one, Example("b", "y")]
    digests = {
        rows_digest(rows),
        rows_digest(rows[::-1]),
        rows_digest([one, Example("b", "z")]),
        rows_digest([one, Example("c", "y")]),
        rows_digest([one, Example("b", "y", "g")]),
        rows_digest([one]),
    }
    assert len(digests) == 6
    assert rows_digest(rows) == rows_digest([Example("a", "x", row=9), Example("b", "y")])
