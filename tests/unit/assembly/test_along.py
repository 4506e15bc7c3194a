"""Along a decision: the next one if the first fails, a tool that rejects, nothing after a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from metier.assembly.along import Ways, ask_along, reply_of
from metier.conversing import Draft, Reply, Sampling, Step, Turn
from metier.errors import InputError, InternalError, MetierError, NotFoundError, UnavailableError
from metier.generating import Message, Options, Piece, Question, Taken, ToolCall, Written
from metier.routing import Answered, Asked, Candidate, Decision, Request, Routed
from stand_in.models import ScriptedModels, listing

PNG = b"\x89PNG\r\n\x1a\n"
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


class Service:
    """A base that writes what it is told to, or fails; it keeps what it was asked."""

    name, digest, servable = "remote:general", "sha256:1", True

    def __init__(self, says: Draft | MetierError) -> None:
        self.says = says
        self.turns: list[Turn] = []
        self.sampling = Sampling()

    def generate(self, turns: Any, sampling: Sampling, *, on_text: Any, cancelled: Any) -> Draft:
        self.turns, self.sampling = list(turns), sampling
        if isinstance(self.says, MetierError):
            raise self.says
        if on_text is not None and self.says.text:
            on_text(self.says.text)
        return self.says


Says = Reply | MetierError


class Specialist:
    """A chat specialist that says this; text is passed on before it is done."""

    def __init__(self, says: Says, *, breaks: MetierError | None = None) -> None:
        self.says = says
        self.breaks = breaks
        self.manner: Any = None

    def __call__(self, name: str, turns: Any, **how: Any) -> Reply:
        self.manner = how["manner"]
        if isinstance(self.says, MetierError):
            raise self.says
        if how["on_step"] is not None:
            how["on_step"](Step("check", "looked at it"))
        if how["on_text"] is not None:
            how["on_text"](self.says.text)
        if self.breaks is not None:
            raise self.breaks
        return self.says


def routed(*names: str, judged: bool = False, general: str = "tiny") -> Routed:
    known = {
        "helper": Candidate("helper", "1", "chat", "python", judged=judged, proof="2027-01-01"),
        "tiny": Candidate("tiny", "2", "generate", general=general == "tiny"),
        "remote:general": Candidate("remote:general", "3", "generate", general=True),
    }
    first, *then = names
    decision = Decision(first, "domain", "because", then=tuple(then))
    return Routed("id", decision, Request("text"), tuple(known[name] for name in names))


def ways(
    specialist: Callable[..., Reply] | None = None,
    *,
    models: ScriptedModels | None = None,
    service: Service | None = None,
    general: str = "tiny",
) -> Ways:
    return Ways(
        models=models or ScriptedModels(),  # type: ignore[arg-type]
        specialist=specialist or Specialist(Reply("by the helper", checked=True)),
        generator=lambda _: service or Service(Draft("by the service")),
        general=lambda: general,
    )


def asked(text: str = "Hello", **more: Any) -> Asked:
    return Asked(Question(messages=(Message("user", text),)), **more)


def test_the_chosen_one_answers() -> None:
    found = ask_along(routed("helper", "tiny"), asked(), ways())
    assert (found.name, found.written.text, found.tried) == ("helper", "by the helper", ())
    assert found.reply is not None
    assert reply_of(found) is found.reply


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("It is not there."),
        NotFoundError("It was removed."),
        InputError("It sees nothing.", code="no_capability"),
        InternalError("It broke."),
    ],
)
def test_the_next_one_answers_if_it_fails(error: MetierError) -> None:
    found = ask_along(routed("helper", "tiny"), asked(), ways(Specialist(error)))
    assert found.name == "tiny"
    assert [(one.name, one.why) for one in found.tried] == [("helper", error.message)]


@pytest.mark.parametrize("code", ["bad_options", "bad_grammar", "cancelled", "bad_request"])
def test_a_wrong_question_is_nobodys_fault(code: str) -> None:
    with pytest.raises(InputError) as caught:
        ask_along(routed("helper", "tiny"), asked(), ways(Specialist(InputError("No.", code=code))))
    assert caught.value.code == code


def test_the_last_error_is_told_if_all_fail() -> None:
    models = ScriptedModels()
    models.script = [UnavailableError("No memory.", code="no_memory")]
    with pytest.raises(UnavailableError, match="No memory"):
        ask_along(
            routed("helper", "tiny"), asked(), ways(Specialist(InternalError("x")), models=models)
        )


def test_after_a_word_nobody_is_replaced() -> None:
    heard: list[Piece] = []
    broken = Specialist(Reply("half"), breaks=UnavailableError("It ended."))
    with pytest.raises(UnavailableError, match="It ended"):
        ask_along(routed("helper", "tiny"), asked(on_piece=heard.append), ways(broken))
    assert [piece.text for piece in heard] == ["half"]


def test_an_answer_that_its_tool_rejects_is_held_and_the_next_one_asked() -> None:
    heard: list[Piece] = []
    who: list[tuple[str, tuple[str, ...]]] = []
    steps: list[Step] = []
    wrong = Specialist(Reply("wrong code", checked=False))
    found = ask_along(
        routed("helper", "tiny", judged=True),
        asked(
            on_piece=heard.append,
            on_step=steps.append,
            on_answering=lambda name, tried: who.append((name, tuple(one.name for one in tried))),
        ),
        ways(wrong),
    )
    assert found.name == "tiny"
    assert "rejects" in found.tried[0].why
    assert "wrong" not in "".join(piece.text for piece in heard)
    assert who == [("tiny", ("helper",))]
    assert steps == [], "nor are its steps told"


def test_an_accepted_answer_is_released_whole_with_its_steps() -> None:
    heard: list[Piece] = []
    steps: list[Step] = []
    right = Specialist(Reply("right code", checked=True))
    found = ask_along(
        routed("helper", "tiny", judged=True),
        asked(on_piece=heard.append, on_step=steps.append),
        ways(right),
    )
    assert found.name == "helper"
    assert [piece.text for piece in heard] == ["right code"]
    assert [step.kind for step in steps] == ["check"]


def test_a_rejected_answer_is_better_than_none() -> None:
    heard: list[Piece] = []
    models = ScriptedModels()
    models.script = [UnavailableError("No memory.", code="no_memory")]
    found = ask_along(
        routed("helper", "tiny", judged=True),
        asked(on_piece=heard.append),
        ways(Specialist(Reply("wrong code", checked=False)), models=models),
    )
    assert found.name == "helper"
    assert [one.name for one in found.tried] == ["tiny"]
    assert [piece.text for piece in heard] == ["wrong code"]


def test_who_wants_the_first_draft_gets_it_unjudged() -> None:
    from metier.conversing import Manner

    wrong = Specialist(Reply("wrong code", checked=False))
    manner = Manner(first_draft=True)
    found = ask_along(routed("helper", "tiny", judged=True), asked(manner=manner), ways(wrong))
    assert found.name == "helper"
    assert wrong.manner is manner


def test_the_last_one_is_never_held_back() -> None:
    wrong = Specialist(Reply("wrong code", checked=False))
    assert ask_along(routed("helper", judged=True), asked(), ways(wrong)).name == "helper"


def test_a_service_gets_pictures_options_and_tools() -> None:
    service = Service(Draft("", tokens_in=5, extra={"tool_calls": [CALL]}, finish="tool_calls"))
    heard: list[Piece] = []
    picture = Message("user", "What is it?", pictures=(PNG,))
    question = Question(
        messages=(Message("system", "Be brief."), picture),
        options=Options(temperature=1.0, top_p=0.5, seed=3),
        tools=({"type": "function", "function": {"name": "weather"}},),
    )
    found = ask_along(
        routed("remote:general", general=""),
        Asked(question, unsaid=("temperature",), on_piece=heard.append),
        ways(service=service, general="remote:general"),
    )
    text, shown = service.turns[1].extra["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert shown["image_url"]["url"].startswith("data:image/png;base64,")
    assert "content" not in service.turns[0].extra
    assert (service.sampling.temperature, service.sampling.top_p) == (None, 0.5)
    assert found.written.tool_calls[0].name == "weather"
    assert heard[-1].tool_calls == found.written.tool_calls
    assert reply_of(found).extra["tool_calls"][0]["function"]["name"] == "weather"


def test_what_the_maker_of_a_model_said_stands_above_the_dialect() -> None:
    models = ScriptedModels()
    models.here["tiny"] = replace(listing("tiny"), settings=("temperature",))
    question = Question(
        messages=(Message("user", "Hi"),), options=Options(temperature=1.0, top_p=1.0)
    )
    ask_along(routed("tiny"), Asked(question, unsaid=("temperature", "top_p")), ways(models=models))
    options = models.asked[0][1].options
    assert (options.temperature, options.top_p) == (None, 1.0)


def test_a_model_alone_has_a_reply_without_a_trace() -> None:
    written = Written("text", tool_calls=(ToolCall("weather", {"a": 1}),), taken=Taken(tokens_in=3))
    reply = reply_of(Answered(routed("tiny"), "tiny", written))
    assert (reply.text, reply.base, reply.finish, reply.trace) == ("text", "tiny", "tool_calls", ())


def test_a_decision_for_nobody_who_is_here_is_a_defect() -> None:
    nobody = replace(routed("tiny"), candidates=())
    with pytest.raises(InternalError):
        ask_along(nobody, asked(), ways())
