"""Routing over a real fleet: a specialist with a real proof, a general service, a tiny model."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

import routed_fleet
import tiny_bert
import tiny_gguf
import workshop
from metier.assembly import Metier, routes
from metier.assembly.routing import slug
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.generating import Message, Piece, Question
from metier.routing import Answered, Asked, Wish, told
from routed_fleet import ELSEWHERE, GENERAL_SAYS, OF_PYTHON, Fleet, question
from scripted import Scripted

GENERAL = "remote:general"
TOOL = ({"type": "function", "function": {"name": "look", "parameters": {}}},)


def ask(metier: Metier, asked: Question, wish: Wish | None = None) -> Answered:
    routing = metier.routing
    return routing.ask(routing.decide(asked, wish or Wish()), Asked(asked))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Metier]:
    metier = workshop.opened(tmp_path / "home", base=False)
    yield metier
    metier.close()


@pytest.fixture
def copy(routed: Fleet, tmp_path: Path) -> Iterator[Metier]:
    metier = routed.copied(tmp_path)
    yield metier
    metier.close()


def test_who_holds_a_proof_gets_its_domain_and_the_general_model_the_rest(routed: Fleet) -> None:
    routing = routed.metier.routing
    found = routing.decide(question(OF_PYTHON), explain=True)
    decision = found.decision
    assert (decision.chosen, decision.ground, decision.domain) == ("helper", "domain", "python")
    assert decision.next == GENERAL
    assert decision.score is not None
    assert decision.threshold is not None
    assert found.scores[0][0] == "python"
    away = routing.decide(question(ELSEWHERE)).decision
    assert (away.chosen, away.ground) == (GENERAL, "abstained")
    assert routing.names() == ("auto", "auto:python")


def test_the_answer_comes_from_who_was_chosen(routed: Fleet) -> None:
    found = ask(routed.metier, question(OF_PYTHON))
    assert found.name == "helper"
    assert found.reply is not None
    assert found.reply.checked is True
    assert ask(routed.metier, question(ELSEWHERE)).written.text == GENERAL_SAYS


def test_a_stream_tells_who_answers_before_its_first_piece(routed: Fleet) -> None:
    events: list[str] = []
    asked = Asked(
        question(OF_PYTHON),
        on_answering=lambda name, _: events.append(name),
        on_piece=lambda piece: events.append(piece.text),
    )
    routing = routed.metier.routing
    routing.ask(routing.decide(asked.question), asked)
    assert events[0] == "helper"
    assert "def add_n0" in "".join(events[1:])


def test_an_expired_proof_gets_nothing(copy: Metier, monkeypatch: pytest.MonkeyPatch) -> None:
    assert copy.routing.decide(question(OF_PYTHON)).decision.chosen == "helper"
    later = (date.today() + timedelta(days=91)).isoformat()
    monkeypatch.setattr(routes, "today", lambda: later)
    monkeypatch.setattr("metier.assembly.finding.today", lambda: later)
    found = copy.routing.decide(question(OF_PYTHON)).decision
    assert found.chosen == GENERAL
    assert any("no proof" in one.why for one in found.refused)
    assert copy.routing.names() == ("auto",)


def test_another_base_under_it_ends_the_proof(copy: Metier) -> None:
    services = copy.settings.services
    services.write_text(services.read_text().replace("small-model", "other-model"))
    assert copy.routing.decide(question(OF_PYTHON)).decision.chosen == GENERAL


def test_a_fleet_that_changes_between_requests(copy: Metier, tmp_path: Path) -> None:
    assert copy.routing.decide(question(OF_PYTHON)).decision.chosen == "helper"
    copy.remove("helper")
    assert copy.routing.decide(question(OF_PYTHON)).decision.chosen == GENERAL
    assert copy.routing.names() == ("auto",)
    copy.fleet.import_gguf(tiny_gguf.tiny_model(tmp_path), "tiny")
    assert "tiny" in {one.name for one in copy.routing.field().candidates}


def test_a_specialist_that_is_removed_before_it_answers(copy: Metier) -> None:
    routed = copy.routing.decide(question(OF_PYTHON))
    copy.remove("helper")
    found = copy.routing.ask(routed, Asked(question(OF_PYTHON)))
    assert found.name == GENERAL
    assert found.tried[0].name == "helper"


def test_a_specialist_whose_base_is_gone_falls_back(copy: Metier) -> None:
    services = copy.settings.services
    services.write_text(services.read_text().replace("127.0.0.1", "127.0.0.1:1#"))
    routed = copy.routing.decide(question(ELSEWHERE))
    assert copy.routing.ask(routed, Asked(question(ELSEWHERE))).name == GENERAL


def test_what_its_tool_rejects_goes_on_to_the_next(routed: Fleet) -> None:
    def hopeless(_body: dict) -> Scripted:
        return routed_fleet.said("```python\ndef add_n0(a, b:\n    return a + b\n```\n")

    before, routed.mine.always = routed.mine.always, hopeless
    try:
        found = ask(routed.metier, question(OF_PYTHON))
    finally:
        routed.mine.always = before
    assert found.name == GENERAL
    assert found.tried[0].name == "helper"
    assert "rejects" in found.tried[0].why


def test_without_anybody_it_is_a_503_that_says_what_to_pull(bare: Metier) -> None:
    assert bare.routing.names() == ()
    found = bare.routing.decide(question("hello"))
    assert (found.decision.chosen, found.decision.ground) == ("", "nobody")
    assert found.decision.remedy.startswith("metier pull hf.co/")
    for act in (
        lambda: bare.routing.ask(found, Asked(question("hello"))),
        lambda: bare.routing.listing("auto"),
        lambda: bare.routing.sheet("auto"),
    ):
        with pytest.raises(UnavailableError) as caught:
            act()
        assert caught.value.code == "no_general_model"
        assert "metier pull" in (caught.value.remedy or "")


def test_an_unknown_domain_is_not_found(routed: Fleet) -> None:
    with pytest.raises(NotFoundError) as caught:
        routed.metier.routing.decide(question("hello"), Wish(domain="cooking"))
    assert caught.value.code == "no_domain"
    assert "python" in caught.value.message


def test_a_named_domain_is_not_guessed(routed: Fleet) -> None:
    found = routed.metier.routing.decide(question(ELSEWHERE), Wish(domain="Python")).decision
    assert (found.chosen, found.ground, found.score) == ("helper", "named", None)


def test_the_person_can_override_exclude_and_budget(routed: Fleet) -> None:
    routing = routed.metier.routing
    found = routing.decide(question(OF_PYTHON), Wish(model=GENERAL)).decision
    assert (found.chosen, found.ground) == (GENERAL, "override")
    assert routing.decide(question(OF_PYTHON), Wish(without=("helper",))).decision.chosen == GENERAL
    dear = routing.decide(question(ELSEWHERE), Wish(most_cost="this machine"))
    assert dear.decision.chosen == ""
    assert any(one.name == GENERAL for one in dear.decision.refused)
    with pytest.raises(InputError) as caught:
        routing.ask(dear, Asked(question(ELSEWHERE)))
    assert caught.value.code == "nobody_can"
    with pytest.raises(InputError) as wrong:
        routing.decide(question(OF_PYTHON), Wish(most_cost="much"))
    assert wrong.value.code == "bad_cost_class"
    with pytest.raises(NotFoundError):
        routing.decide(question(OF_PYTHON), Wish(model="nobody"))


def test_a_classifier_that_is_named_in_a_chat_is_refused_for_what_it_is(
    copy: Metier, tmp_path: Path
) -> None:
    copy.install_base(tiny_bert.make_folder(tmp_path / "upstream"), name=workshop.BASE)
    data = workshop.tickets(tmp_path / "rows")
    copy.make(workshop.recipe(copy, data, name="tickets", curve=False), folder=tmp_path)
    found = copy.routing.decide(question(OF_PYTHON), Wish(model="tickets")).decision
    assert found.why == "It does not chat: its task is classify."


def test_who_asks_for_auto_by_override_is_routed(routed: Fleet) -> None:
    routing = routed.metier.routing
    assert routing.decide(question(OF_PYTHON), Wish(model="auto")).decision.ground == "domain"
    named = routing.decide(question(ELSEWHERE), Wish(model="auto:python")).decision
    assert (named.chosen, named.ground) == ("helper", "named")


def test_why_the_general_model_cannot_is_said_first(routed: Fleet) -> None:
    seen = Question(messages=(Message("user", OF_PYTHON, pictures=(b"\x89PNG",)),))
    found = routed.metier.routing.decide(seen).decision
    assert [one.name for one in found.refused] == [GENERAL, "helper"]
    assert found.why.startswith(f"Nobody here can take it. {GENERAL}: It does not see pictures.")


def test_a_picture_reaches_only_what_sees(routed: Fleet, tmp_path: Path) -> None:
    seen = Question(messages=(Message("user", OF_PYTHON, pictures=(b"\x89PNG",)),))
    found = routed.metier.routing.decide(seen).decision
    assert found.chosen == ""
    assert all("see" in one.why for one in found.refused)
    assert found.remedy.startswith("metier pull ")
    seeing = routed.copied(tmp_path, general_sees=True)
    decided = seeing.routing.decide(seen).decision
    assert (decided.chosen, decided.ground) == (GENERAL, "picture")
    answered = ask(seeing, seen)
    assert answered.written.text == GENERAL_SAYS
    content = routed.general.bodies[-1]["messages"][-1]["content"]
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,")
    seeing.close()


def test_a_conversation_stays_with_who_has_it(routed: Fleet) -> None:
    first = question(ELSEWHERE)
    assert ask(routed.metier, first).name == GENERAL
    said = (("user", ELSEWHERE), ("assistant", GENERAL_SAYS + " rice" * 3000))
    kept = routed.metier.routing.decide(question("And with rice?", *said))
    assert kept.request.last == GENERAL
    assert kept.decision.chosen == GENERAL
    fresh = routed.metier.routing.decide(question(OF_PYTHON))
    assert fresh.request.last == "", "what begins anew is decided anew"


def test_a_conversation_may_have_a_name_of_its_own(routed: Fleet) -> None:
    wish = Wish(conversation="mine")
    ask(routed.metier, question(ELSEWHERE), wish)
    found = routed.metier.routing.decide(question("more"), wish)
    assert found.request.last == GENERAL
    assert "mine" not in found.request.conversation


def test_nobody_is_switched_inside_a_tool_loop(routed: Fleet) -> None:
    asked = Question(messages=(Message("user", "Look at the weather, please."),), tools=TOOL)
    assert ask(routed.metier, asked).name == GENERAL
    loop = Question(
        messages=(
            *asked.messages,
            Message("assistant", ""),
            Message("tool", "How do I fix an error in python? My python function does not work."),
        ),
        tools=TOOL,
    )
    found = routed.metier.routing.decide(loop)
    assert found.request.in_tool_loop
    assert (found.decision.chosen, found.decision.ground) == (GENERAL, "kept")


def test_ten_megabytes_of_text(routed: Fleet) -> None:
    found = routed.metier.routing.decide(question("word " * 2_000_000))
    assert found.decision.chosen == GENERAL
    row = routed.metier.routing.latest(1)[0]
    assert row["characters"] == 9_999_999
    assert len(json.dumps(row)) < 10_000


def test_many_requests_at_once(routed: Fleet) -> None:
    names: list[str] = []
    problems: list[MetierError] = []

    def one(text: str) -> None:
        try:
            names.append(ask(routed.metier, question(text)).name)
        except MetierError as error:
            problems.append(error)

    threads = [
        threading.Thread(target=one, args=(OF_PYTHON if number % 2 else ELSEWHERE,))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(names) == ["helper"] * 6 + [GENERAL] * 6


def test_no_text_is_kept_and_every_decision_is_made_again(copy: Metier) -> None:
    routing = copy.routing
    secret = "My password is hunter2, says Zebulon."
    for asked in (question(OF_PYTHON), question(secret), question(secret, ("user", secret))):
        ask(copy, asked)
    routing.decide(question(secret), Wish(domain="python"), wanted="any")
    routing.decide(question(secret), Wish(model="helper"))
    routing.decide(question(""), Wish(most_cost="8 GB"))
    log = (copy.settings.home / "routes" / "decisions.jsonl").read_text("utf-8")
    assert "hunter2" not in log
    assert "Zebulon" not in log
    found = routing.replay()
    assert (found.decisions, found.same) == (6, 6)
    assert (found.differing, found.other, found.broken) == ((), (), ())


def test_texts_are_kept_for_who_asks(routed: Fleet, tmp_path: Path) -> None:
    keeping = routed.copied(tmp_path, keep_texts=True)
    keeping.routing.decide(question("Half of \ud800 a pair."))
    assert "Half of" in (keeping.settings.home / "routes" / "decisions.jsonl").read_text("utf-8")
    assert keeping.routing.replay().differing == ()
    keeping.close()


def test_a_home_that_cannot_be_written_still_routes(routed: Fleet, tmp_path: Path) -> None:
    metier = routed.copied(tmp_path)
    shutil.rmtree(metier.settings.home / "routes")
    (metier.settings.home / "routes").write_text("in the way")
    found = metier.routing.decide(question(OF_PYTHON))
    assert found.decision.chosen == "helper"
    assert "cannot be written" in found.note
    metier.close()


def test_a_local_model_is_the_general_one(routed: Fleet, tmp_path: Path) -> None:
    metier = routed.copied(tmp_path, general_url=None, general_model=None)
    metier.fleet.import_gguf(tiny_gguf.tiny_model(tmp_path), "tiny")
    assert metier.routing.field().general.name == "tiny"
    pieces: list[Piece] = []
    asked = Asked(question(ELSEWHERE), on_piece=pieces.append)
    answered = metier.routing.ask(metier.routing.decide(asked.question), asked)
    assert answered.name == "tiny"
    assert "".join(piece.text for piece in pieces) == answered.written.text
    (listed, *_) = metier.routing.listed(metier.models.listings())
    assert (listed.name, listed.task) == ("auto", "chat")
    assert metier.routing.listed(metier.models.listings()) is metier.routing.listed(
        metier.models.listings()
    ), "an unchanged list is the same tuple"
    assert listed.details.context_length
    assert metier.routing.sheet("auto").metadata["metier.general"] == "tiny"
    assert metier.routing.listing("auto:python").name == "auto:python"
    metier.close()


def test_a_file_of_the_users_own_is_the_general_one(routed: Fleet, tmp_path: Path) -> None:
    file = tiny_gguf.tiny_model(tmp_path)
    metier = routed.copied(tmp_path, general_url=None, general_model=None, base=str(file))
    found = ask(metier, question(ELSEWHERE))
    assert found.name == file.name
    metier.close()


def test_a_classifier_may_be_named_but_never_chats(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    rows = workshop.tickets(tmp_path / "rows", train=60, held_out=60)
    recipe = metier.recipe_for(rows, name="help-desk", curve=False, text="text", label="label")
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority", "linear")})
    own = recipe.specialist.model_copy(update={"domain": "tickets"})
    metier.make(recipe.model_copy(update={"specialist": own, "ladder": ladder}), folder=tmp_path)
    text = question("My parcel has not arrived yet.")
    named = metier.routing.decide(text, wanted="any")
    assert {one.name for one in named.candidates} == {"help-desk"}
    chat = metier.routing.decide(text)
    assert chat.candidates == ()
    assert chat.decision.chosen == ""
    metier.close()


def test_what_a_response_tells(routed: Fleet) -> None:
    found = routed.metier.routing.decide(question(OF_PYTHON))
    document = told(found)
    assert document["model"] == document["chosen"] == "helper"
    assert {"why", "score", "next", "refused", "router", "id"} <= set(document)


def test_nothing_is_installed_under_the_routers_name(bare: Metier, tmp_path: Path) -> None:
    for name in ("auto", "auto:python"):
        with pytest.raises(InputError) as caught:
            bare.fleet.import_gguf(tiny_gguf.tiny_model(tmp_path), name)
        assert caught.value.code == "bad_name"


def test_slugs() -> None:
    assert [slug(one) for one in ("Svelte", "web design", "zażółć", "!")] == [
        "svelte",
        "web-design",
        "za",
        "-",
    ]
