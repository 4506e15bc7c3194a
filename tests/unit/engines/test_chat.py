"""Remote generation, against a scripted service on the loopback: requests, streams, tool calls."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

import scripted
from metier.conversing import Sampling, Turn
from metier.engines import calling
from metier.engines.chat import RemoteGenerator
from metier.errors import InputError, UnavailableError
from metier.services import Service
from scripted import Scripted, body_of, chunk, event, said, stream_of, streamed, usage

ASK = [Turn("user", "Write a counter.")]
PLAIN = Sampling()


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch) -> None:
    monkeypatch.setattr(calling, "LONGEST_WAIT", 0.01)


@pytest.fixture
def opened() -> Iterator:
    made = []

    def open_one(seen: scripted.Seen) -> RemoteGenerator:
        made.append(RemoteGenerator(seen.service))
        return made[-1]

    yield open_one
    for generator in made:
        generator.close()


def test_a_whole_answer_with_its_tokens_and_price(opened) -> None:
    with scripted.service(said("Hello.")) as seen:
        draft = opened(seen).generate(ASK, PLAIN)
    assert (draft.text, draft.tokens_in, draft.tokens_out, draft.finish) == (
        "Hello.",
        50,
        5,
        "stop",
    )
    assert draft.spent == pytest.approx((50 * 1.0 + 5 * 4.0) / 1e6)
    assert draft.extra == {}
    assert seen.paths == ["/v1/chat/completions"]
    assert seen.headers[0]["authorization"] == "Bearer sk-secret"


def test_sampling_and_tools_are_passed_on(opened) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    sampling = Sampling(0.3, 0.9, 100, 7, ("END",), {"tools": tools, "tool_choice": "auto"})
    with scripted.service(said("ok")) as seen:
        opened(seen).generate(ASK, sampling)
    body = seen.bodies[0]
    sent = [body[name] for name in ("temperature", "top_p", "max_tokens", "seed", "stop")]
    assert sent == [0.3, 0.9, 100, 7, ["END"]]
    assert body["tools"] == tools
    assert body["model"] == "big-model"


def test_nothing_is_sent_that_was_not_set(opened) -> None:
    with scripted.service(said("ok")) as seen:
        opened(seen).generate(ASK, PLAIN)
    assert set(seen.bodies[0]) == {"model", "messages", "stream"}


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n"])
def test_sampling_may_not_change_what_is_asked(opened, name) -> None:
    with scripted.service() as seen, pytest.raises(InputError) as caught:
        opened(seen).generate(ASK, Sampling(extra={name: 1}))
    assert caught.value.code == "bad_sampling"


def test_turns_of_a_tool_loop_travel_unharmed(opened) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    turns = [
        *ASK,
        Turn("assistant", "", {"tool_calls": [call], "images": ["not theirs"]}),
        Turn("tool", "42", {"tool_call_id": "c1"}),
    ]
    with scripted.service(said("ok")) as seen:
        opened(seen).generate(turns, PLAIN)
    assert seen.bodies[0]["messages"][1:] == [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    ]


def test_a_stream_arrives_piece_by_piece(opened) -> None:
    with scripted.service(streamed("He", "llo", ".")) as seen:
        pieces: list[str] = []
        draft = opened(seen).generate(ASK, PLAIN, on_text=pieces.append)
    assert pieces == ["He", "llo", "."]
    assert (draft.text, draft.tokens_in, draft.tokens_out) == ("Hello.", 50, 5)
    assert seen.bodies[0]["stream"] is True
    assert seen.bodies[0]["stream_options"] == {"include_usage": True}


def test_a_stream_in_awkward_portions(opened) -> None:
    whole = b"".join(
        [
            b": keep-alive\r\n\r\n",
            b"event: message\r\n",
            event(chunk(content="Grüße ")).replace(b"\n", b"\r\n"),
            event(chunk(content="\u2028und 🙂")).replace(b"\n", b"\r"),
            event(chunk("stop")),
            event(usage()),
            b"data: [DONE]\n\n",
        ]
    )
    portions = [whole[index : index + 1] for index in range(len(whole))]
    with scripted.service(stream_of(*portions)) as seen:
        pieces: list[str] = []
        draft = opened(seen).generate(ASK, PLAIN, on_text=pieces.append)
    assert draft.text == "Grüße \u2028und 🙂" == "".join(pieces)
    assert draft.tokens_out == 5


def test_a_stream_without_done_is_whole_once_it_finished(opened) -> None:
    with scripted.service(stream_of(event(chunk(content="ab")), event(chunk("stop")))) as seen:
        draft = opened(seen).generate(ASK, PLAIN, on_text=lambda _: None)
    assert draft.text == "ab"
    assert draft.extra["estimated"]
    assert draft.spent is None
    assert draft.tokens_out == 1


def test_a_service_that_does_not_stream_is_heard_all_the_same(opened) -> None:
    with scripted.service(said("whole")) as seen:
        pieces: list[str] = []
        draft = opened(seen).generate(ASK, PLAIN, on_text=pieces.append)
    assert pieces == ["whole"]
    assert draft.text == "whole"


@pytest.mark.parametrize(
    "pieces",
    [
        [event(chunk(content="half an ans"))],
        [event(chunk(content="half an ans")), b'data: {"choi'],
        [event(chunk(content="x")), b"data: nonsense\n\n"],
        [event(chunk(content="x")), event({"error": {"message": "out of memory", "code": 500}})],
    ],
)
def test_a_stream_that_breaks_off_is_an_error_and_not_an_answer(opened, pieces) -> None:
    with scripted.service(stream_of(*pieces)) as seen, pytest.raises(UnavailableError) as caught:
        opened(seen).generate(ASK, PLAIN, on_text=lambda _: None)
    assert caught.value.code in ("service_broke_off", "bad_service_answer", "service_failed")
    assert len(seen.bodies) == 1, "what was heard in part is not asked for twice"


def test_a_connection_that_is_cut_is_an_error(opened) -> None:
    script = stream_of(event(chunk(content="half")), cut=True)
    with scripted.service(script) as seen, pytest.raises(UnavailableError) as caught:
        opened(seen).generate(ASK, PLAIN, on_text=lambda _: None)
    assert caught.value.code == "service_broke_off"


def test_thoughts_are_kept_apart(opened) -> None:
    with scripted.service(
        said("<think>Let me see.</think>\n\nHello."),
        said("Hello.", reasoning_content="Let me see."),
        said("Let me see.\n</think>\nHello."),
        streamed("<th", "ink>Let me", " see.</thi", "nk>\n", "Hel", "lo."),
        stream_of(
            event(chunk(reasoning_content="Let me ")),
            event(chunk(reasoning="see.")),
            event(chunk(content="Hello.")),
            event(chunk("stop")),
            event("[DONE]"),
        ),
    ) as seen:
        generator = opened(seen)
        drafts = [generator.generate(ASK, PLAIN) for _ in range(3)]
        pieces: list[str] = []
        drafts += [generator.generate(ASK, PLAIN, on_text=pieces.append) for _ in range(2)]
    assert [draft.text for draft in drafts] == ["Hello."] * 5
    assert [draft.extra["reasoning"] for draft in drafts] == ["Let me see."] * 5
    assert "".join(pieces) == "Hello.Hello."


def test_an_answer_that_only_thought_is_empty_and_cut_off(opened) -> None:
    with scripted.service(said("<think>I wonder", finish="length")) as seen:
        draft = opened(seen).generate(ASK, PLAIN)
    assert (draft.text, draft.finish, draft.extra["reasoning"]) == ("", "length", "I wonder")


@pytest.mark.parametrize(
    ("said_finish", "finish"),
    [("stop", "stop"), ("length", "length"), ("tool_calls", "tool_calls"), ("eos", "stop")],
)
def test_how_it_ended(opened, said_finish, finish) -> None:
    with scripted.service(said("x", finish=said_finish)) as seen:
        draft = opened(seen).generate(ASK, PLAIN)
    assert draft.finish == finish
    assert draft.extra.get("finish_reason") == ("eos" if said_finish == "eos" else None)


def test_tool_calls_are_put_together_from_pieces(opened) -> None:
    def call(index: int, **function: str) -> dict:
        named = {"id": f"c{index}"} if "name" in function else {}
        return {"index": index, **named, "function": function}

    script = stream_of(
        event(chunk(role="assistant", content=None)),
        event(chunk(tool_calls=[call(0, name="look", arguments="")])),
        event(chunk(tool_calls=[call(0, arguments='{"at"')])),
        event(chunk(tool_calls=[call(1, name="run", arguments="{}")])),
        event(chunk(tool_calls=[call(0, arguments=": 1}")])),
        event(chunk("tool_calls")),
        event("[DONE]"),
    )
    with scripted.service(script) as seen:
        draft = opened(seen).generate(ASK, PLAIN, on_text=lambda _: None)
    assert draft.finish == "tool_calls"
    assert draft.extra["tool_calls"] == [
        {"id": "c0", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}},
        {"id": "c1", "type": "function", "function": {"name": "run", "arguments": "{}"}},
    ]


def test_whole_tool_calls_without_numbers_stay_two(opened) -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    ]
    with scripted.service(Scripted(document=body_of(None, tool_calls=calls))) as seen:
        draft = opened(seen).generate(ASK, PLAIN)
    assert draft.extra["tool_calls"] == calls
    assert draft.finish == "tool_calls"
    assert draft.text == ""


RENAMED = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
ONLY_ONE = "Unsupported value: 'temperature' does not support 0.2. Only the default (1) is."
NO_EXTRA = "[{'loc': ['body', 'stream_options'], 'msg': 'Extra inputs are not permitted'}]"


@pytest.mark.parametrize(
    ("message", "param", "sampling", "absent", "present"),
    [
        (RENAMED, "max_tokens", Sampling(max_tokens=9), "max_tokens", "max_completion_tokens"),
        ("Unknown parameter: seed", None, Sampling(seed=3), "seed", "model"),
        (ONLY_ONE, "temperature", Sampling(0.2), "temperature", "model"),
        (NO_EXTRA, None, PLAIN, "stream_options", "model"),
        ("Bad request", None, PLAIN, "stream_options", "model"),
    ],
)
def test_what_a_service_refuses_is_left_out_and_remembered(
    opened, message, param, sampling, absent, present
) -> None:
    refusal = Scripted(400, {"error": {"message": message, "param": param}})
    with scripted.service(refusal, streamed("one"), streamed("two")) as seen:
        generator = opened(seen)
        drafts = [generator.generate(ASK, sampling, on_text=lambda _: None) for _ in range(2)]
    assert [draft.text for draft in drafts] == ["one", "two"]
    assert absent in seen.bodies[0]
    assert all(absent not in body and present in body for body in seen.bodies[1:])
    assert len(seen.bodies) == 3
    assert drafts[1].extra["refused"] == [absent]


def test_a_question_that_is_too_long_is_not_asked_again(opened) -> None:
    message = "'max_tokens' is too large: the maximum context length is 4096 tokens"
    refusal = Scripted(400, {"error": {"message": message}})
    with scripted.service(refusal) as seen, pytest.raises(InputError) as caught:
        opened(seen).generate(ASK, Sampling(max_tokens=9), on_text=lambda _: None)
    assert caught.value.code == "service_rejected"
    assert "4096" in caught.value.message
    assert len(seen.bodies) == 1


@pytest.mark.parametrize("streaming", [True, False])
def test_a_stop_closes_the_connection_at_once(opened, streaming) -> None:
    script = stream_of(event(chunk(content="a")), hang=True) if streaming else Scripted(hang=True)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with scripted.service(script) as seen:
        start = time.monotonic()
        with pytest.raises(InputError) as caught:
            opened(seen).generate(
                ASK, PLAIN, on_text=(lambda _: None) if streaming else None, cancelled=stop.is_set
            )
        assert caught.value.code == "cancelled"
        assert time.monotonic() - start < 5.0
        assert seen.left.wait(5.0), "the service was not told"


def test_a_listener_that_fails_ends_the_call(opened) -> None:
    def fails(_piece: str) -> None:
        raise KeyError("the listener's own")

    with scripted.service(stream_of(event(chunk(content="a")), hang=True)) as seen:
        with pytest.raises(KeyError):
            opened(seen).generate(ASK, PLAIN, on_text=fails)
        assert seen.left.wait(5.0)


def test_the_digest_knows_the_model_but_not_the_key() -> None:
    one = Service("http://127.0.0.1:1/v1", "m", "secret", date="2026-11-23")
    digests = {
        RemoteGenerator(service).digest
        for service in (one, Service(**{**vars(one), "key": "other", "name": "mine"}))
    }
    assert len(digests) == 1
    for change in ({"model": "n"}, {"url": "http://127.0.0.1:2/v1"}, {"date": "2026-11-24"}):
        digests.add(RemoteGenerator(Service(**{**vars(one), **change})).digest)
    assert len(digests) == 4


def test_what_it_says_of_itself() -> None:
    generator = RemoteGenerator(Service("http://example.com/v1", "m", "secret", name="mine"))
    assert generator.name == "remote:mine"
    assert generator.servable
    assert "unencrypted" in generator.cautions[0]
    assert "secret" not in json.dumps([repr(generator), *generator.cautions])
