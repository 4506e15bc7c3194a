"""Asking: texts come from words, files and stdin, answers go out in words or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tiny_gguf
from metier.assembly import Metier
from metier.cli.program import program
from metier.cli.session import Session
from metier.fleet import Fleet
from metier.settings import Settings
from metier.store import Store


def test_one_text_shows_labels_and_probabilities(metier: Any) -> None:
    outcome = metier("run", "banking-intents", "where is my card")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "card_arrival            91.3 %",
        "card_delivery_estimate   4.1 %",
        "lost_card                2.0 %",
    ]
    assert outcome.err == ""


def test_top_is_how_many(metier: Any) -> None:
    assert len(metier("run", "banking-intents", "x", "--top", "1").out.splitlines()) == 1
    assert metier("run", "banking-intents", "x", "--top", "0").code == 2


def test_abstaining_is_said_in_words(metier: Any) -> None:
    assert metier("run", "banking-intents", "unsure").out.startswith(
        "No answer: not sure enough. Nearest labels:\n  card_arrival"
    )
    assert metier("run", "banking-intents", "strange").out.startswith("Out of scope: unlike what")


def test_several_texts_are_a_table(metier: Any) -> None:
    assert metier("run", "banking-intents", "hello", "unsure", "strange").out.splitlines() == [
        "card_arrival                            91.3 %  hello",
        "no answer, not sure (card_arrival)      41.0 %  unsure",
        "no answer, out of scope (card_arrival)  91.3 %  strange",
    ]
    two = metier("run", "banking-intents", "hello", "again", "--top", "2").out
    assert two.splitlines()[0] == "card_arrival  91.3 %  card_delivery_estimate 4.1 %  hello"


def test_json_has_every_prediction_whole(metier: Any) -> None:
    document = metier("run", "banking-intents", "hello", "strange", "--json").json()
    assert document["name"] == "banking-intents"
    first, second = document["predictions"]
    assert first["text"] == "hello"
    assert first["label"] == "card_arrival"
    assert first["scores"][1] == {"label": "card_delivery_estimate", "probability": 0.041}
    assert second["label"] is None
    assert second["out_of_scope"] is True
    assert second["best"] == "card_arrival"


def test_stdin_is_one_text_a_line(metier: Any, facade: Any) -> None:
    outcome = metier("run", "banking-intents", stdin="one\n\n  two \r\n\nthree")
    assert facade.calls[-1][1]["texts"] == ["one", "two", "three"]
    assert len(outcome.out.splitlines()) == 3
    assert outcome.err == "2 empty lines left out.\n"


def test_json_from_stdin_says_nothing_else(metier: Any) -> None:
    document = metier("run", "banking-intents", "--json", stdin="one\n\ntwo\n").json()
    assert [item["text"] for item in document["predictions"]] == ["one", "two"]
    assert document["empty_lines"] == [2]


def test_a_file_may_have_a_byte_order_mark(metier: Any, facade: Any, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes("\ufeffcafé\nzwei\n".encode())
    assert metier("run", "banking-intents", "--file", str(file)).code == 0
    assert facade.calls[-1][1]["texts"] == ["café", "zwei"]
    assert metier("run", "banking-intents", "--file", "-", stdin="eins").code == 0


def test_many_texts_are_asked_in_batches_in_order(metier: Any, facade: Any) -> None:
    texts = [f"text {index}" for index in range(1300)]
    outcome = metier("run", "banking-intents", stdin="\n".join(texts))
    asked = [facts["texts"] for verb, facts in facade.calls if verb == "classify"]
    assert [text for batch in asked for text in batch] == texts
    assert max(len(batch) for batch in asked) <= 512
    assert [line.split("  ")[-1] for line in outcome.out.splitlines()] == texts


@pytest.mark.parametrize(
    ("words", "stdin", "told"),
    [
        (("banking-intents",), None, "There is no text to ask about."),
        (("banking-intents",), "\n \n", "There is no text to ask about."),
        (("nope", "hello"), None, "There is no specialist called 'nope'."),
        (("banking-intents", "x", "--file", "y"), None, "Texts and --file cannot be given"),
        (("banking-intents", "--file", "nowhere.txt"), None, "There is no file 'nowhere.txt'."),
    ],
)
def test_wrong_words_are_input(metier: Any, words: Any, stdin: str | None, told: str) -> None:
    outcome = metier("run", *words, stdin=stdin)
    assert outcome.code == 2
    assert told in outcome.err
    assert outcome.out == ""


def test_a_folder_or_another_encoding_is_input(metier: Any, tmp_path: Path) -> None:
    told = metier("run", "banking-intents", "--file", str(tmp_path)).err
    assert "cannot be read: Is a directory." in " ".join(told.split())
    file = tmp_path / "latin.txt"
    file.write_bytes(b"one\ncaf\xe9\n")
    outcome = metier("run", "banking-intents", "--file", str(file))
    assert outcome.code == 2
    assert "is not UTF-8 near line" in " ".join(outcome.err.split())


def test_a_local_model_takes_a_limit_of_tokens(tmp_path: Path) -> None:
    settings = Settings.read({"METIER_HOME": str(tmp_path / "home")})
    session = Session(lambda: Metier(settings, Fleet(Store.open(settings.home))))
    file = tiny_gguf.tiny_model(tmp_path)
    words = ("import", str(file), "--name", "tiny")
    assert CliRunner().invoke(program, words, obj=session).exit_code == 0
    words = ("run", "tiny", "hello", "--tokens", "3", "--json")
    answered = CliRunner().invoke(program, words, obj=session)
    assert json.loads(answered.stdout)["taken"]["tokens_out"] == 3
