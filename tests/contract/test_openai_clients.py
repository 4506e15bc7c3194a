"""openai-python against a real server: every verb that it has for what we answer.

The models write noise, so structure is looked at: tokens, ends, shapes, and what must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

import clients
from served import ADAPTED, EMBEDS, RANKS, WRITES, Served

pytestmark = clients.needs_python_clients()


@pytest.fixture(scope="module")
def told(server: Served, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return clients.speak("speak_openai.py", server.address, tmp_path_factory.mktemp("client"))


def choice(completion: Mapping[str, Any]) -> Mapping[str, Any]:
    assert "raised" not in completion, completion
    (only,) = completion["choices"]
    return only


def text(completion: Mapping[str, Any]) -> str:
    found = choice(completion)["message"]["content"]
    assert isinstance(found, str)
    return found


def test_models_are_listed(told) -> None:
    assert {WRITES, ADAPTED, EMBEDS, RANKS, "message-spam", "sveltekit"} <= set(told["models"])


def test_ids_with_a_colon_and_a_slash_are_found(told) -> None:
    assert told["model_with_a_tag"]["id"] == WRITES
    assert told["model_with_a_slash"]["id"] == EMBEDS
    assert told["model_with_a_slash"]["owned_by"] == "team"


def test_an_adapter_is_a_model_that_names_its_base(told) -> None:
    assert told["adapter"]["parent"] == WRITES
    assert text(told["chat_by_an_adapter"]) != text(told["chat"])


def test_a_chat(told) -> None:
    chat = told["chat"]
    assert choice(chat)["finish_reason"] == "length"
    assert chat["usage"]["completion_tokens"] == 12
    assert chat["usage"]["total_tokens"] == chat["usage"]["prompt_tokens"] + 12
    assert chat["usage"]["prompt_tokens_details"]["cached_tokens"] >= 0
    assert chat["request_id"]
    assert chat["created"] > 1_700_000_000


def test_the_same_seed_gives_the_same_answer(told) -> None:
    first, second = told["same_seed"]
    assert first == second
    assert first


def test_several_choices(told) -> None:
    choices = told["choices"]["choices"]
    assert [one["index"] for one in choices] == [0, 1, 2]
    assert len({one["message"]["content"] for one in choices}) == 3
    assert told["choices"]["usage"]["completion_tokens"] == 36


def test_every_way_of_sampling_is_taken(told) -> None:
    assert text(told["sampling"])


def test_an_answer_ends_before_a_stop(told) -> None:
    whole, stop, cut = told["stop"]["whole"], told["stop"]["stop"], told["stop"]["cut"]
    assert text(cut) == whole.partition(stop)[0]
    assert choice(cut)["finish_reason"] == "stop"


def test_the_newer_limit_of_tokens(told) -> None:
    assert told["completion_tokens"]["usage"]["completion_tokens"] == 3


def test_logprobs(told) -> None:
    found = choice(told["logprobs"])["logprobs"]["content"]
    assert len(found) == 12
    assert "".join(token["token"] for token in found) == text(told["logprobs"])
    for token in found:
        assert len(token["top_logprobs"]) == 3
        assert token["logprob"] <= 0
        assert bytes(token["bytes"]).decode("utf-8", "replace") == token["token"]


def test_a_stream(told) -> None:
    role, *pieces, end, usage = told["stream"]
    assert role["choices"][0]["delta"]["role"] == "assistant"
    assert "".join(one["choices"][0]["delta"]["content"] for one in pieces) == text(told["chat"])
    assert end["choices"][0]["finish_reason"] == "length"
    assert end["choices"][0]["delta"]["content"] is None
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 12)
    assert len({(one["id"], one["created"]) for one in told["stream"]}) == 1


def test_a_stream_of_several_choices(told) -> None:
    written = {0: "", 1: ""}
    for one in told["stream_of_choices"]:
        (only,) = one["choices"]
        written[only["index"]] += only["delta"]["content"] or ""
    assert list(written.values()) == [
        one["message"]["content"] for one in told["choices"]["choices"][:2]
    ]


def test_the_clients_own_reading_of_a_stream(told) -> None:
    assert "content.done" in told["stream_helper"]["kinds"]


def test_streamed_logprobs_stand_with_their_text(told) -> None:
    with_chances = [one for one in told["streamed_logprobs"] if one["choices"][0]["logprobs"]]
    assert len(with_chances) == 12
    for one in with_chances:
        (only,) = one["choices"]
        tokens = only["logprobs"]["content"]
        assert "".join(token["token"] for token in tokens) == only["delta"]["content"]


def test_any_json(told) -> None:
    answer = told["json_object"]
    if choice(answer)["finish_reason"] == "stop":
        assert isinstance(json.loads(text(answer)), dict)
    assert text(answer).lstrip().startswith("{")


def test_a_strict_schema_is_enforced(told) -> None:
    assert json.loads(text(told["strict_schema"]))["city"] in ("Paris", "Rome")
    assert told["parsed"]["city"] in ("Paris", "Rome")


def test_a_grammar_is_enforced(told) -> None:
    assert text(told["grammar"]) in ("yes", "no")


@pytest.mark.parametrize("verb", ["tool_required", "tool_named"])
def test_a_required_call_is_enforced(told, verb: str) -> None:
    found = choice(told[verb])
    assert found["finish_reason"] == "tool_calls"
    (call,) = found["message"]["tool_calls"]
    assert call["id"]
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"])["city"] in ("Paris", "Rome")


def test_tools_may_be_left_alone(told) -> None:
    assert choice(told["tool_auto"])["finish_reason"] in ("length", "stop", "tool_calls")
    assert choice(told["tool_none"])["message"]["tool_calls"] is None
    assert told["tool_auto"]["usage"]["prompt_tokens"] > told["chat"]["usage"]["prompt_tokens"]


def test_a_stream_of_calls(told) -> None:
    calls = [
        call
        for one in told["tool_stream"]
        for call in one["choices"][0]["delta"]["tool_calls"] or []
    ]
    assert {call["index"] for call in calls} == {0}
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert json.loads(arguments)["city"] in ("Paris", "Rome")
    assert told["tool_stream"][-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_loop_with_a_tools_answer(told) -> None:
    assert choice(told["tool_loop"])["message"]["role"] == "assistant"


def test_the_effort_of_reasoning(told) -> None:
    assert choice(told["reasoning"])
    assert told["reasoning_unknown"]["raised"] == "BadRequestError"


def test_parts_and_the_developers_role(told) -> None:
    assert told["parts"]["usage"]["prompt_tokens"] > 0


def test_pictures_are_never_fetched(told) -> None:
    assert told["picture_from_elsewhere"]["raised"] == "BadRequestError"
    assert "fetches nothing" in told["picture_from_elsewhere"]["said"]
    assert told["picture_for_the_blind"]["raised"] == "BadRequestError"
    assert "vision" in told["picture_for_the_blind"]["said"]


def test_a_prompt_that_is_too_long_is_refused(told) -> None:
    assert told["too_long"]["raised"] == "BadRequestError"
    assert told["embedding_too_long"]["raised"] == "BadRequestError"


def test_errors_are_the_clients_own(told) -> None:
    assert told["unknown_model"]["raised"] == "NotFoundError"
    assert "nobody" in told["unknown_model"]["said"]
    assert told["classifier"]["raised"] == "BadRequestError"
    assert told["embedding_by_a_writer"]["raised"] == "BadRequestError"


def test_text_is_continued(told) -> None:
    assert choice(told["continued"])["text"].startswith("Once upon")
    assert 0 < told["continued"]["usage"]["completion_tokens"] <= 6
    assert 6 < told["continued_by_default"]["usage"]["completion_tokens"] <= 16


def test_several_prompts(told) -> None:
    assert [one["index"] for one in told["prompts"]["choices"]] == [0, 1, 2, 3]


def test_a_prompt_of_tokens_with_logprobs(told) -> None:
    found = choice(told["prompt_of_tokens"])
    logprobs = found["logprobs"]
    assert 0 < len(logprobs["tokens"]) == len(logprobs["token_logprobs"]) <= 4
    assert "".join(logprobs["tokens"]) == found["text"]
    assert all(len(top) == 2 for top in logprobs["top_logprobs"])
    assert logprobs["text_offset"][0] == 0
    assert told["prompt_of_tokens"]["usage"]["prompt_tokens"] == 3


def test_a_gap_is_filled(told) -> None:
    assert told["gap"]["usage"]["prompt_tokens"] > 0
    assert choice(told["gap"])["text"]


def test_a_stream_of_text(told) -> None:
    *_, end, usage = told["continued_stream"]
    assert end["choices"][0]["finish_reason"] in ("length", "stop")
    assert 0 < usage["usage"]["completion_tokens"] <= 6


def test_answers_are_not_ranked(told) -> None:
    assert told["ranked_answers"]["raised"] == "BadRequestError"


def test_embeddings_in_base64_are_those_in_numbers(told) -> None:
    pairs = zip(
        told["embeddings"]["packed"]["data"], told["embeddings"]["numbers"]["data"], strict=True
    )
    for packed, numbers in pairs:
        assert packed["embedding"] == pytest.approx(numbers["embedding"], abs=1e-7)
        assert sum(value**2 for value in numbers["embedding"]) == pytest.approx(1, abs=1e-6)
    assert told["embeddings"]["numbers"]["usage"]["prompt_tokens"] > 0


def test_fewer_dimensions(told) -> None:
    (only,) = told["embedding_of_one"]["data"]
    assert len(only["embedding"]) == 8


def test_token_numbers_are_not_embedded(told) -> None:
    assert told["embedding_of_tokens"]["raised"] == "BadRequestError"


def test_six_questions_at_once(told) -> None:
    assert len(told["at_once"]) == 6
    assert set(told["at_once"]) <= {"length", "stop"}


def test_documents_are_ranked(told) -> None:
    (first,) = told["rerank"]["results"]
    assert 0 <= first["relevance_score"] <= 1
    assert first["document"]["text"] == ("a", "b")[first["index"]]


def test_a_specialist_answers_over_a_local_base(server: Served) -> None:
    asked = {"messages": [{"role": "user", "content": "How do I add?"}], "max_tokens": 8}
    with server.client() as client:
        for base in (WRITES, ADAPTED):
            model = f"coder@{base}"
            reply = client.post("/v1/chat/completions", json={"model": model, **asked})
            assert reply.status_code == 200, reply.text
            assert reply.json()["metier"]["base"].endswith(base)
            assert reply.json()["usage"]["completion_tokens"] > 0
