"""A schema that the engine would drop without a word is refused; one that it holds is held."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metier.engines.llamacpp import LocalWorker
from metier.engines.llamacpp.holding import check_whole, impossible_token
from metier.errors import InputError, UnavailableError
from metier.generating import Constraint, Options, Question, Voice

DROPPED: tuple[dict[str, Any], ...] = (
    {"type": "nonsense"},
    {"not": {"type": "string"}},
    {"$ref": "#/$defs/nowhere"},
    {"enum": []},
    {"type": "string", "pattern": "(?=x)a"},
    {"type": "integer", "minimum": 5, "maximum": 1},
    {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 2},
    {"$ref": "#"},
)


def _ask(worker: LocalWorker, schema: dict[str, Any], **options: Any) -> str:
    question = Question(
        prompt="Give",
        constraint=Constraint("schema", schema),
        options=Options(**{"num_predict": 60, "seed": 1, **options}),
    )
    return worker.ask(question, Voice()).text


@pytest.mark.parametrize("schema", DROPPED, ids=str)
def test_a_schema_that_would_be_dropped_is_refused(
    worker: LocalWorker, schema: dict[str, Any]
) -> None:
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            _ask(worker, schema)
        assert caught.value.code == "bad_grammar"


def test_a_schema_that_is_held_answers_and_is_not_disturbed_by_the_trial(
    worker: LocalWorker,
) -> None:
    schema = {"enum": ["one", "two", {"three": 3}]}
    first = _ask(worker, schema, temperature=0.0)
    assert json.loads(first) in schema["enum"]
    assert _ask(worker, schema, temperature=0.0) == first
    assert json.loads(_ask(worker, {"type": "boolean"}, stop=("A",))) in (True, False)


def test_a_refused_schema_leaves_room_for_the_next(worker: LocalWorker) -> None:
    for place in range(40):
        with pytest.raises(InputError):
            _ask(worker, {"type": f"kind {place}"})
    assert json.loads(_ask(worker, {"const": 7})) == 7


def test_an_answer_that_the_model_ended_is_json() -> None:
    check_whole('{"a": 1}')
    with pytest.raises(UnavailableError) as caught:
        check_whole('{"a": 1} and more')
    assert caught.value.code == "engine_failed"


def test_the_last_token_of_a_text_is_no_space() -> None:
    assert impossible_token(lambda text: [5, ord(text)]) == ord("A")
