"""The pages of local models: drawn, spoken to, and failing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import tiny_projector
from metier.errors import UnavailableError
from metier.reference import Digest, Reference
from stand_in.cards import banking
from stand_in.metier import Entry, StandIn
from stand_in.serving import serving

PAGE = {"Accept": "text/html"}


class WithModels(StandIn):
    """A fleet with a model that writes and one that embeds beside its specialists."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [banking()])
        for name in ("tiny", "team/words:2"):
            reference = Reference.parse(name)
            self._entries[name] = Entry(reference, None, Digest.of(name.encode()), 1000, "base")


@pytest.fixture
def metier(tmp_path: Path) -> WithModels:
    return WithModels(tmp_path)


@pytest.fixture
def client(metier: WithModels) -> Iterator[httpx.Client]:
    with (
        serving(metier) as address,
        httpx.Client(base_url=address, headers={**PAGE, "Origin": address}) as found,
    ):
        yield found


def test_a_model_has_a_page_with_a_box_to_talk(client: httpx.Client) -> None:
    page = client.get("/specialists/tiny")
    assert page.status_code == 200
    assert 'action="/specialists/tiny/talk#talk"' in page.text
    assert "data-talk" not in client.get("/specialists/team/words:2").text
    assert "data-talk" not in client.get("/specialists/banking-intents").text
    assert client.get("/specialists/nobody").status_code == 404


def test_a_question_is_answered_with_the_page(client: httpx.Client, metier: WithModels) -> None:
    page = client.post("/specialists/tiny/talk", data={"question": "hi\r\nthere"})
    assert page.status_code == 200
    assert "Hello there." in page.text
    assert metier.models.asked[0][1].messages[0].text == "hi\nthere"


@pytest.mark.parametrize("question", ["", "  ", "x" * 100_001])
def test_a_blank_or_endless_question_is_said(
    client: httpx.Client, metier: WithModels, question: str
) -> None:
    page = client.post("/specialists/tiny/talk", data={"question": question})
    assert "blank or longer" in page.text
    assert metier.models.asked == []


def test_a_failing_model_is_said_with_the_remedy(client: httpx.Client, metier: WithModels) -> None:
    metier.models.script = [UnavailableError("It ended.", code="engine_ended", remedy="Again.")]
    page = client.post("/specialists/tiny/talk", data={"question": "hi"})
    assert "It ended. Again." in page.text


def test_a_conversation_is_carried_with_its_settings(
    client: httpx.Client, metier: WithModels
) -> None:
    form = {
        "turn": ["hi", "Hello."],
        "question": "and you?",
        "system": "Answer in verse.",
        "temperature": "0.5",
        "num_predict": "40",
        "num_ctx": "512",
        "think": "no",
    }
    page = client.post("/specialists/tiny/talk", data=form).text
    _, question, loading, _ = metier.models.asked[0]
    assert [message.role for message in question.messages] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert (question.options.temperature, question.options.num_predict) == (0.5, 40)
    assert (question.think, loading.num_ctx) == (False, 512)
    assert page.count('name="turn"') == 4
    assert 'value="and you?"' in page
    assert 'value="0.5"' in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("temperature", "hot", "cannot be"),
        ("temperature", "nan", "cannot be"),
        ("num_predict", "-4", "cannot be"),
        ("num_predict", "2.5", "whole number"),
        ("turn", "x" * 1_000_001, "too long"),
    ],
)
def test_a_wrong_setting_is_said_and_the_question_kept(
    client: httpx.Client, metier: WithModels, field: str, value: str, said: str
) -> None:
    page = client.post("/specialists/tiny/talk", data={"question": "hi", field: value}).text
    assert said in page
    assert "hi</textarea>" in page
    assert metier.models.asked == []


def test_pictures_go_along_and_large_ones_do_not(client: httpx.Client, metier: WithModels) -> None:
    sent = {"picture": ("red.png", tiny_projector.picture(255, 0, 0), "image/png")}
    client.post("/specialists/tiny/talk", data={"question": "what is it"}, files=sent)
    assert metier.models.asked[0][1].messages[0].pictures == (sent["picture"][1],)
    large = {"picture": ("big.png", b"x" * 6_000_001, "image/png")}
    page = client.post("/specialists/tiny/talk", data={"question": "and this"}, files=large)
    assert "more than 6,000,000 bytes" in page.text


def test_texts_are_put_in_order(client: httpx.Client, metier: WithModels) -> None:
    path = "/specialists/team/words:2/rank"
    page = client.post(path, data={"question": "a", "texts": "<i>b</i>\r\nc\n"}).text
    assert "&lt;i&gt;b" in page
    assert "Cosine of the two vectors" in page
    for texts in ("", "x\n" * 51):
        told = client.post(path, data={"question": "a", "texts": texts}).text
        assert "It takes one text and 1 to 50 others" in told or not texts
    assert client.get(path).status_code == 303


def test_the_forms_address_leads_back(client: httpx.Client) -> None:
    answer = client.get("/specialists/tiny/talk")
    assert (answer.status_code, answer.headers["location"]) == (303, "/specialists/tiny")


def test_another_origin_cannot_talk(client: httpx.Client) -> None:
    answer = client.post(
        "/specialists/tiny/talk",
        data={"question": "hi"},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert answer.status_code == 403
