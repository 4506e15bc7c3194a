"""Pictures are routed to a classifier that holds a proof where its domain is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import loopback
import seeing_home
import tiny_vision
from metier.assembly import Metier
from metier.cli import main
from metier.cli.session import Session
from metier.errors import NotFoundError
from metier.generating import Message, Question
from metier.routing import Wish

GENERAL = "remote:general"
RED = tiny_vision.png(tiny_vision.pixels("red", 990))
ASKED = Question(messages=(Message("user", "", pictures=(RED,)),))


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metier]:
    folder = tmp_path_factory.mktemp("routed")
    with loopback.serving(seeing_home.half_blind) as (_, url):
        opened, data = seeing_home.seen_by(folder, url)
        recipe = seeing_home.recipe(opened, data, base=None)
        part = recipe.specialist.model_copy(update={"domain": "colours"})
        opened.make(recipe.model_copy(update={"specialist": part}), folder=folder)
        yield opened
        opened.close()


def test_a_proved_classifier_is_named_for_its_domain(metier: Metier) -> None:
    (one,) = [each for each in metier.routing.field().candidates if each.name == "colours"]
    assert (one.task, one.domain, one.sees, one.state) == (
        "classify-image", "colours", True, "PROMOTED",
    )  # fmt: skip
    assert one.proof
    assert one.gain > 0.2
    found = metier.routing.decide(ASKED, Wish(domain="colours"), wanted="any").decision
    assert (found.chosen, found.ground, found.then) == ("colours", "named", (GENERAL,))


def test_without_a_domain_the_general_model_sees_it(metier: Metier) -> None:
    found = metier.routing.decide(ASKED, wanted="any").decision
    assert (found.chosen, found.next) == (GENERAL, "colours")
    assert "name that domain" in found.why


def test_a_chat_goes_to_what_chats_and_sees(metier: Metier) -> None:
    found = metier.routing.decide(ASKED, Wish(domain="colours")).decision
    assert found.chosen == GENERAL
    assert "colours" not in (found.next, *found.then)


def test_without_a_general_model_the_only_one_is_named_with_a_word(metier: Metier) -> None:
    alone = Metier.open(replace(metier.settings, general_url=None, general_model=None))
    try:
        found = alone.routing.decide(ASKED, wanted="any").decision
        assert found.chosen == "colours"
        assert "Nothing was looked at" in found.why
        with pytest.raises(NotFoundError):
            alone.routing.decide(ASKED, Wish(domain="fruit"), wanted="any")
    finally:
        alone.close()


def test_the_command_says_it_and_the_log_says_it_again(
    metier: Metier, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    (tmp_path / "a.png").write_bytes(RED)
    for more, first in ((("--domain", "colours"), "colours"), ((), GENERAL)):
        words = ["route", "--image", str(tmp_path / "a.png"), *more]
        assert ran(metier, words, capsys).splitlines()[0] == first
        assert json.loads(ran(metier, [*words, "--json"], capsys))["chosen"] == first
    assert "Next: colours." in ran(metier, ["route", "--image", str(tmp_path / "a.png")], capsys)
    replayed = metier.routing.replay()
    assert replayed.same == replayed.decisions > 0


def ran(metier: Metier, words: list[str], capsys: Any) -> str:
    with pytest.raises(SystemExit) as caught:
        main(words, obj=Session(lambda: metier))
    assert not caught.value.code
    return str(capsys.readouterr().out)
