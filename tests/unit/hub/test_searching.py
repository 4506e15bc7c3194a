"""Searching the hub, when a person asks: what it says becomes entries, and no claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from metier.errors import InputError, NotFoundError, UnavailableError
from metier.finding import Entry
from metier.hub import asking
from metier.hub.searching import ask_facts, search_hub, spdx
from stand_in.hub import TOKEN, Fault, Hub, serving_hub

DAY = "2026-11-23"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as found:
        found.facts = {
            "maker/tiny-coder-GGUF": {
                "pipeline_tag": "text-generation",
                "tags": ["gguf", "en", "license:apache-2.0", "code"],
                "gguf": {"total": 600_000_000},
                "downloads": 12345,
                "createdAt": "2026-03-01T10:00:00.000Z",
                "cardData": {"license": "apache-2.0", "base_model": ["maker/base"]},
            },
            "maker/tiny-labels": {
                "pipeline_tag": "token-classification",
                "tags": ["safetensors", "custom_code", "license:other"],
                "safetensors": {"total": 5_000_000},
            },
        }
        yield found


def found_by(hub: Hub, words: str = "tiny", **asked: Any) -> tuple[Entry, ...]:
    return search_hub(words, endpoint=hub.url, today=DAY, **asked)


def test_what_the_hub_says_becomes_entries_with_the_hub_as_their_source(hub: Hub) -> None:
    coder, labels = found_by(hub)

    assert (coder.name, coder.kind, coder.task) == ("maker/tiny-coder-GGUF", "model", "chat")
    assert coder.pull == "hf.co/maker/tiny-coder-GGUF"
    assert coder.licence == "Apache-2.0"
    assert coder.parameters == 600_000_000
    assert coder.base == "maker/base"
    assert coder.languages == ("en",)
    assert coder.released == "2026-03-01"
    assert coder.claims == ()
    assert "12,345 downloads in the last month" in coder.description
    source = coder.sources["licence"]
    assert (source.address, source.read) == (coder.upstream, DAY)
    assert set(coder.sources) >= {"name", "task", "upstream", "pull", "parameters", "licence"}
    assert labels.task == "entities"


def test_what_metier_cannot_load_says_so_and_has_nothing_to_pull(hub: Hub) -> None:
    labels = found_by(hub, task="entities")[0]

    assert labels.pull == ""
    assert "Metier cannot run it yet" in labels.description
    assert labels.licence is None


def test_task_size_order_and_limit_are_asked_of_the_hub(hub: Hub) -> None:
    (only,) = found_by(hub, task="chat", most_parameters=10**9, order="createdAt", limit=1)

    assert only.name == "maker/tiny-coder-GGUF"
    assert [asked.path for asked in hub.asked] == ["/api/models"]


def test_a_token_is_sent_to_the_hub(hub: Hub) -> None:
    found_by(hub, token=TOKEN)

    assert hub.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_odd_answers_are_left_out(hub: Hub) -> None:
    hub.facts = {
        "no-owner": {"tags": "no list", "downloads": "many", "createdAt": 5, "gguf": []},
        "maker/tiny-wide": {"pipeline_tag": ["a"], "cardData": "none", "tags": [1, "gguf"]},
        "maker/tiny-" + "x" * 300: {},
    }

    names = [entry.name for entry in found_by(hub, words="")]

    assert names == ["no-owner", "maker/tiny-wide"]
    assert found_by(hub, words="no-owner")[0].pull == ""


@pytest.mark.parametrize(
    ("status", "code"), [(500, "hub_failed"), (429, "hub_limited"), (401, "hub_refused")]
)
def test_a_hub_that_fails_is_unavailable(hub: Hub, status: int, code: str) -> None:
    hub.faults = [Fault("status", times=3, path="/api/models", status=status)]

    with pytest.raises(UnavailableError) as caught:
        found_by(hub)

    assert caught.value.code == code


def test_a_hub_that_fails_once_is_asked_again(hub: Hub) -> None:
    hub.faults = [Fault("status", times=1, path="/api/models", status=503)]

    assert len(found_by(hub)) == 2


def test_nobody_there_is_unreachable_at_once() -> None:
    with pytest.raises(UnavailableError) as caught:
        search_hub("x", endpoint="http://127.0.0.1:9", today=DAY)

    assert caught.value.code == "hub_unreachable"


def test_single_facts_of_one_model(hub: Hub) -> None:
    hub.repositories["maker/tiny-coder-GGUF"] = {}

    said = ask_facts("maker/tiny-coder-GGUF", endpoint=hub.url, token=None)

    assert (said.licence, said.parameters, said.base) == ("Apache-2.0", 600_000_000, "maker/base")
    assert (said.created, said.downloads) == ("2026-03-01", 12345)


def test_one_that_is_not_there_is_not_found_and_an_odd_one_refused(hub: Hub) -> None:
    with pytest.raises(NotFoundError):
        ask_facts("maker/none", endpoint=hub.url, token=None)
    hub.repositories["maker/odd"] = {}
    hub.facts["maker/odd"] = {"id": 5}

    with pytest.raises(InputError, match="odd"):
        ask_facts("maker/odd", endpoint=hub.url, token=None)


@pytest.mark.parametrize(
    ("said", "word"),
    [("apache-2.0", "Apache-2.0"), ("MIT", "MIT"), ("other", None), ("own-words", "own-words")],
)
def test_licences_in_the_words_of_spdx(said: str, word: str | None) -> None:
    assert spdx(said) == word
