"""A hop's fields by task: to which object they go, the command, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from metier.assembly.bases import BaseChoice
from metier.card import AnyCard, ChatCard, DocumentSource, Machine, SearchCard
from metier.errors import InputError, MetierError, NotFoundError
from metier.messages import silent
from metier.reference import Reference
from metier.server.hoporders import document, hop_order
from metier.server.orders import again
from metier.server.uploads import Upload
from stand_in.cards import banking
from stand_in.metier import StandIn

DIGEST = "sha256:" + "0" * 64
PLAIN: dict[str, Any] = {
    "version": "1",
    "recipe_id": DIGEST,
    "build_id": DIGEST,
    "system": DIGEST,
    "made": "2026-11-23",
}
MACHINE = Machine(processor="x", cores=2, system="Linux", python="3.12")
SOURCE = DocumentSource(source="a/b@0", files=2, passages=5, files_sha256="0" * 64)
PACK = SearchCard(
    name="pages", sources=(SOURCE,), passages=5, seconds=1.0, cpu_seconds=1.0, machine=MACHINE,
    **PLAIN,
)  # fmt: skip
CHAT = ChatCard(name="helper", **PLAIN)


class Mixed(StandIn):
    """A classifier, a pack and a chat specialist with two bases at hand."""

    def show(self, name: str) -> Any:
        others: dict[str, AnyCard] = {"pages": PACK, "helper": CHAT}
        if name not in others:
            return super().show(name)
        return SimpleNamespace(reference=Reference.parse(name), card=others[name])

    def bases(self, name: str) -> list[Any]:
        del name
        return [
            BaseChoice("remote:mine", here=True, model="m", note="measured"),
            BaseChoice("local:small", here=True, model="s", note="not measured"),
            BaseChoice("large", here=False, model="l", note=""),
        ]


@pytest.fixture
def metier(tmp_path: Path) -> Mixed:
    return Mixed(tmp_path, [banking()])


def upload(name: str, **fields: str) -> Upload:
    return Upload(Path(), {**fields, "name": name}, {})


@pytest.mark.parametrize("name", ["banking-intents@previous", "nobody@rejected-0123abcd"])
def test_what_was_put_aside_does_not_hop(metier: Mixed, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as told:
        hop_order(metier, Upload(tmp_path, {"name": name, "bases": "x"}, {}))
    assert (told.value.code, told.value.details["param"]) == ("bad_name", "name")


def test_a_pack_goes_to_a_version(metier: Mixed) -> None:
    order = hop_order(metier, upload("pages", docs="kit@3", bases=""))
    assert order.command == "metier hop pages --docs kit@3"
    assert order.work(silent, lambda: False)["promoted"] == "kit@3"
    assert metier.moving.asked == [("pages", "kit@3")]
    resumed = again(metier, "hop", None, order.fields, {})
    assert resumed.command == order.command


def test_a_chat_specialist_goes_to_a_base_on_an_eval(metier: Mixed) -> None:
    asked = upload("helper", bases="remote:mine, small", on="svelte", budget="2m")
    order = hop_order(metier, asked)
    command = "metier hop helper --base remote:mine --base small --on svelte --budget 2m"
    assert order.command == command
    assert order.work(silent, lambda: False)["page"] == "/specialists/helper#hops"
    assert metier.rebasing.asked == [
        {"name": "helper", "bases": ["remote:mine", "small"], "on": "svelte", "budget": 120.0}
    ]
    assert again(metier, "hop", None, order.fields, {}).command == command


@pytest.mark.parametrize(
    ("name", "fields", "code", "kind"),
    [
        ("pages", {}, "bad_request", InputError),
        ("pages", {"docs": "/etc"}, "no_version", NotFoundError),
        ("pages", {"docs": "kit@3=/etc"}, "no_version", NotFoundError),
        ("pages", {"docs": "kit@3", "budget": "2m"}, "bad_request", InputError),
        ("pages", {"bases": "small"}, "bad_request", InputError),
        ("helper", {"on": "svelte"}, "no_bases", InputError),
        ("helper", {"bases": "./model.gguf"}, "bad_base", InputError),
        ("helper", {"bases": "replay:x.jsonl"}, "bad_base", InputError),
        ("helper", {"bases": "large"}, "bad_base", InputError),
        ("helper", {"bases": "small", "on": "/etc"}, "no_eval", NotFoundError),
        ("helper", {"every_new_base": "true"}, "bad_request", InputError),
        ("helper", {"bases": "small", "docs": "kit@3"}, "bad_request", InputError),
        ("banking-intents", {"docs": "kit@3"}, "bad_request", InputError),
        ("banking-intents", {"bases": "small", "on": "svelte"}, "bad_request", InputError),
    ],
)
def test_what_does_not_fit_the_task_is_said(
    metier: Mixed, name: str, fields: dict[str, str], code: str, kind: type[MetierError]
) -> None:
    with pytest.raises(kind) as caught:
        hop_order(metier, upload(name, **fields))
    assert caught.value.code == code
    assert caught.value.remedy
    assert (metier.moving.asked, metier.rebasing.asked, metier.hopping.asked) == ([], [], [])


def test_the_document_says_what_could_be_hopped_to(metier: Mixed) -> None:
    pack = document(metier, "pages")
    assert pack["task"] == "search"
    assert [one["key"] for one in pack["versions"]] == ["kit@2", "kit@3"]
    metier.rebasing.own = "small"
    chat = document(metier, "helper")
    assert (chat["task"], chat["base"], chat["evals"]) == ("chat", "small", ["svelte", "python"])
    assert [one["key"] for one in chat["bases"]] == ["remote:mine"], "its own is none of them"
    assert chat["bases"][0]["command"] == "metier hop helper --base remote:mine"
    classifier = document(metier, "banking-intents")
    assert (classifier["task"], classifier["versions"]) == ("classify", [])
