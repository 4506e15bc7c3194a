"""``metier find``: words and options become one query; the hub is asked only when told to."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metier.assembly import Metier
from metier.cli import main
from metier.cli.session import Session
from metier.finding import Entry, Found, Hit, Query
from metier.hub import asking
from metier.settings import Settings
from stand_in.hub import Fault, Hub, serving_hub

HIT = Hit(Entry(name="a/b", kind="model", task="chat", pull="hf.co/a/b"), "curated")


@pytest.fixture
def asked(facade: Any) -> list[Query]:
    """The queries that the command makes; each finds one hit."""
    queries: list[Query] = []

    def find(query: Query) -> Found:
        queries.append(query)
        return Found(query, (HIT,), 1)

    facade.find = find
    return queries


def test_words_and_options_are_one_query(metier: Any, asked: list[Query]) -> None:
    metier(
        "find", "svelte", "runes", "--task", "chat", "--domain", "svelte", "--licence", "MIT",
        "--base", "b", "--fits", "--proved", "--verdict", "win", "--max-size", "500MB",
        "--min-context", "32k", "--since", "2026-01", "--here", "--origin", "team",
        "--order", "newest", "--limit", "5", "--offset", "2", "--no-meaning",
    )  # fmt: skip

    assert asked == [
        Query(
            "svelte runes", "chat", "svelte", "MIT", "b", 500_000_000, 32_000, True, True, "WIN",
            "2026-01-01", True, "team", "newest", 5, 2, False,
        )
    ]  # fmt: skip


def test_without_anything_everything_is_asked_for(metier: Any, asked: list[Query]) -> None:
    outcome = metier("find")

    assert asked == [Query(limit=10)]
    assert outcome.out.splitlines()[-1] == "Bring it here:  metier pull hf.co/a/b"


def test_json_is_the_answer_and_nothing_else(metier: Any, asked: list[Query]) -> None:
    document = metier("find", "x", "--json").json()

    assert document["query"]["words"] == "x"
    assert document["hits"][0]["entry"]["name"] == "a/b"
    assert "hub" not in document
    assert len(asked) == 1


@pytest.mark.parametrize(
    "words",
    [["--max-size", "big"], ["--since", "soon"], ["--order", "fame"], ["--limit", "0"]],
)
def test_a_bad_option_is_the_users_error(metier: Any, words: list[str]) -> None:
    assert metier("find", *words).code == 2


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as found:
        found.facts = {"maker/tiny": {"pipeline_tag": "text-generation", "tags": ["gguf"]}}
        yield found


@pytest.fixture
def run(
    tmp_path: Path, hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Runs ``metier WORDS`` over a real home beside the hub."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    facade = Metier.open(Settings(home=tmp_path, hub_endpoint=hub.url))

    def command(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(words, obj=Session(lambda: facade))
        return int(str(ended.value.code)), capsys.readouterr().out

    return command


def test_the_hub_is_asked_only_when_told_to(run: Callable[..., tuple[int, str]], hub: Hub) -> None:
    run("find", "nothing-of-this-name-anywhere", "--no-meaning")
    assert hub.asked == []

    code, out = run("find", "tiny", "--hub", "--no-meaning", "--origin", "here")

    assert code == 0
    assert "The hub says (nothing of it was measured by us):" in out
    assert out.splitlines()[-1] == "Bring it here:  metier pull hf.co/maker/tiny"


def test_the_hubs_hits_stand_apart_in_json(run: Callable[..., tuple[int, str]], hub: Hub) -> None:
    _, out = run("find", "tiny", "--hub", "--json", "--no-meaning")
    _, nothing = run("find", "zzz", "--hub", "--no-meaning", "--origin", "here")

    assert [hit["entry"]["name"] for hit in json.loads(out)["hub"]] == ["maker/tiny"]
    assert "The hub has nothing for it." in nothing
    assert "--hub" not in nothing
    assert len(hub.asked) == 2


def test_what_is_known_here_is_told_even_if_the_hub_is_not_there(
    run: Callable[..., tuple[int, str]], hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0))
    hub.faults = [Fault("status", times=9, path="/api/models", status=500)]

    code, out = run("find", "svelte", "--hub", "--no-meaning", "--origin", "curated")

    assert code == 3
    assert "rockypod/svelte-coder" in out
